"""Errata of a tiny distribution, and locks that they are true of."""

from collections.abc import Mapping
from pathlib import Path

from cuvee.conda.package_record import LockedPackage
from cuvee.errata.errata_checks import check_erratum
from cuvee.errata.errata_folder import read_erratum
from cuvee.errata.model import CheckedErratum, KnownRelease, Publisher
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.pixi_lock import write_lock
from cuvee.manifest.model import ReleaseVersion

Contents = Mapping[str, Mapping[str, str]]
"""The versions of packages, by platform."""
PUBLISHER = Publisher(name="Example Labs", url="https://example.org/errata", contact="security@example.org")
PUBLISHER_TEXT = "name: Example Labs\nurl: https://example.org/errata/\ncontact: security@example.org\n"
ERRATUM = """\
number: tiny-2026-1
distribution: tiny
title: Entities in zlab <b>are read twice</b>
severity: high
date: 2026-11-27
summary: |
  zlab reads some entities twice.

  A file can fill the memory of a program that reads it.
packages:
  zlab: {affected: "<1.3", fixed: ">=1.3"}
affected-releases: ["2026.10.0"]
fixed-releases: ["2026.10.1"]
cves: [CVE-2026-12345]
workaround: Read no files of other people.
links: [https://example.org/issues/7]
revisions:
  - {date: 2026-12-02, summary: States the workaround}
"""
OLD, NEW = {"zlab": "1.2", "six": "1.17"}, {"zlab": "1.3", "six": "1.17"}
BOTH = {"linux-64": OLD, "win-64": OLD}
FIXED = {"linux-64": NEW, "win-64": NEW}


def package(name: str, version: str, platform: str) -> LockedPackage:
    """Return a package; what follows a blank in its version is its build."""
    version, _, build = version.partition(" ")
    build = build or "0"
    return LockedPackage(
        name=name, version=version, build=build, build_number=0, platform=platform, subdir=platform,
        url=f"channel/{platform}/{name}-{version}-{build}.conda", channel="channel", sha256="0" * 64,
    )  # fmt: skip


def lock(contents: Contents) -> Lock:
    """Return a lock from the versions of packages by platform."""
    return Lock(
        platforms=tuple(
            PlatformLock(
                platform=platform,
                packages=tuple(package(name, version, platform) for name, version in sorted(names.items())),
                virtual_packages=(),
            )
            for platform, names in contents.items()
        )
    )


def known(releases: Mapping[str, Contents | str], distribution: str = "tiny") -> tuple[KnownRelease, ...]:
    """Return releases by number, with their packages or with why there is no lock."""
    return tuple(
        KnownRelease(
            distribution=distribution,
            version=ReleaseVersion.parse(number),
            lock=None if isinstance(contents, str) else lock(contents),
            problem=contents if isinstance(contents, str) else "",
        )
        for number, contents in releases.items()
    )


def checked(folder: Path, text: str, releases: Mapping[str, Contents | str]) -> CheckedErratum:
    """Return an erratum, read from a file, with what releases say of it."""
    path = folder / f"{text.splitlines()[0].removeprefix('number: ')}.yaml"
    path.write_text(text, encoding="utf-8")
    read = read_erratum(path)
    assert read is not None
    return check_erratum(read[0], known(releases))


def write_repository(folder: Path, releases: Mapping[str, Contents], *texts: str) -> Path:
    """Write a folder of errata, and below ``dist`` the locks of releases; return the folder of errata."""
    errata = folder / "errata"
    errata.mkdir()
    (errata / "publisher.yaml").write_text(PUBLISHER_TEXT, encoding="utf-8")
    for text in texts:
        number = text.splitlines()[0].removeprefix("number: ")
        (errata / f"{number}.yaml").write_text(text, encoding="utf-8")
    for version, contents in releases.items():
        path = folder / "dist" / f"tiny-{version}" / "lock" / "pixi.lock"
        write_lock(lock(contents), path, channels=(), own_channel=f"https://example.org/{version}")
    return errata
