"""Reading a `.sh` or `.exe` that cuvee has made: where its parts are, and what is in them."""

import gzip
import hashlib
import io
import json
import re
import shlex
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee import codec
from cuvee.errors import IntegrityError, UsageError
from cuvee.files import sha256_bytes
from cuvee.image.delta_payload import WholeImage
from cuvee.image.settings import InstallerSettings
from cuvee.runtime import payload_manifest
from cuvee.runtime.decompression import decompress
from cuvee.runtime.delta_frames import read_index
from cuvee.runtime.failure import InstallError
from cuvee.runtime.windows.exe_container import open_container

_HEAD = 1 << 20
_CHUNK = 1 << 20
_DIGEST = re.compile(rb"^DIGEST=([0-9a-f]{64})\n", re.MULTILINE)
_VALUE = re.compile(r"^([A-Z0-9_]+)=(.*)$", re.MULTILINE)
_LICENSE = re.compile(r"^license\(\) \{\n    cat <<'(\w+)'\n(.*?)\n\1\n\}$", re.MULTILINE | re.DOTALL)
_NUMBERS = ("HEADER_BYTES", "STAGE0_BYTES", "MANIFEST_BYTES", "MANIFEST_RAW")


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeInstaller:
    """An installer with all of a release.

    Attributes
    ----------
    license_text
        The licence that it shows; empty for an `.exe`, as is ``floor``.
    floor
        The virtual packages that it needs.
    """

    image: WholeImage
    settings: InstallerSettings
    license_text: str
    floor: Mapping[str, str]

    @property
    def platform(self) -> str:
        """The platform that it is for."""
        return self.image.manifest.platform


def read_installer(path: Path) -> WholeInstaller:
    """Return what an installer holds, once its own hash is right.

    Raises
    ------
    UsageError
        If it is not a `.sh` or `.exe` that cuvee has made, or is a delta.
    IntegrityError
        If it is damaged.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(_HEAD)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    try:
        found = _read_exe(path) if head.startswith(b"MZ") else _read_sh(path, head)
    except InstallError as error:
        raise IntegrityError(
            f"{path}: {error.message}", hint="Copy it again from where it was made."
        ) from error
    if read_index(str(path), found.image.payload_at) is not None:
        raise UsageError(f"{path} is a delta", hint="Name the whole installer, or the release folder.")
    return found


def _read_sh(path: Path, head: bytes) -> WholeInstaller:
    stated = _DIGEST.search(head)
    numbers = dict(_VALUE.findall(head.decode(errors="replace")))
    if stated is None or not all(numbers.get(name, "").isdigit() for name in _NUMBERS):
        raise _foreign(path)
    if _digest(path, stated) != stated[1].decode():
        raise IntegrityError(f"{path} is damaged", hint="Copy it again from where it was made.")
    header, stage0, size, raw = (int(numbers[name]) for name in _NUMBERS)
    text = head[:header].decode()
    values = dict(_VALUE.findall(text))
    with path.open("rb") as stream:
        stream.seek(header)
        archive, data = stream.read(stage0), stream.read(size)
    image = WholeImage(
        manifest=payload_manifest.load(data, raw, values["MANIFEST_SHA256"]),
        data=data,
        manifest_raw=raw,
        installer=path,
        payload_at=header + stage0 + size,
        stage0=_files_of(archive),
    )
    glibc = "".join(shlex.split(values.get("GLIBC", "")))
    license_text = _LICENSE.search(text)
    return WholeInstaller(
        image=image,
        settings=_settings(data, raw),
        license_text=license_text[2] if license_text is not None else "",
        floor={"__glibc": glibc} if glibc else {},
    )


def _read_exe(path: Path) -> WholeInstaller:
    try:
        container = open_container(str(path), check=False)
    except InstallError:
        raise _foreign(path) from None
    open_container(str(path))
    with path.open("rb") as stream:
        stream.seek(container.manifest_at)
        data = stream.read(container.manifest_size)
    image = WholeImage(
        manifest=payload_manifest.load(data, container.manifest_raw, sha256_bytes(data)),
        data=data,
        manifest_raw=container.manifest_raw,
        installer=path,
        payload_at=container.manifest_at + container.manifest_size,
        stage0={},
    )
    settings = _settings(data, container.manifest_raw)
    return WholeInstaller(image=image, settings=settings, license_text="", floor={})


def _foreign(path: Path) -> UsageError:
    return UsageError(
        f"{path} is no installer that cuvee has made", hint="Name the .sh or .exe of a release."
    )


def _files_of(stage0: bytes) -> dict[str, bytes]:
    """Return the files of a stage 0 by path."""
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(stage0))) as tar:
        members = ((member.name, tar.extractfile(member)) for member in tar if member.isfile())
        return {name: stream.read() for name, stream in members if stream is not None}


def _settings(manifest: bytes, raw: int) -> InstallerSettings:
    return codec.decode(InstallerSettings, json.loads(decompress(manifest, raw))["settings"])


def _digest(path: Path, stated: re.Match[bytes]) -> str:
    """Return the SHA-256 of a file without the line that states it."""
    hashed = hashlib.sha256()
    with path.open("rb") as stream:
        hashed.update(stream.read(stated.start()))
        stream.seek(stated.end())
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
    return hashed.hexdigest()
