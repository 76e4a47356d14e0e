"""The largest package that there may be: more than 4 GiB in its gzip stream, a little less in its file.

It takes minutes and 16 GB of disk, so it is made only where ``CUVEE_LARGE`` is set.
"""

import os
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee import process
from cuvee.files import sha256_file
from cuvee.installers.naming import installer_name
from cuvee.installers.pkg.bom import LARGEST
from cuvee.installers.pkg.build import build_pkg
from cuvee.installers.sh import build_sh
from cuvee.progress import SILENT
from installers.pkg.images import fake_image
from installers.pkg.readers import read_bom
from needed_programs import HANGING, needed

MEMORY = 64 << 20
MARK = 256 << 20

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not os.environ.get("CUVEE_LARGE"), reason="takes minutes and 16 GB of disk: set CUVEE_LARGE=1 for it"
    ),
]


def run(*argv: str | Path) -> None:
    done = process.run(process.Request(argv=tuple(map(str, argv)), timeout=HANGING))
    assert done.ok, f"{done.request.line}\n{done.stdout}{done.stderr}"


def test_the_largest_package_is_read_by_others(tmp_path: Path) -> None:
    bsdtar = needed("bsdtar")
    seven = needed("7z")
    image = fake_image(tmp_path / "image")
    script = tmp_path / installer_name(image, "sh")
    header = build_sh(image, license_text="", target=script, reporter=SILENT).stat().st_size
    # Its numbers get a few digits more, so some bytes are left free; cpio's own names take more than those.
    with image.payload.open("r+b") as stream:
        stream.truncate(image.payload.stat().st_size + LARGEST - header - 60)
        for place in range(MARK, image.payload.stat().st_size, MARK):
            stream.seek(place)
            stream.write(place.to_bytes(8))
    image = replace(image, payload_sha256=sha256_file(image.payload))
    digest = sha256_file(build_sh(image, license_text="", target=script, reporter=SILENT))
    assert LARGEST - 60 <= script.stat().st_size <= LARGEST
    script.unlink()

    tracemalloc.start()
    try:
        package = build_pkg(
            image,
            identifier="org.example.tiny",
            license_text="",
            welcome_text="",
            target=tmp_path / "Tiny.pkg",
            reporter=SILENT,
        )
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()

    image.payload.unlink()
    run(seven, "t", package)
    run(bsdtar, "-xf", package, "-C", tmp_path)
    package.unlink()
    folder = tmp_path / "tiny.pkg"
    payload = folder / "Payload"
    with payload.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        assert int.from_bytes(stream.read(), "little") < MEMORY, "gzip has counted past 4 GiB"
    assert (
        read_bom((folder / "Bom").read_bytes()).full()["./.tiny-installer/installer.sh"].size > LARGEST - 61
    )
    run("gzip", "-t", payload)
    run(bsdtar, "-xf", payload, "-C", tmp_path)
    assert sha256_file(tmp_path / ".tiny-installer" / "installer.sh") == digest
