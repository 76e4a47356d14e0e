"""Types of single values that several kinds of document use."""

from collections.abc import Callable, Mapping

from cuvee.manifest import value_parsers as parsers
from cuvee.manifest.documents.schema_types import ListType, ScalarType
from cuvee.platforms import PLATFORMS

PLATFORM_SYNONYMS = {
    "linux": "linux-64", "linux-x86_64": "linux-64", "linux-x64": "linux-64", "linux-amd64": "linux-64",
    "linux-arm64": "linux-aarch64", "aarch64": "linux-aarch64",
    "win": "win-64", "windows": "win-64", "win-amd64": "win-64", "windows-x86_64": "win-64",
    "osx": "osx-arm64", "macos": "osx-arm64", "macos-arm64": "osx-arm64", "darwin": "osx-arm64",
    "osx-x86_64": "osx-64", "macos-x86_64": "osx-64", "macos-64": "osx-64",
}  # fmt: skip


def prose_type(noun: str, example: str) -> ScalarType:
    """Return the type of a text for people."""
    return ScalarType(noun=noun, example=example, parse=parsers.prose, pattern=r"\S")


def label_type(noun: str, example: str) -> ScalarType:
    """Return the type of a name that is free to choose."""
    return ScalarType(
        noun=noun,
        example=example,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.\-]*$",
        rule="letters, digits, `_`, `-` and `.` only",
    )


def file_type(noun: str, example: str) -> ScalarType:
    """Return the type of a file beside the document, or in a folder beside it."""
    return ScalarType(
        noun=noun, example=example, parse=parsers.relative_path, pattern=parsers.FOLDER, number=None
    )


def choice_type(
    noun: str,
    choices: tuple[str, ...],
    synonyms: Mapping[str, str] | None = None,
    spellings: Mapping[str, str] | None = None,
    parse: Callable[[str], object] = str,
) -> ScalarType:
    """Return the type of one of a few words."""
    return ScalarType(
        noun=noun,
        example=choices[0],
        choices=choices,
        number=None,
        synonyms=synonyms or {},
        spellings=spellings or {},
        parse=parse,
    )


ORGANISATION = label_type("an organisation", "acme")
DATE = ScalarType(noun="a date", example="2027-11-30", parse=parsers.date, pattern=parsers.DATE, number=None)
DAYS = ScalarType(
    noun="a number of days", example="7", pattern=r"^[0-9]{1,5}$", rule="digits only, up to five", parse=int,
    number="integer",
)  # fmt: skip
PACKAGE_NAME = ScalarType(
    noun="a package name", example="numpy", parse=parsers.package_name, pattern=parsers.PACKAGE_NAME
)
VERSION_RANGE = ScalarType(
    noun="a version range", example=">=2.4,<2.5", parse=parsers.version_range, pattern=parsers.RANGE
)
BUILD_STRING = ScalarType(
    noun="a build string", example="py311h*_0", pattern=r"^[A-Za-z0-9_.+*]+$",
    rule="letters, digits, `_`, `.`, `+` and `*` only",
)  # fmt: skip
SYSTEM_VERSION = ScalarType(
    noun="a version", example="2.28", pattern=r"^[0-9]+(\.[0-9]+)*$", rule="numbers and dots only"
)
PLATFORM = choice_type("a platform", tuple(PLATFORMS), PLATFORM_SYNONYMS)
PLATFORM_LIST = ListType(noun="a list of platforms", example="[win-64]", item=PLATFORM, at_least_one=True)
SPDX_LICENSE = ScalarType(
    noun="an SPDX licence identifier",
    example="BSD-3-Clause",
    parse=parsers.spdx,
    pattern=r"^[A-Za-z0-9.+\-]+$",
)

WEB_ADDRESS = ScalarType(
    noun="a web address", example="https://example.org/issues/7", pattern=r"^https?://[^\s]+$",
    rule="it begins with https://", number=None,
)  # fmt: skip
TEXT = ScalarType(noun="a text", example="north")
FLAG = ScalarType(
    noun="true or false",
    example="true",
    choices=("true", "false"),
    # YAML 1.1 has more words for them: https://yaml.org/type/bool.html
    spellings={
        spelling: word
        for word, words in {"true": ("true", "yes", "on"), "false": ("false", "no", "off")}.items()
        for spelling in (form for text in words for form in (text, text.capitalize(), text.upper()))
    },
    parse=lambda text: text == "true",
    number=None,
)
