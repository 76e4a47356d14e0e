"""Cut the tiny distribution's installers of all kinds into a folder, alone: what a test runs twice.

    python installers_again.py FOLDER ISO-TIME UMASK

On standard output: the hash of each installer, as JSON.
"""

import datetime as dt
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from platform import libc_ver

from cuvee.files import sha256_file
from cuvee.image.model import Image
from cuvee.installers.pkg.build import build_pkg
from cuvee.manifest import load_manifest
from cuvee.platforms import host
from cuvee.progress import SILENT
from cuvee.release.check_stage import ArchiveAccess
from cuvee.release.image_stage import make_image
from cuvee.release.installer_stage import make_installers
from cuvee.release.pipeline import check_release
from cuvee.release.session import Options, Session
from tiny_distribution import MANIFEST


def main(root: Path, now: dt.datetime) -> dict[str, str]:
    platform = host()
    assert platform is not None
    text = MANIFEST.format(host=platform.name, glibc=libc_ver()[1])
    path = root / "manifests" / "tiny" / "2026.11.0.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text.replace("{linux: [sh]}", "{linux: [sh], win: [exe, msi]}"), encoding="utf-8")
    options = Options(dist=root / "dist", cache=root / "cache", now=now)
    session = Session(load_manifest(path, today=now.date()), options, SILENT)
    with session.workspace.locked():
        release = check_release(session, access=ArchiveAccess.REQUIRE)
        found: dict[str, str] = {}
        for lock in release.lock.platforms:
            image, _ = make_image(session, lock)
            artefacts = [item for done in make_installers(session, lock, image) for item in done.artefacts]
            found |= {item.name: item.sha256 for item in artefacts if item.not_made is None}
    # No index has an interpreter for macOS, so a package is made around the host's image.
    image = replace(
        Image.load(session.workspace.image(platform.name)), platform="osx-arm64", floor={"__osx": "11.0"}
    )
    package = build_pkg(
        image,
        identifier="org.example.tiny",
        license_text="Be kind.",
        welcome_text="",
        target=root / "Tiny.pkg",
        reporter=SILENT,
    )
    return found | {package.name: sha256_file(package)}


if __name__ == "__main__":
    os.umask(int(sys.argv[3], 8))
    print(json.dumps(main(Path(sys.argv[1]), dt.datetime.fromisoformat(sys.argv[2]))))  # noqa: T201
