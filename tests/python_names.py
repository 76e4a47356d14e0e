"""Names that two files or two public classes share: ``python tests/python_names.py [PACKAGE]``."""

import ast
import sys
from collections import defaultdict
from pathlib import Path

from python_sources import SOURCE, parsed, python_files

# Files that may share a name: the sameness is the point.
FAMILIES = {"__init__.py", "__main__.py", "model.py", "build.py"}


def shared_file_names(package: Path = SOURCE) -> dict[str, list[str]]:
    """Return file names that several files of a package have, with the paths of these files.

    Not counted are `FAMILIES` and the commands in ``cli/``, which are called as what they run.
    """
    paths: dict[str, list[str]] = defaultdict(list)
    for path in python_files(package):
        inside = path.relative_to(package)
        if path.name not in FAMILIES and inside.parts[0] != "cli":
            paths[path.name].append(inside.as_posix())
    return {name: found for name, found in sorted(paths.items()) if len(found) > 1}


def shared_class_names(package: Path = SOURCE) -> dict[str, list[str]]:
    """Return names that several public classes at module level have, with the paths of their files."""
    paths: dict[str, list[str]] = defaultdict(list)
    for path in python_files(package):
        for node in parsed(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                paths[node.name].append(path.relative_to(package).as_posix())
    return {name: found for name, found in sorted(paths.items()) if len(found) > 1}


def main(arguments: list[str]) -> int:
    """List shared names in a package, by default in this repository's."""
    package = Path(arguments[0]) if arguments else SOURCE
    shared = [*shared_file_names(package).items(), *shared_class_names(package).items()]
    sys.stdout.writelines(f"{name}: {', '.join(paths)}\n" for name, paths in shared)
    sys.stdout.write(f"{len(shared)} left\n")
    return 1 if shared else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
