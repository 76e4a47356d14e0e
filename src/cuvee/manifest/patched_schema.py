"""The schema of ``patched``: packages that a release carries with patches of its own."""

from packaging.version import InvalidVersion

from cuvee.manifest.documents.schema_types import (
    ListType,
    MapType,
    ParseError,
    Property,
    RecordType,
    ScalarType,
)
from cuvee.manifest.scalar_types import DATE, PACKAGE_NAME, file_type, label_type, prose_type

MOST_REVISIONS = 99
"""A version that needs more has other problems."""


def _wheel_name(text: str) -> str:
    from packaging.utils import InvalidWheelFilename, parse_wheel_filename

    try:
        _, _, _, tags = parse_wheel_filename(text)
    except (InvalidWheelFilename, InvalidVersion):
        raise ParseError("write it as the index has it, with its version and tags") from None
    if any(tag.platform != "any" or tag.abi != "none" for tag in tags):
        raise ParseError(
            message=f"{text} is not a pure wheel: it has compiled code, which patches do not change",
            advice="patch it with a recipe",
        )
    return text


def _version(text: str) -> str:
    from cuvee.conda.match_spec import read_version

    if read_version(text) is None:
        raise ParseError("one version, not a range")
    return text


def _revision(text: str) -> int:
    if not 1 <= int(text) <= MOST_REVISIONS:
        raise ParseError(f"from 1 to {MOST_REVISIONS}")
    return int(text)


_EXAMPLE = (
    "{zlib: {recipe: zlib, patches: [patches/zlib.patch], fixes: [CVE-2026-12345], "
    "why: upstream has no release with it, author: Ada, until: 2027-05-31}}"
)
_SHA256 = "ae74fb96c20a0277a1d615f1e4d73c8414f5a98db8b799a7931d1582f3390c28"
_PATCH_FILE = file_type("a patch file", "patches/click-prompt.patch")
_TEST_FILE = file_type("a Python file", "patches/test_prompt.py")

PATCHED = MapType(
    noun="a mapping of packages",
    example=_EXAMPLE,
    key=PACKAGE_NAME,
    value=RecordType(
        noun="a patched package",
        example=_EXAMPLE.removeprefix("{zlib: ").removesuffix("}"),
        keys=(
            Property(name="recipe", type=label_type("a recipe", "zlib"), example="zlib",
                summary="The recipe that is built with the patches; it must be one of `recipes`."),
            Property(name="wheel", example="click-8.1.7-py3-none-any.whl",
                summary="The file name of the pure-Python wheel that is patched, instead of `recipe`.",
                type=ScalarType(noun="the file name of a pure wheel", example="click-8.1.7-py3-none-any.whl",
                    parse=_wheel_name, pattern=r"^[A-Za-z0-9_.+!\-]+-none-any\.whl$", number=None)),
            Property(name="sha256", example=_SHA256,
                summary="The wheel's SHA-256.",
                type=ScalarType(noun="a SHA-256", example=_SHA256,
                    pattern=r"^[0-9a-f]{64}$", rule="64 digits of 0-9 and a-f", number="integer")),
            Property(name="patches", required=True, example="[patches/click-prompt.patch]",
                summary="The patch files, in the order in which they are applied: paths in the manifest's "
                        "folder.",
                type=ListType(noun="a list of patch files", example="[patches/click-prompt.patch]",
                    item=_PATCH_FILE, at_least_one=True)),
            Property(name="fixes", required=True, example="[CVE-2026-12345]",
                summary="What the patches fix: CVE numbers, or web addresses of issues.",
                type=ListType(noun="a list of CVE numbers and issues", example="[CVE-2026-12345]",
                    at_least_one=True, item=ScalarType(
                        noun="a CVE number or a web address", example="CVE-2026-12345", number=None,
                        pattern=r"^(CVE-[0-9]{4}-[0-9]{4,19}|https?://[^\s]+)$",
                        rule="CVE-YEAR-NUMBER, or an address that begins with https://"))),
            Property(name="why", type=prose_type("a reason", "upstream has no release with the fix"),
                required=True, example="upstream has no release with the fix",
                summary="Why the release does not wait for upstream."),
            Property(name="author", type=prose_type("a person", "Ada"), required=True, example="Ada",
                summary="Who decided."),
            Property(name="upstream-fixed-in", example='"8.1.8"',
                summary="The first version of upstream that has the fix, once it is known.",
                type=ScalarType(noun="a version", example="8.1.8", parse=_version,
                    pattern=r"^[0-9][0-9A-Za-z.!+_]*$", rule="one version, not a range")),
            Property(name="until", type=DATE, example="2027-05-31", required=True,
                summary="The last day on which the patches are accepted; then somebody must decide again."),
            Property(name="revision", default=1, example="2",
                summary="Raise it when the patches change and the version does not, so that solvers prefer "
                        "the new build.",
                type=ScalarType(noun="a number", example="2", pattern=r"^[0-9]{1,3}$", rule="digits only",
                    parse=_revision, number="integer")),
            Property(name="tests", default=[], example="[patches/test_prompt.py]",
                summary="Python programs that fail without the patches. They travel in the package, and "
                        "suites of the kind `packaged` run them; of a wheel only: a recipe has its own.",
                type=ListType(noun="a list of Python files", example="[patches/test_prompt.py]",
                    item=_TEST_FILE)),
        ),
    ),
)  # fmt: skip
