"""The schema of ``policy.approvals``: who may approve a release, and how many of them must."""

from cuvee.approvals.approval_policy import LEVELS, ROLES
from cuvee.manifest import value_parsers as parsers
from cuvee.manifest.documents.schema_types import ListType, MapType, Property, RecordType, ScalarType
from cuvee.manifest.scalar_types import DATE, ORGANISATION, choice_type, label_type, prose_type

_KEY = "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
_PEOPLE = (
    "{ada: {name: Ada Lovelace, organisation: acme, roles: [release], "
    f"since: 2026-11-30, until: 2027-11-30, key: {_KEY}}}}}"
)
EXAMPLE = f"{{count: 1, people: {_PEOPLE}}}"
"""An example of the whole policy."""

_COUNT = ScalarType(
    noun="a number of people", example="2", pattern=r"^[1-9][0-9]?$", rule="1 to 99", parse=int,
    number="integer",
)  # fmt: skip
_ROLES = ListType(noun="a list of roles", example="[release]", item=choice_type("a role", ROLES))

_PERSON = RecordType(
    noun="a person", example="{name: Ada Lovelace, organisation: acme, …}",
    keys=(
        Property(name="name", required=True, example="Ada Lovelace", summary="The person's name.",
            type=prose_type("a person", "Ada Lovelace")),
        Property(name="organisation", required=True, example="acme", type=ORGANISATION,
            summary="The organisation that the person stands for."),
        Property(name="roles", required=True, example="[release, qa]", type=_ROLES,
            summary="What the person answers for."),
        Property(name="key", required=True, example=_KEY,
            summary="The public key in base64, as `cuvee keys show` prints it.",
            type=ScalarType(noun="a public key", example=_KEY, parse=parsers.public_key, number=None,
                      pattern=parsers.PUBLIC_KEY)),
        Property(name="since", type=DATE, required=True, example="2026-11-30",
            summary="The first day on which the key counts."),
        Property(name="until", type=DATE, required=True, example="2027-11-30",
            summary="The last day on which the key counts."),
    ),
)  # fmt: skip

APPROVALS = RecordType(
    noun="an approval policy", example="{count: 2, people: {ada: …}}",
    keys=(
        Property(name="count", type=_COUNT, required=True, example="2",
            summary="How many people must approve."),
        Property(name="organisations", type=_COUNT, default=1, example="2",
            summary="From how many organisations at least."),
        Property(name="roles", default={}, example="{patch: [release], month: [release, qa]}",
            summary="By level of the release, roles of which somebody must approve. The level is the first "
                    "part of the number that differs from the base's; without a base it is `year`.",
            type=MapType(noun="a mapping of levels", example="{month: [release, qa]}", value=_ROLES,
                       key=choice_type("a level", LEVELS))),
        Property(name="waivers", default={}, example="{licenses: [security]}",
            summary="Roles of which somebody must approve if a check or a test, `suite/test`, is waived or "
                    "has findings that need approval.",
            type=MapType(noun="a mapping of checks and tests", example="{licenses: [security]}", value=_ROLES,
                       key=ScalarType(noun="a check or a test", example="licenses",
                                 parse=parsers.check_or_test, pattern=parsers.CHECK_OR_TEST, number=None))),
        Property(name="people", required=True, example=_PEOPLE,
            summary="Who may approve.",
            type=MapType(noun="a mapping of people", example="{ada: {name: Ada Lovelace, …}}",
                       key=label_type("a person", "ada"), value=_PERSON)),
    ),
)  # fmt: skip
"""The type of ``policy.approvals``."""
