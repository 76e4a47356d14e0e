"""The tests that a conda package carries: what rattler-build and conda-build have written of its recipe.

rattler-build writes ``info/tests/tests.yaml``, https://rattler.build/latest/testing/, and conda-build
``info/test/run_test.*`` with ``test_time_dependencies.json``,
https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html#test-section.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from cuvee.files import parse_json
from cuvee.integration.loose_yaml import items, member, read_loose, read_strict, texts

RATTLER_FILE = "tests/tests.yaml"
RECIPE_FILE = "recipe/meta.yaml"
NEEDS_FILE = "test/test_time_dependencies.json"
_RUN_FILES = {".py": "python", ".sh": "bash", ".bat": "cmd", ".pl": "perl", ".r": "rscript", ".lua": "lua"}
TEST_FILES = (
    RATTLER_FILE,
    RECIPE_FILE,
    NEEDS_FILE,
    *(f"test/run_test{ending}" for ending in _RUN_FILES),
)
"""The files of ``info/`` that say which tests there are."""

SECTIONS = ("include", "bin", "lib", "site_packages", "files")
_MOST = 200
_NOT_IN_NAMES = re.compile(r"^\s+|[^a-z0-9._-].*", re.DOTALL)
_USES = {
    "perl": ("uses", "use {};"),
    "r": ("libraries", "library({})"),
    "ruby": ("requires", "require '{}'"),
}
"""Where a test of another language has its modules, and how such a language loads one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedTest:
    """One test of a package.

    ``requires`` are match specs of what must be installed for it besides. ``unsupported`` says why nothing
    here runs it; ``broken`` why nothing can.
    """

    name: str
    requires: tuple[str, ...] = ()
    unsupported: str = ""
    broken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsTest(CarriedTest):
    """Modules that must import; with ``pip_check`` the requirements of what is installed must be met, too.

    It is for the versions ``pythons``, such as ``3.12``, or for all.
    """

    imports: tuple[str, ...]
    pip_check: bool = True
    pythons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptTest(CarriedTest):
    """A script that must end with exit code 0.

    Attributes
    ----------
    lines
        The script, or its commands.
    file
        A file that has the script, relative to the package; empty if ``lines`` has it.
    interpreter
        Empty for the shell of the platform.
    cwd
        The folder with the test's files, relative to the prefix; empty if it has none there.
    beside_files
        Whether it is conda-build's, and runs in a copy of ``info/test``.
    """

    lines: tuple[str, ...] = ()
    file: str = ""
    interpreter: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    cwd: str = ""
    beside_files: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionGlobs:
    """Patterns of files that a package must have, and must not have, in one kind of folder."""

    section: str
    exists: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentsTest(CarriedTest):
    """What files the package has; if it is ``strict``, it has no others."""

    sections: tuple[SectionGlobs, ...] = ()
    strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DownstreamTest(CarriedTest):
    """The tests of another package, a match spec, must pass."""

    spec: str


def carried_tests(files: Mapping[str, bytes], *, windows: bool) -> tuple[CarriedTest, ...]:
    """Return the tests that a package carries, each with a name of its own.

    Parameters
    ----------
    files
        Those of `TEST_FILES` that it has, by their names relative to ``info/``.
    windows
        Whether they will run on Windows, for which conda-build has written another script.
    """
    found = [*_of_conda_build(files, windows=windows), *_of_rattler_build(files)]
    if not found:
        found = list(_of_recipe(files))
    if len(found) > _MOST:
        found = [CarriedTest(name="tests", broken=f"it carries {len(found):,} tests")]
    return tuple(_numbered(found))


def _numbered(tests: list[CarriedTest]) -> Iterator[CarriedTest]:
    """Yield the tests with different names: of those of one kind, the second one is ``script-2``."""
    seen: Counter[str] = Counter()
    for test in tests:
        seen[test.name] += 1
        number = seen[test.name]
        yield test if number == 1 else replace(test, name=f"{test.name}-{number}")


def _of_conda_build(files: Mapping[str, bytes], *, windows: bool) -> Iterator[CarriedTest]:
    left_out = ".sh" if windows else ".bat"
    present = [ending for ending in _RUN_FILES if f"test/run_test{ending}" in files and ending != left_out]
    if not present:
        return
    try:
        stated = parse_json(files[NEEDS_FILE]) if NEEDS_FILE in files else []
    except ValueError as error:
        yield CarriedTest(name="run_test", broken=f"info/{NEEDS_FILE} cannot be read: {error}")
        return
    for ending in present:
        yield ScriptTest(
            name=f"run_test{ending}",
            file=f"info/test/run_test{ending}",
            interpreter=_RUN_FILES[ending],
            requires=tuple(texts(stated)),
            beside_files=True,
        )


