"""Tests of the kind ``package_contents``: which files a package has installed. Nothing is run.

The patterns, and where each section looks, are those of
https://rattler.build/latest/testing/#testing-package-contents: globs in which ``*`` stands for any
characters, also ``/``.
"""

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from cuvee.integration.carried_tests import ContentsTest
from cuvee.platforms import Platform

_MOST_PATTERNS = 500
_ENDINGS = "{,.exe,.bat,.cmd,.com,.ps1}"
_BINARIES = ("Library/bin/", "Scripts/", "bin/", "Library/mingw-w64/bin/", "Library/usr/bin/", "")
_BRACES = re.compile(r"\{([^{}]*)\}")


def contents_problems(
    test: ContentsTest, paths: Sequence[str], platform: Platform, *, noarch_python: bool
) -> Iterator[str]:
    """Yield what a test finds wrong with a package.

    Parameters
    ----------
    paths
        Those that the package lists and has installed, as it lists them.
    """
    matched: set[str] = set()
    for section in test.sections:
        for stated in section.exists:
            for patterns in section_patterns(section.section, stated, platform, noarch_python=noarch_python):
                found = _matches(patterns, paths)
                matched |= found
                if not found:
                    yield f"{section.section}: nothing matches {', '.join(patterns)}"
        for stated in section.absent:
            for patterns in section_patterns(section.section, stated, platform, noarch_python=noarch_python):
                found = _matches(patterns, paths)
                if found:
                    yield f"{section.section}: {min(found)} must not be there: {', '.join(patterns)}"
    others = sorted(set(paths) - matched)
    if test.strict and others:
        yield f"strict: {len(others)} files match no pattern, such as {others[0]}"


def section_patterns(
    section: str, stated: str, platform: Platform, *, noarch_python: bool
) -> tuple[tuple[str, ...], ...]:
    """Return the patterns that an entry of a section stands for: of each tuple, one must match."""
    patterns: Mapping[str, Callable[[], Iterable[tuple[str, ...]]]] = {
        "include": lambda: [(f"{'Library/' if platform.is_windows else ''}include/{stated}",)],
        "bin": lambda: [_programs(stated, platform)],
        "lib": lambda: _libraries(stated, platform),
        "site_packages": lambda: [_modules(stated, platform, noarch_python=noarch_python)],
        "files": lambda: [(stated,)],
    }
    return tuple(patterns[section]())


def _programs(stated: str, platform: Platform) -> tuple[str, ...]:
    if platform.is_windows:
        return tuple(f"{folder}{stated}{_ENDINGS}" for folder in _BINARIES)
    return (f"bin/{stated}",)


def _libraries(stated: str, platform: Platform) -> Iterator[tuple[str, ...]]:
    if platform.is_windows:
        if stated.endswith(".dll"):
            yield (f"Library/bin/{stated}",)
        elif stated.endswith(".lib"):
            yield (f"Library/lib/{stated}",)
        else:
            yield (f"Library/bin/{stated}.dll",)
            yield (f"Library/lib/{stated}.lib",)
    elif platform.name.startswith("osx"):
        whole = stated.endswith((".dylib", ".a"))
        named = (f"lib/{{,lib}}{stated}.dylib", f"lib/{{,lib}}{stated}.*.dylib")
        yield (f"lib/{stated}",) if whole else named
    else:
        whole = stated.endswith((".so", ".a")) or ".so." in stated
        yield (f"lib/{stated}",) if whole else (f"lib/{{,lib}}{stated}.so", f"lib/{{,lib}}{stated}.so.*")


def _modules(stated: str, platform: Platform, *, noarch_python: bool) -> tuple[str, ...]:
    base = "Lib/site-packages" if platform.is_windows else "lib/python*/site-packages"
    base = "site-packages" if noarch_python else base
    if "/" in stated:
        return (f"{base}/{stated}",)
    path = stated.replace(".", "/")
    return (f"{base}/{path}.py", f"{base}/{path}/__init__.py")


def _matches(patterns: Iterable[str], paths: Iterable[str]) -> set[str]:
    compiled = [_compiled(part) for pattern in patterns for part in expanded(pattern)]
    return {path for path in paths if any(found.fullmatch(path) for found in compiled)}


def _compiled(pattern: str) -> re.Pattern[str]:
    """Return a glob without alternatives as a regular expression that takes linear time."""
    return re.compile(fnmatch.translate(pattern.replace("[^", "[!")))


def expanded(pattern: str) -> tuple[str, ...]:
    """Return the globs without alternatives that a glob stands for: ``{,lib}x`` is ``x`` and ``libx``.

    ``**/`` also stands for no folder at all.
    """
    pattern = re.sub(r"(?:(?<=/)|^)\*\*/", "{,**/}", pattern)
    pending, found = [pattern], dict[str, None]()
    while pending and len(found) + len(pending) <= _MOST_PATTERNS:
        pattern = pending.pop()
        braces = _BRACES.search(pattern)
        if braces is None:
            found[pattern] = None
            continue
        choices = braces[1].split(",")
        pending += [pattern[: braces.start()] + part + pattern[braces.end() :] for part in choices]
    return tuple(sorted({*found, *pending}))
