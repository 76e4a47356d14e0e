"""Says which release an environment is, and which packages were added, changed or removed since.

Everything is read from the environment itself: what its installer or the metapackage of the release has
written, conda's records, and the metadata of Python projects. Standard library only; nothing is written, and
there is no network, unless ``--newer`` names a channel on another machine.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

DISTRIBUTION = "starter"
METAPACKAGES = (DISTRIBUTION, f"{DISTRIBUTION}-base", f"{DISTRIBUTION}-constraints")
"""Packages by which conda keeps an environment on a release; the first and the last name all of it."""

SECONDS, MOST = 30, 256 << 20
"""After which a channel is given up, and bytes of its repodata."""

_NAME = re.compile(r"[-_.]+")
_VERSION = re.compile(r"\d{1,9}(?:\.\d{1,9}){1,4}")
_EXACT = re.compile(r"([^\s=]+) +==([^\s=]+) +([^\s=]+)")
_LINES = """\
starter-info                                           this environment
starter-info --json --prefix /opt/starter              another one, as JSON
starter-info --newer https://packages.example.org/channel   is there a newer patch of this release?
"""


class ChannelError(Exception):
    """A channel that cannot be read, and why."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what is known of an environment."""
    parser = argparse.ArgumentParser(
        prog="starter-info",
        description=(__doc__ or "").partition("\n")[0],
        epilog=f"examples:\n{_LINES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--prefix", type=Path, default=Path(sys.prefix), help="another environment")
    parser.add_argument(
        "--newer",
        metavar="CHANNEL",
        help="look for a newer patch of the release: a channel's URL or folder, or a repodata.json",
    )
    options = parser.parse_args(arguments)
    found = describe(options.prefix)
    if options.newer:
        try:
            found["newer"] = newer(found, options.newer)
        except ChannelError as error:
            sys.stderr.write(f"starter-info: {error}\n")
            return 1
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2, sort_keys=True) + "\n")
    else:
        sys.stdout.write("\n".join(lines(found)) + "\n")
    return 0


def describe(prefix: Path) -> dict[str, Any]:
    """Return what is known of an environment, as JSON values."""
    packages = installed(prefix)
    release = release_of(prefix, packages)
    listed = release["packages"]
    expected = {name_of(stem): stem for stem in listed}
    own = {name: stem for name, stem in packages.items() if name not in METAPACKAGES}
    return {
        "prefix": str(prefix),
        "release": f"{release['distribution']}-{release['version']}" if expected else None,
        "version": str(release["version"]) if expected else None,
        "platform": release["platform"],
        "packages": len(packages),
        "added": [own[name] for name in sorted(own.keys() - expected.keys())] if expected else [],
        "removed": [expected[name] for name in sorted(expected.keys() - packages.keys())]
        if not release["may-lack"]
        else [],
        "changed": [
            {"released": expected[name], "installed": packages[name]}
            for name in sorted(expected.keys() & packages.keys())
            if expected[name] != packages[name]
        ],
        "from-pip": from_pip(prefix),
    }


def release_of(prefix: Path, packages: Mapping[str, str]) -> dict[str, Any]:
    """Return what an installer, or else a metapackage, says of the release: its packages as stems.

    With the constraints of a release alone, an environment ``may-lack`` packages of it.
    """
    marker = read_object(prefix / "conda-meta" / "cuvee" / "release.json")
    stated = marker.get("packages")
    if isinstance(stated, list) and any(isinstance(stem, str) for stem in stated):
        stems = [stem for stem in stated if isinstance(stem, str)]
        return {
            "distribution": marker.get("distribution"),
            "version": marker.get("version"),
            "platform": marker.get("platform"),
            "packages": stems,
            "may-lack": False,
        }
    whole, _, constraints = METAPACKAGES
    for name, key in ((whole, "depends"), (constraints, "constrains")):
        if name in packages:
            record = read_object(prefix / "conda-meta" / f"{packages[name]}.json")
            specs = record.get(key)
            return {
                "distribution": DISTRIBUTION,
                "version": record.get("version"),
                "platform": record.get("subdir"),
                "packages": [stem for spec in specs if (stem := stem_of(spec))]
                if isinstance(specs, list)
                else [],
                "may-lack": name == constraints,
            }
    nothing = {"distribution": None, "version": None, "packages": [], "may-lack": False}
    return {**nothing, "platform": marker.get("platform")}


