"""Says which release an environment is, and which packages were added, changed or removed since.

Everything is read from the environment itself: what its installer has written, conda's records, and the
metadata of Python projects. Standard library only; nothing is written, and there is no network.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

_NAME = re.compile(r"[-_.]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is known of an environment."""
    parser = argparse.ArgumentParser(prog="starter-info", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--prefix", type=Path, default=Path(sys.prefix), help="another environment")
    options = parser.parse_args(arguments)
    found = describe(options.prefix)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2, sort_keys=True) + "\n")
    else:
        sys.stdout.write("\n".join(lines(found)) + "\n")
    return 0


def describe(prefix: Path) -> dict[str, Any]:
    """Return what is known of an environment, as JSON values."""
    packages = installed(prefix)
    release = read_object(prefix / "conda-meta" / "cuvee" / "release.json")
    stated = release.get("packages")
    listed = [stem for stem in stated if isinstance(stem, str)] if isinstance(stated, list) else []
    expected = {name_of(stem): stem for stem in listed}
    return {
        "prefix": str(prefix),
        "release": f"{release.get('distribution')}-{release.get('version')}" if expected else None,
        "platform": release.get("platform"),
        "packages": len(packages),
        "added": [packages[name] for name in sorted(packages.keys() - expected.keys())] if expected else [],
        "removed": [expected[name] for name in sorted(expected.keys() - packages.keys())],
        "changed": [
            {"released": expected[name], "installed": packages[name]}
            for name in sorted(expected.keys() & packages.keys())
            if expected[name] != packages[name]
        ],
        "from-pip": from_pip(prefix),
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the same for people."""
    if found["release"] is None:
        yield f"{found['prefix']} was not made by an installer of a release"
        yield f"{found['packages']} packages"
    else:
        yield f"{found['release']} on {found['platform']}, {found['packages']} packages"
    yield from (f"added: {stem}" for stem in found["added"])
    yield from (f"removed: {stem}" for stem in found["removed"])
    yield from (f"changed: {item['released']} to {item['installed']}" for item in found["changed"])
    yield from (f"added with pip: {name}" for name in found["from-pip"])
    if found["release"] and not any(found[key] for key in ("added", "removed", "changed", "from-pip")):
        yield "All packages are those of the release."


def installed(prefix: Path) -> dict[str, str]:
    """Return name-version-build of each package that conda's records name, by its name."""
    stems = (path.name.removesuffix(".json") for path in sorted((prefix / "conda-meta").glob("*-*-*.json")))
    return {name_of(stem): stem for stem in stems}


def name_of(stem: str) -> str:
    """Return the name in name-version-build; only a name may have more hyphens."""
    return stem.rsplit("-", 2)[0]


def from_pip(prefix: Path) -> list[str]:
    """Return the Python projects, with versions, that no package of conda has brought."""
    known: set[str] = set()
    for path in (prefix / "conda-meta").glob("*-*-*.json"):
        files = read_object(path).get("files") or ()
        known.update(str(file).split("/")[-2] for file in files if str(file).endswith(".dist-info/METADATA"))
    places = [*prefix.glob("lib/python3.*/site-packages"), prefix / "Lib" / "site-packages"]
    found = {path.name for place in places for path in place.glob("*.dist-info")} - known
    projects = (name.removesuffix(".dist-info").partition("-") for name in found)
    return sorted(f"{_NAME.sub('-', name).lower()} {version}" for name, _, version in projects)


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; an empty one if there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
