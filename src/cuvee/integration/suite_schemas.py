"""The schemas of ``suite.yaml``, and of what other files of ``integration_tests/`` share with it."""

import re

from cuvee.conda.match_spec import read_spec
from cuvee.integration.model import SuiteKind
from cuvee.manifest import value_parsers
from cuvee.manifest.documents.schema_types import (
    DocumentSchema,
    ListType,
    ParseError,
    Property,
    RecordType,
    ScalarType,
)
from cuvee.manifest.scalar_types import (
    FLAG,
    PACKAGE_NAME,
    PLATFORM_LIST,
    choice_type,
    file_type,
    label_type,
    prose_type,
)

PAGE = "docs/reference/suite-files.md"
_UNITS = {"MB": 10**6, "GB": 10**9, "MiB": 2**20, "GiB": 2**30}
_SIZE = r"^[1-9][0-9]{0,5} ?(MB|GB|MiB|GiB)$"


def _size(text: str) -> int:
    """Return the bytes of a size such as ``2 GiB``."""
    found = re.fullmatch(r"(\d+) ?([MG]i?B)", text)
    if found is None:
        raise ParseError("a number and a unit")
    return int(found[1]) * _UNITS[found[2]]


def _tool(text: str) -> str:
    """Return a match spec that can be read."""
    if not read_spec(text).name:
        raise ParseError("a package's name, and maybe a version: pytest >=8")
    return text


ARGUMENTS = ListType(
    noun="a list of arguments", example='["-k", "not slow"]', unique=False,
    item=ScalarType(noun="an argument", example="-k"),
)  # fmt: skip
EXIT_CODES = ListType(
    noun="a list of exit codes", example="[1]", at_least_one=True,
    item=ScalarType(noun="an exit code", example="1", parse=int, pattern=r"^-?[0-9]{1,10}$",
        rule="digits only", number="integer"),
)  # fmt: skip
PACKAGE_LIST = ListType(noun="a list of packages", example="[hypothesis]", item=PACKAGE_NAME)
TOOLS = ListType(noun="a list of tools", example="[pytest]",
    item=ScalarType(noun="a match spec", example="pytest >=8", parse=_tool),
)  # fmt: skip
SECONDS = ScalarType(
    noun="a number of seconds", example="600", pattern=r"^[1-9][0-9]{0,4}$",
    rule="digits only, at least 1 and up to five", parse=int, number="integer",
)  # fmt: skip
SIZE = ScalarType(
    noun="a size", example="2 GiB", pattern=_SIZE, rule="a number and MB, GB, MiB or GiB", parse=_size,
    number=None,
)  # fmt: skip

_SHIPPED_TEST = RecordType(
    noun="a package with its tests",
        example="{package: toolz, modules: [toolz.tests.test_itertoolz]}",
    keys=(
        Property(name="package", required=True, example="networkx", type=PACKAGE_NAME,
            summary="The conda package that ships the tests."),
        Property(name="modules", required=True, example="[networkx.classes.tests.test_graph]",
            summary="Import names of test modules.",
            type=ListType(noun="a list of modules", example="[toolz.tests.test_itertoolz]",
                at_least_one=True,
                item=ScalarType(noun="a module", example="toolz.tests.test_itertoolz",
                    parse=value_parsers.module, pattern=value_parsers.MODULE, number=None))),
        Property(name="needs", default=[], example="[hypothesis]",
            summary="Other packages without which the tests do not run.",
            type=ListType(noun="a list of packages", example="[hypothesis]", item=PACKAGE_NAME)),
        Property(name="arguments", default=[], example='["-k", "not slow"]', type=ARGUMENTS,
            summary="More options of pytest."),
    ),
)  # fmt: skip
SHIPPED_TESTS = DocumentSchema(
    name="upstream",
    noun="the suite",
    summary="Test modules that packages of the release ship.",
    page=PAGE,
    content=ListType(
        noun="a list of packages with their tests",
        example="[{package: toolz, modules: [toolz.tests.test_itertoolz]}]",
        unique=False,
        item=_SHIPPED_TEST,
    ),
)