def stem_of(spec: object) -> str:
    """Return name-version-build of ``name ==version build``; an empty text for another spec."""
    found = _EXACT.fullmatch(spec) if isinstance(spec, str) else None
    return "-".join(found.groups()) if found is not None else ""


def newer(found: Mapping[str, Any], channel: str) -> dict[str, Any]:
    """Return the newest patch of an environment's release in a channel, and the newest release.

    Raises
    ------
    ChannelError
        If the environment has no release, or the channel cannot be read.
    """
    here = numbers(found["version"])
    platform = found["platform"]
    if not here or not isinstance(platform, str) or not re.fullmatch(r"[a-z0-9]+-[a-z0-9_]+", platform):
        raise ChannelError(f"{found['prefix']} was not made of a release, so no patch of it is newer")
    repodata = read_repodata(channel, platform)
    known: set[tuple[int, ...]] = set()
    for key in ("packages", "packages.conda"):
        records = repodata.get(key)
        for record in records.values() if isinstance(records, dict) else ():
            if isinstance(record, dict) and record.get("name") == METAPACKAGES[0]:
                known.add(numbers(record.get("version")))
    later = sorted(version for version in known if version > here)
    patches = [version for version in later if version[:-1] == here[:-1]]
    return {
        "channel": without_password(channel),
        "patch": text_of(patches[-1]) if patches else None,
        "release": text_of(later[-1]) if later else None,
        "knows-this-release": here in known,
    }


def numbers(version: object) -> tuple[int, ...]:
    """Return the numbers of a version; none if it has anything else."""
    text = version if isinstance(version, str) else ""
    return tuple(map(int, text.split("."))) if _VERSION.fullmatch(text) else ()


def text_of(version: tuple[int, ...]) -> str:
    """Return a version as releases write it: the month has two digits."""
    return ".".join(str(part).zfill(2) if place == 1 else str(part) for place, part in enumerate(version))


def without_password(channel: str) -> str:
    """Return a URL without what logs in."""
    parts = urlsplit(channel)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.netloc else channel


def read_repodata(channel: str, platform: str) -> dict[str, Any]:
    """Return the repodata of a channel for a platform; raise `ChannelError` if it cannot be read."""
    place = channel if channel.endswith(".json") else f"{channel.rstrip('/')}/{platform}/repodata.json"
    shown = without_password(place)
    try:
        if urlsplit(place).scheme in {"http", "https"}:
            request = Request(place, headers={"User-Agent": "starter-info"})  # noqa: S310 - http and https only
            with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
                data = answer.read(MOST + 1)
        else:
            with Path(place).open("rb") as stream:
                data = stream.read(MOST + 1)
        if len(data) > MOST:
            raise ChannelError(f"{shown} has more than {MOST >> 20} MB")
        value = json.loads(data)
    except (OSError, ValueError, RecursionError) as error:
        raise ChannelError(f"{shown} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise ChannelError(f"{shown} is not the repodata of a channel")
    return value


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the same for people."""
    if found["release"] is None:
        yield f"{found['prefix']} was not made by an installer or a metapackage of a release"
        yield f"{found['packages']} packages"
    else:
        yield f"{found['release']} on {found['platform']}, {found['packages']} packages"
    yield from (f"added: {stem}" for stem in found["added"])
    yield from (f"removed: {stem}" for stem in found["removed"])
    yield from (f"changed: {item['released']} to {item['installed']}" for item in found["changed"])
    yield from (f"added with pip: {name}" for name in found["from-pip"])
    if found["release"] and not any(found[key] for key in ("added", "removed", "changed", "from-pip")):
        yield "All packages are those of the release."
    if "newer" in found:
        yield from lines_of_newer(found)


def lines_of_newer(found: dict[str, Any]) -> Iterator[str]:
    """Yield what a channel has that is newer."""
    seen = found["newer"]
    if seen["patch"] is not None:
        yield f"A newer patch: {seen['patch']}"
    elif seen["knows-this-release"]:
        yield f"No newer patch of {found['version']} in {seen['channel']}"
    else:
        yield f"{seen['channel']} has neither {found['release']} nor a newer patch of it"
    if seen["release"] not in {None, seen["patch"]}:
        yield f"A newer release: {seen['release']}"


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
