"""A pool as a Debian ``Packages`` file, so that dose-debcheck can be asked the same question.

The translation, which keeps the dependency graph as it is:

- a record is a package of its conda name, numbered (``p12``), whose version is its place in the order of
  versions and builds; Debian, like conda, installs one version of a name
- a match spec is a virtual package (``v34``) that each record provides which meets it; specs with the same
  records are one; a dependency on a spec is one on its virtual package
- a ``constrains`` is a conflict with a virtual package (``u34``) that each other record of the name provides
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from cuvee import process
from cuvee.graph.solving.pool import Pool
from needed_programs import needed

PROGRAM = "dose-debcheck"


def write_packages(pool: Pool, path: Path) -> None:
    """Write ``pool`` as a Packages file."""
    clauses: dict[tuple[str, tuple[int, ...]], int] = {}
    clause_of: dict[str, int] = {}
    for spec in sorted({spec for record in pool.records for spec in (*record.depends, *record.constrains)}):
        key = (pool.name_of(spec) or spec, pool.candidates(spec))
        clause_of[spec] = clauses.setdefault(key, len(clauses))
    needed = {clause_of[spec] for record in pool.records for spec in record.depends}
    limits = {clause_of[spec] for record in pool.records for spec in record.constrains}
    provides: dict[int, list[str]] = defaultdict(list)
    for (name, numbers), clause in clauses.items():
        if clause in needed:
            for number in numbers:
                provides[number].append(f"v{clause}")
        if clause in limits:
            for number in set(pool.by_name.get(name, ())) - set(numbers):
                provides[number].append(f"u{clause}")

    def words(letter: str, specs: Iterable[str]) -> str:
        return ", ".join(dict.fromkeys(f"{letter}{clause_of[spec]}" for spec in specs))

    with path.open("w") as stream:
        for index, group in enumerate(pool.by_name.values()):
            for version, number in enumerate(reversed(group), 1):
                record = pool[number]
                fields = {
                    "Package": f"p{index}",
                    "Version": str(version),
                    "Architecture": "all",
                    "Depends": words("v", record.depends),
                    "Conflicts": words("u", record.constrains),
                    "Provides": ", ".join(provides[number]),
                }
                stream.writelines(f"{key}: {value}\n" for key, value in fields.items() if value)
                stream.write("\n")


def broken(path: Path, *, timeout: float = 3600) -> tuple[int, float]:
    """Ask dose-debcheck how many packages of a file cannot be installed; give that, and the seconds."""
    argv = (needed(PROGRAM), "-tdeb", "--deb-native-arch=amd64", str(path))
    done = process.run(process.Request(argv=argv, timeout=timeout))
    counts = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("broken-packages:")]
    assert counts, done.stderr
    return int(counts[0]), done.seconds
