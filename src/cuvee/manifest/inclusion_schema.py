"""The part of the schema of manifests about who comes in, who answers for what, and how a package leaves."""

from cuvee.manifest import value_parsers as parsers
from cuvee.manifest.documents.schema_types import ListType, MapType, Property, RecordType, ScalarType
from cuvee.manifest.scalar_types import DATE, PACKAGE_NAME, choice_type, prose_type

INCLUSION_ITEMS = (
    "solves",
    "members",
    "growth",
    "clobbers",
    "tests",
    "metadata",
    "licenses",
    "owner",
    "name",
    "age",
    "releases",
    "errata",
)
"""What `cuvee inclusion` requires of a package that is to come in, in the order of its checklist."""

DEFAULT_BINDING = ("solves", "clobbers", "licenses", "name", "errata")
"""The items that bind unless the manifest says otherwise."""

_COUNT = ScalarType(
    noun="a number", example="20", pattern=r"^[0-9]{1,6}$", rule="digits only, up to six", parse=int,
    number="integer",
)  # fmt: skip

INCLUSION_POLICY = Property(
    name="inclusion", default={}, example="{binding: [solves, licenses, owner]}",
    summary="What a package must meet to come into the set.",
    type=RecordType(
        noun="an inclusion policy", example="{binding: [solves, licenses, owner]}",
        keys=(
            Property(name="binding", default=list(DEFAULT_BINDING), example="[solves, licenses, owner]",
                summary="The items that must not fail; the others are for people to judge.",
                type=ListType(noun="a list of items", example="[solves]",
                              item=choice_type("an item", INCLUSION_ITEMS))),
            Property(name="most-packages", type=_COUNT, example="20",
                summary="How many packages it may add to the closure of a platform, itself included."),
            Property(name="most-megabytes", type=_COUNT, example="200",
                summary="How much all these may add to the download of a platform."),
        ),
    ),
)  # fmt: skip

DEPRECATED = Property(
    name="deprecated", example='{reason: "no releases since 2023", removed-in: "2027.5.0"}',
    summary="That it will leave the set, which users are told; a release without it comes later.",
    type=RecordType(
        noun="a deprecation", example='{reason: "no releases since 2023"}', shorthand="reason",
        keys=(
            Property(name="reason", type=prose_type("a reason", "no releases since 2023"), required=True,
                example='"no releases since 2023"', summary="Why it will leave."),
            Property(name="instead", type=prose_type("a text", "httpx"), example="httpx",
                summary="What users should use instead."),
            Property(name="removed-in", example='"2027.5.0"',
                summary="The first release that will not have it.",
                type=ScalarType(noun="a release number", example="2027.5.0", parse=parsers.release_version,
                    pattern=r"^[0-9]{4}\.(1[0-2]|[1-9])\.(0|[1-9][0-9]{0,3})$", number=None)),
        ),
    ),
)  # fmt: skip

OWNER_KEYS = (
    Property(name="contact", required=True, example="numerics@example.org",
        type=prose_type("a contact", "numerics@example.org"), summary="How to reach them."),
    Property(name="organisation", type=prose_type("an organisation", "Example University"),
        example='"Example University"', summary="The organisation that they stand for."),
    Property(name="people", default=[], example="[Ada, Grace]", summary="Who they are.",
        type=ListType(noun="a list of people", example="[Ada]", item=prose_type("a person", "Ada"))),
    Property(name="accepts", default={}, example="{numpy: 2026-11-20}",
        summary="The packages whose owner they have agreed to be, each with the day on which they did.",
        type=MapType(noun="a mapping of packages", example="{numpy: 2026-11-20}", key=PACKAGE_NAME,
                     value=DATE)),
)  # fmt: skip
"""What a manifest says of an owner."""