_COMMAND = RecordType(
    noun="a command", example="{program: sqlite3, arguments: [--version]}",
    keys=(
        Property(name="name", example="version", type=label_type("a name", "version"),
            default_text="the program or the script", summary="What results call it."),
        Property(name="program", example="sqlite3", type=label_type("a program", "sqlite3"),
            default_text="Python, if there is a script", summary="A program of the release."),
        Property(name="script", example="check.py", type=file_type("a script", "check.py"),
            summary="A Python file in the suite's folder, which the release's Python runs."),
        Property(name="arguments", default=[], example='["--version"]', type=ARGUMENTS,
            summary="What it is started with, in a copy of the suite's folder."),
        Property(name="exit-codes", default=[0], example="[1]", type=EXIT_CODES,
            summary="The exit codes that count as passed."),
        Property(name="says", example='"3."', type=prose_type("a text", "3."),
            summary="A text that it must print, too."),
        Property(name="junit", example="results.xml", type=file_type("a file", "results.xml"),
            summary="The JUnit XML that it writes: each case in it is a test."),
        Property(name="packages", default=[], example="[sqlite]", type=PACKAGE_LIST,
            summary="The packages that it is about, without which it does not run."),
    ),
)  # fmt: skip

SUITE = DocumentSchema(
    name="suite",
    noun="the suite",
    summary="What a suite tests, what it needs, and who owns it.",
    page=PAGE,
    content=RecordType(
        noun="a suite", example="{title: Figures, owner: pictures}",
        keys=(
            Property(name="title", example="Figures as files", type=prose_type("a title", "Figures"),
                summary="What it tests, in a few words."),
            Property(name="owner", example="pictures", type=label_type("an owner", "pictures"),
                summary="Who acts on its failures: a name below `owners` in the manifest."),
            Property(name="kind", default="pytest", example="notebook",
                type=choice_type("a kind of suite", tuple(kind.value for kind in SuiteKind),
                    {"pytests": "pytest", "notebooks": "notebook", "commands": "command",
                        "script": "command", "shipped": "upstream", "upgrade": "lifecycle",
                        "installer": "lifecycle", "package": "packaged", "own": "packaged"},
                    parse=SuiteKind),
                summary="How its tests are run."),
            Property(name="needs", default=[], example="[matplotlib, pandas]", type=PACKAGE_LIST,
                summary="The packages without which none of its tests runs."),
            Property(name="tools", default=[], example='[pytest, "pytest-timeout >=2"]', type=TOOLS,
                summary="What its tests need and the release may lack. Then it is installed beside it."),
            Property(name="platforms", example="[linux-64]", default_text="all platforms",
                type=PLATFORM_LIST, summary="The platforms that it is for."),
            Property(name="timeout", default=120, example="600", type=SECONDS,
                summary="The seconds that one test may take; of the kind `lifecycle` each step, and 900 by "
                    "default."),
            Property(name="memory", example="2 GiB", type=SIZE,
                summary="The memory that all processes of one file, command or notebook may have."),
            Property(name="disk", default_text="4 GB", example="500 MB", type=SIZE,
                summary="The disk space that their files may take."),
            Property(name="network", default=False, example="true", type=FLAG,
                summary="Whether its tests need a network. Otherwise they have loopback only."),
            Property(name="tests", default_text="none", example="[{package: toolz, modules: [toolz.tests]}]",
                type=ListType(noun="a list of packages with their tests", unique=False,
                    example="[{package: toolz, modules: [toolz.tests]}]", item=_SHIPPED_TEST),
                summary="Of the kind `upstream`: the test modules that packages ship."),
            Property(name="commands", default_text="none",
                example="[{program: sqlite3, arguments: [--version]}]",
                type=ListType(noun="a list of commands", unique=False,
                    example="[{program: sqlite3, arguments: [--version]}]", item=_COMMAND),
                summary="Of the kind `command`: the programs that are started."),
            Property(name="packages", default_text="all packages", example="[numpy, pandas]",
                type=PACKAGE_LIST,
                summary="Of the kind `packaged`: the packages whose own tests are run."),
            Property(name="compare", default=False, example="true", type=FLAG,
                summary="Of the kind `notebook`: whether outputs must be those that are saved in it. "
                    "A cell with the tag `any-output` may have others."),
        ),
    ),
)  # fmt: skip
