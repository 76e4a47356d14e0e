"""The embeddable build for Windows, laid out as conda's python, and its signature."""

import hashlib
import io
import os
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from cuvee.channel.interpreter.authenticode import check_output, check_signer
from cuvee.channel.interpreter.embeddable_build import (
    EmbeddableBuild,
    embedded_files,
    pinned_builds,
    windows_content,
)
from cuvee.channel.interpreter.index_download import PinnedFile
from cuvee.errors import IntegrityError

PINNED = PinnedFile(project="thing", name="thing-1.tar.gz", sha256="0" * 64, size=1)


def test_the_pins_are_of_one_build_per_minor() -> None:
    builds = pinned_builds()
    assert [build.minor for build in builds] == ["3.11", "3.12", "3.13"]
    for build in builds:
        assert build.version.startswith(f"{build.minor}.")
        assert re.fullmatch("[0-9a-f]{64}", build.member_sha256)
        assert re.fullmatch("[0-9a-f]{64}", build.file.sha256)


def _zip(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _sdist(tmp_path: Path, files: dict[str, bytes], *, sha256: str = "") -> tuple[Path, EmbeddableBuild]:
    data = _zip(files)
    path = tmp_path / "thing-1.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("thing/data.zip")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    build = EmbeddableBuild(
        minor="3.11", version="3.11.9", file=PINNED, member="thing/data.zip",
        member_sha256=sha256 or hashlib.sha256(data).hexdigest(), folder="cp311",
    )  # fmt: skip
    return path, build


EMBEDDED = {
    "cp311/python.exe": b"exe", "cp311/pythonw.exe": b"w", "cp311/python3.dll": b"3",
    "cp311/python311.dll": b"311", "cp311/vcruntime140.dll": b"vc",
    "cp311/_ssl.pyd": b"pyd", "cp311/libssl-3.dll": b"ssl",
    "cp311/python311._pth": b"isolated", "cp311/LICENSE.txt": b"PSF", "cp311/python.cat": b"catalogue",
    "cp311/python311.zip": _zip({"os.pyc": b"os", "json/__init__.pyc": b"json", "site-packages/x.pyc": b""}),
}  # fmt: skip


def test_the_embeddable_build_is_laid_out_as_conda_does(tmp_path: Path) -> None:
    path, build = _sdist(tmp_path, EMBEDDED)
    layout = windows_content("win-64", build, embedded_files(path, build))
    assert sorted(file.path for file in layout.files) == [
        "DLLs/_ssl.pyd", "DLLs/libssl-3.dll", "Lib/json/__init__.pyc", "Lib/os.pyc", "python.exe",
        "python3.dll", "python311.dll", "pythonw.exe", "vcruntime140.dll",
    ]  # fmt: skip
    assert layout.license_files == {"LICENSE.txt": b"PSF"}
    assert layout.site_packages == "Lib/site-packages"
    assert layout.version == "3.11.9"


def test_an_embeddable_build_with_another_hash_is_refused(tmp_path: Path) -> None:
    path, build = _sdist(tmp_path, EMBEDDED, sha256="0" * 64)
    with pytest.raises(IntegrityError, match="not the expected file"):
        embedded_files(path, build)


def test_a_file_that_escapes_is_refused(tmp_path: Path) -> None:
    path, build = _sdist(tmp_path, EMBEDDED | {"cp311/../../evil.exe": b""})
    with pytest.raises(IntegrityError, match="escapes"):
        embedded_files(path, build)


def _signature(*, subject: str, calculated: str = "AB12") -> str:
    return (
        "Message digest algorithm  : SHA256\n"
        "Current message digest    : AB12\n"
        f"Calculated message digest : {calculated}\n\n"
        "Signer's certificate:\n\t------------------\n\tSigner #0:\n"
        f"\t\tSubject: {subject}\n\t\tIssuer : /C=US/O=Python Software Foundation/CN=Somebody Else\n"
    )


@pytest.mark.parametrize(
    "subject",
    [
        "/C=US/ST=Oregon/L=Beaverton/O=Python Software Foundation/CN=Python Software Foundation",
        "C = US, ST = Oregon, O = Python Software Foundation, CN = Python Software Foundation",
    ],
)
def test_the_foundations_signature_is_accepted(subject: str) -> None:
    check_output(_signature(subject=subject), "python.exe")


OLD = """\
#!/bin/sh
if [ "$2" = --help ]; then echo 'Usage: osslsigncode verify [ -in ] <infile>'; exit 1; fi
if [ "$2" != -in ]; then echo "Unknown option: $2"; exit 1; fi
echo "$TEXT"
"""
"""osslsigncode 2.5, as far as it is asked."""


@pytest.mark.real
def test_an_older_osslsigncode_is_asked_with_the_options_that_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 12's does not know `-ignore-crl`: the whole of Windows' Python was called damaged."""
    tool, file = tmp_path / "osslsigncode", tmp_path / "python.exe"
    tool.write_text(OLD)
    tool.chmod(0o755)
    file.write_bytes(b"MZ")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("TEXT", _signature(subject="/O=Python Software Foundation/CN=x"))
    assert check_signer([file]) == (
        "signed by the Python Software Foundation, verified up to this machine's authorities"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            _signature(subject="/O=Python Software Foundation/CN=x", calculated="AB13"),
            "does not match its signature",
        ),
        (_signature(subject="/O=Mallory/CN=Python Software Foundation"), "signed by Mallory"),
        (_signature(subject="/CN=Python Software Foundation"), "signed by an unknown signer"),
        ("No signature found", "reads no signature of python.exe, and says: No signature found"),
        ("\nUnknown option: -x\n\nUsage: osslsigncode\n", "and says: Unknown option: -x"),
    ],
)
def test_a_change_or_another_signer_is_refused(text: str, message: str) -> None:
    with pytest.raises(IntegrityError, match=message):
        check_output(text, "python.exe")
