"""The schemas of the files of ``errata/``."""

from cuvee.errata.model import Urgency
from cuvee.manifest import value_parsers as parsers
from cuvee.manifest.documents.schema_types import (
    DocumentSchema,
    ListType,
    MapType,
    Property,
    RecordType,
    ScalarType,
)
from cuvee.manifest.scalar_types import (
    BUILD_STRING,
    DATE,
    PACKAGE_NAME,
    PLATFORM_LIST,
    VERSION_RANGE,
    WEB_ADDRESS,
    choice_type,
    prose_type,
)

PAGE = "docs/reference/errata-files.md"

NUMBER = ScalarType(
    noun="a number", example="starter-2026-1", pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
    rule="lower-case letters and digits, joined by `-`", number=None,
)  # fmt: skip
_VERSION = ScalarType(
    noun="a release number", example="2026.11.0", parse=parsers.release_version,
    pattern=r"^[0-9]{4}\.(1[0-2]|[1-9])\.(0|[1-9][0-9]{0,3})$", number=None,
)  # fmt: skip
_CVE = ScalarType(
    noun="a CVE number", example="CVE-2026-12345", pattern=r"^CVE-[0-9]{4}-[0-9]{4,19}$",
    rule="CVE, a year and at least four digits, joined by `-`", number=None,
)  # fmt: skip
_RELEASES = ListType(noun="a list of releases", example='["2026.11.0"]', item=_VERSION, at_least_one=True)

_FLAW = RecordType(
    noun="a package with a flaw", example='{affected: "<6.1.3", fixed: ">=6.1.3"}',
    keys=(
        Property(name="affected", required=True, example='"<6.1.3"', type=VERSION_RANGE,
            summary="The versions that have the flaw."),
        Property(name="fixed", example='">=6.1.3"', default_text="there is no fix yet", type=VERSION_RANGE,
            summary="The versions that have the fix. What is in both ranges is fixed."),
        Property(name="fixed-build", default="*", example='"*_fix1"', type=BUILD_STRING,
            summary="The builds of these versions that have the fix, where the version did not change."),
    ),
)  # fmt: skip
_REVISION = RecordType(
    noun="a revision", example="{date: 2026-12-02, summary: States the workaround}",
    keys=(
        Property(name="date", required=True, example="2026-12-02", type=DATE, summary="When."),
        Property(name="summary", required=True, example="States the workaround",
            type=prose_type("a summary", "States the workaround"), summary="What changed."),
    ),
)  # fmt: skip

ERRATUM = DocumentSchema(
    name="erratum",
    noun="the erratum",
    summary="What is wrong in which releases, and which releases fix it.",
    page=PAGE,
    start="number: starter-2026-1",
    content=RecordType(
        noun="an erratum", example="{number: starter-2026-1}",
        keys=(
            Property(name="number", required=True, example="starter-2026-1", type=NUMBER,
                summary="What it is called: the name of the file."),
            Property(name="distribution", required=True, example="starter",
                type=ScalarType(noun="the name of a distribution", example="starter",
                    parse=parsers.distribution_name, pattern=parsers.DISTRIBUTION_NAME, number=None),
                summary="The distribution whose releases it is about."),
            Property(name="title", required=True, example="Parser fixes in lxml",
                type=ScalarType(noun="a title", example="Parser fixes in lxml", parse=parsers.line,
                    pattern=r"\S"),
                summary="What it is about, in one line."),
            Property(name="severity", required=True, example="low",
                type=choice_type("a severity", tuple(item.value for item in Urgency),
                    {"moderate": "medium", "important": "high", "minor": "low", "urgent": "critical"},
                    parse=Urgency),
                summary="How urgent the update is."),
            Property(name="date", required=True, example="2026-11-27", type=DATE,
                summary="The day on which it is published."),
            Property(name="summary", required=True, example="Some entities were read twice.",
                type=prose_type("a summary", "Some entities were read twice."),
                summary="What is wrong, and what can happen. An empty line begins a paragraph."),
            Property(name="packages", required=True,
                example='{lxml: {affected: "<6.1.3", fixed: ">=6.1.3"}}',
                type=MapType(noun="packages by name", example='{lxml: {affected: "<6.1.3"}}',
                    key=PACKAGE_NAME, value=_FLAW),
                summary="The packages that have the flaw."),
            Property(name="affected-releases", required=True, example='["2026.11.0"]', type=_RELEASES,
                summary="The releases that have the flaw."),
            Property(name="fixed-releases", default_text="there is no fix yet", example='["2026.11.1"]',
                type=_RELEASES, summary="The releases that have the fix, the first one of each series."),
            Property(name="cves", default=[], example="[CVE-2026-12345]",
                type=ListType(noun="a list of CVE numbers", example="[CVE-2026-12345]", item=_CVE),
                summary="The vulnerabilities that it is about; none if it is about another flaw."),
            Property(name="platforms", default_text="all that have the packages", example="[win-64]",
                type=PLATFORM_LIST, summary="The platforms that it is about."),
            Property(name="workaround", default_text="none", example="Do not read files of other people.",
                type=prose_type("a workaround", "Do not read files of other people."),
                summary="What users can do until they upgrade."),
            Property(name="links", default=[], example="[https://example.org/issues/7]",
                type=ListType(noun="a list of links", example="[https://example.org/issues/7]",
                    item=WEB_ADDRESS),
                summary="Where more is said."),
            Property(name="revisions", default_text="none",
                example="[{date: 2026-12-02, summary: States the workaround}]",
                type=ListType(noun="a list of revisions", item=_REVISION, unique=False,
                    example="[{date: 2026-12-02, summary: States the workaround}]"),
                summary="What was changed after it was published, the oldest first."),
        ),
    ),
)  # fmt: skip

PUBLISHER = DocumentSchema(
    name="publisher",
    noun="the publisher's file",
    summary="Who publishes the errata of a folder, and where.",
    page=PAGE,
    start="name: Example Labs",
    content=RecordType(
        noun="a publisher", example="{name: Example Labs, url: https://example.org/errata}",
        keys=(
            Property(name="name", required=True, example="Example Labs",
                type=ScalarType(noun="a name", example="Example Labs", parse=parsers.line, pattern=r"\S"),
                summary="The name of a person or organisation."),
            Property(name="url", required=True, example="https://example.org/errata", type=WEB_ADDRESS,
                summary="Where the files are published that `cuvee errata --output` writes."),
            Property(name="contact", default_text="none", example="security@example.org",
                type=prose_type("a contact", "security@example.org"),
                summary="How to reach them."),
        ),
    ),
)  # fmt: skip
