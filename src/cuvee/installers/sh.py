"""The `.sh` installer: a POSIX shell script, behind it stage 0, the image's manifest, and the payload."""

import hashlib
import re
from pathlib import Path

from cuvee.errors import UsageError
from cuvee.files import replacing, writing_behind
from cuvee.image.model import Image
from cuvee.installers.jinja_templates import render
from cuvee.platforms import get
from cuvee.progress import Reporter

_BLOCK = 4096
_SPARE_KB = 50 * 1024
_CHUNK = 1 << 20
_DIGEST_LINE = re.compile(rb"^DIGEST=[0-9a-f]{64}\n", re.MULTILINE)
_NO_DIGEST = "0" * 64

_SYSTEMS = {"linux": "Linux", "osx": "Darwin"}
_MACHINES = {"x86_64": "x86_64 amd64", "aarch64": "aarch64 arm64", "arm64": "arm64 aarch64"}


def build_sh(image: Image, *, license_text: str, target: Path, reporter: Reporter) -> Path:
    """Write the installer of ``image`` to ``target``, whole or not at all, reproducibly; return ``target``.

    Raises
    ------
    UsageError
        If the image is for Windows.
    """
    platform = get(image.platform)
    if platform.system not in _SYSTEMS:
        raise UsageError(f"{platform.title} cannot run .sh installers")
    reporter.start(target.name)
    parts = (image.stage0, image.manifest, image.payload)
    header = _header(image, license_text, target.name, sum(part.stat().st_size for part in parts))
    start, end = _digest_line(header)
    digest = hashlib.sha256(header[:start] + header[end:])
    with replacing(target) as beside, beside.open("wb") as stream:
        with writing_behind(stream.write) as write:
            write(header)
            for part in parts:
                with part.open("rb", buffering=0) as source:
                    while chunk := source.read(_CHUNK):
                        write(chunk)
                        digest.update(chunk)
        stream.seek(start)
        stream.write(f"DIGEST={digest.hexdigest()}\n".encode())
    target.chmod(0o755)
    reporter.finish(target.name, note=f"{target.stat().st_size / 1e6:,.1f} MB")
    return target


def _header(image: Image, license_text: str, name: str, payload_bytes: int) -> bytes:
    """Render the header, which states its own size: it is rendered again until the size is right."""
    size = _BLOCK
    while True:
        text = _render(image, license_text, name, size, payload_bytes)
        if len(text) <= size:
            return text + b"#" * (size - len(text) - 1) + b"\n" if len(text) < size else text
        size += _BLOCK


def _render(image: Image, license_text: str, name: str, size: int, payload_bytes: int) -> bytes:
    platform = get(image.platform)
    license_lines = [line.rstrip() for line in license_text.splitlines()]
    values = {
        "title": " ".join(image.label.title.split()),
        "version": image.label.version,
        "distribution": image.label.distribution,
        "platform_title": platform.title,
        "digest": _NO_DIGEST,
        "system": _SYSTEMS[platform.system],
        "machines": _MACHINES[platform.machine],
        "glibc": image.floor.get("__glibc", "") if platform.system == "linux" else "",
        "interpreter": image.interpreter,
        "file_bytes": size + payload_bytes,
        "header_bytes": size,
        "stage0_bytes": image.stage0.stat().st_size,
        "manifest_bytes": image.manifest.stat().st_size,
        "manifest_raw": image.manifest_raw,
        "manifest_sha256": image.manifest_sha256,
        "base": image.base,
        "needed_kb": image.size_on_disk // 1024 + _SPARE_KB,
        "file_name": name,
        "initialize": image.settings.initialize.value,
        "keep_installer": image.settings.keep_installer,
        "default_prefix": _default_prefix(image.settings.default_prefix)
        or f"HOME/{image.label.distribution}",
        "root_prefix": _default_prefix(image.settings.default_prefix_all_users),
        "license_text": "\n".join(license_lines),
        "license_end": _end_marker(license_lines),
        "digest_from": 0,
        "digest_to": 0,
    }
    text = render("header/header.sh.j2", values)
    # The two numbers are behind the line to which they point, so they do not move it.
    start, end = _digest_line(text)
    return render("header/header.sh.j2", values | {"digest_from": start, "digest_to": end + 1})


def _digest_line(header: bytes) -> tuple[int, int]:
    """Return where the line with the installer's digest starts and ends."""
    match = _DIGEST_LINE.search(header)
    if match is None:
        raise AssertionError("the header has no line for its digest")
    return match.span()


def _default_prefix(written: str) -> str:
    """Return a prefix with ``HOME/`` in place of the home folder.

    Raises
    ------
    UsageError
        If it names another variable, or is relative.
    """
    found = re.sub(r"^(?:~|\$HOME|\$\{HOME\})(?=/)", "HOME", written.strip())
    if found and (not found.startswith(("/", "HOME/")) or re.search(r"[\x00-\x1f\x7f\"'$`\\:]", found)):
        raise UsageError(
            f"{written} cannot be the default prefix of a .sh installer",
            hint="It must be absolute, or begin with ~/ or $HOME/, without other variables.",
        )
    return found


def _end_marker(lines: list[str]) -> str:
    """Return the delimiter of the licence's here-document: a line that the licence does not have."""
    marker = "CUVEE_LICENSE"
    while marker in lines:
        marker += "_"
    return marker
