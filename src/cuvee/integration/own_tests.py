"""How a conda package is tested by its own recipe, as far as the archive says so.

rattler-build and cuvee write ``info/tests/tests.yaml``, and conda-build ``info/recipe/meta.yaml``:
https://rattler.build/latest/testing/ and
https://docs.conda.io/projects/conda-build/en/stable/resources/define-metadata.html#test-section.
"""

import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.utils import canonicalize_name

from cuvee.integration.loose_yaml import items, member, read_loose, texts

_SHELL = set("|&;<>$`()*?{}~\n")
_LONGEST_LINE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTests:
    """What a package's own tests import, and how they start commands: `PackagePlan` has the attributes."""

    imports: tuple[str, ...] = ()
    usages: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()


def read_own_tests(files: Mapping[str, bytes]) -> OwnTests:
    """Return what a package's files below ``info/``, named relative to it, say of its tests."""
    imports: list[str] = []
    lines: list[str] = []
    needs: list[str] = []
    for test in items(read_loose(files.get("tests/tests.yaml"))):
        for python in items(member(test, "python")):
            imports += texts(member(python, "imports"))
        script = member(test, "script")
        if not member(script, "interpreter"):  # else these are lines of a program, not commands
            lines += texts(member(script, "content") if isinstance(script, dict) else script)
        needs += texts(member(member(test, "requirements"), "run"))
    recipe = member(read_loose(files.get("recipe/meta.yaml")), "test")
    imports = imports or list(texts(member(recipe, "imports")))
    lines += texts(member(recipe, "commands"))
    needs += texts(member(recipe, "requires"))
    return OwnTests(
        # They become arguments of a program, so they must be names and nothing else.
        imports=tuple(
            name for name in dict.fromkeys(imports) if all(part.isidentifier() for part in name.split("."))
        ),
        usages=_usages(lines),
        needs=tuple(dict.fromkeys(canonicalize_name(text.split()[0]) for text in needs if text.split())),
    )


def _usages(lines: Iterable[str]) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return the arguments of commands in lines that need no shell."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for line in (part for text in lines for part in text.splitlines()):
        if len(line) > _LONGEST_LINE or _SHELL.intersection(line):
            continue
        try:
            command, *arguments = shlex.split(line, comments=True) or [""]
        except ValueError:
            continue
        found[command.removesuffix(".exe")].append(tuple(arguments))
    return {command: tuple(dict.fromkeys(ways)) for command, ways in found.items() if command}