def _of_recipe(files: Mapping[str, bytes]) -> Iterator[CarriedTest]:
    """Yield what a recipe tests, if the package has none of the files that it would have become."""
    test = member(read_loose(files.get(RECIPE_FILE)), "test")
    requires = tuple(texts(member(test, "requires")))
    imports = tuple(texts(member(test, "imports")))
    if imports:
        yield ImportsTest(name="imports", imports=imports, requires=requires, pip_check=False)
    commands = tuple(texts(member(test, "commands")))
    if commands:
        yield ScriptTest(name="commands", lines=commands, requires=requires)


def _of_rattler_build(files: Mapping[str, bytes]) -> Iterator[CarriedTest]:
    if RATTLER_FILE not in files:
        return
    try:
        stated = read_strict(files[RATTLER_FILE])
    except ValueError as error:
        yield CarriedTest(name="tests.yaml", broken=f"info/{RATTLER_FILE} cannot be read: {error}")
        return
    for item in items(stated) if stated is not None else ():
        yield _rattler_test(item)


def _rattler_test(item: object) -> CarriedTest:  # noqa: PLR0911 - one per kind
    """Return a test of ``tests.yaml``; its kind is the first key that names one."""
    if not isinstance(item, dict):
        return CarriedTest(name="tests.yaml", broken="it has a test that is not a mapping")
    if "python" in item:
        return _python(item["python"])
    if language := next((name for name in _USES if name in item), ""):
        return _loading(language, item[language])
    if "script" in item:
        return _script(item)
    if "package_contents" in item:
        return _contents(item["package_contents"])
    spec = item.get("downstream")
    if isinstance(spec, str):
        return DownstreamTest(name=f"downstream:{_NOT_IN_NAMES.sub('', spec)[:60]}", spec=spec)
    kinds = ", ".join(sorted(map(str, item))) or "none"
    return CarriedTest(name="unknown", unsupported=f"it is of a kind that is not known here: {kinds[:80]}")


def _loading(language: str, stated: object) -> CarriedTest:
    """Return a test that loads modules of another language."""
    key, line = _USES[language]
    return ScriptTest(
        name=language,
        lines=tuple(map(line.format, texts(member(stated, key)))),
        interpreter="rscript" if language == "r" else language,
    )


def _python(stated: object) -> CarriedTest:
    """Return a test of imports; there may be a list of them."""
    parts = list(items(stated))
    versions = [version for part in parts for version in items(member(part, "python_version"))]
    return ImportsTest(
        name="python",
        imports=tuple(name for part in parts for name in texts(member(part, "imports"))),
        pip_check=any(member(part, "pip_check") is not False for part in parts),
        pythons=tuple(str(version) for version in versions if version is not None),
    )


def _script(item: Mapping[object, object]) -> CarriedTest:
    stated = item["script"]
    content = member(stated, "content") if isinstance(stated, dict) else stated
    environment = member(stated, "env")
    requirements = item.get("requirements")
    parts = [*items(member(requirements, "run")), *items(member(requirements, "build"))]
    requires = tuple(part for part in parts if isinstance(part, str))
    odd = [part for part in parts if part is not None and not isinstance(part, str)]
    return ScriptTest(
        name="script",
        lines=tuple(texts(content)),
        file=next(texts(member(stated, "file")), ""),
        interpreter=next(texts(member(stated, "interpreter")), ""),
        environment={str(key): str(value) for key, value in environment.items()}
        if isinstance(environment, dict)
        else {},
        cwd=next(texts(member(stated, "cwd")), ""),
        requires=requires,
        unsupported=f"its requirements are of a kind that is not known here: {str(odd[0])[:80]}"
        if odd
        else "",
    )


def _contents(stated: object) -> CarriedTest:
    sections = []
    for name in SECTIONS:
        globs = member(stated, name)
        both = isinstance(globs, dict) and bool({"exists", "not_exists"} & globs.keys())
        exists = member(globs, "exists") if both else globs
        absent = member(globs, "not_exists")
        sections.append(SectionGlobs(section=name, exists=_globs(exists), absent=_globs(absent)))
    return ContentsTest(
        name="package_contents",
        sections=tuple(sections),
        strict=member(stated, "strict") is True,
    )


def _globs(stated: object) -> tuple[str, ...]:
    """Return patterns, which may be below ``include``."""
    return tuple(texts(member(stated, "include") if isinstance(stated, dict) else stated))
