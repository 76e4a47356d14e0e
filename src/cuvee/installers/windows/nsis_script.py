"""The NSIS script of an `.exe`, with the texts that its window shows."""

import os
import re
from importlib.resources import files as resource_files
from pathlib import Path

from cuvee.image.model import SOURCE_TIME, Image
from cuvee.installers.branding import Branding
from cuvee.installers.jinja_templates import nsis_inner, render
from cuvee.installers.naming import display_name, installer_name
from cuvee.installers.windows.osslsigncode import Osslsigncode

_MAX_PATH, _STAGED_NAME = 259, len("..cuvee-1234567890.partial\\")
"""The limit of Windows for paths, and the characters that the staging folder adds to the prefix's name."""

_FULL_LINE = 60
"""A line of a licence with so many characters continues in the next one."""
_LIST_ITEM = re.compile(r"\w{1,3}[.)]\s")


def uninstaller_name(image: Image) -> str:
    """Return the name of the uninstaller in the prefix: ``Uninstall-Starter.exe``."""
    return f"Uninstall-{display_name(image.label.distribution)}.exe"


def write_script(
    image: Image, branding: Branding, folder: Path, compressor: str, signer: Osslsigncode | None
) -> None:
    """Write ``installer.nsi`` and the files that it needs to ``folder``, beside ``stage``."""
    pictures = {
        "icon.ico": branding.icon,
        "welcome.bmp": branding.welcome_picture,
        "header.bmp": branding.header_picture,
    }
    plain = resource_files("cuvee.installers.windows").joinpath("pictures")
    for name, picture in pictures.items():
        (folder / name).write_bytes((picture or plain.joinpath(name)).read_bytes())
        os.utime(folder / name, (SOURCE_TIME, SOURCE_TIME))  # NSIS stores it with the picture
    if branding.license_text.strip():
        # With a byte order mark, since NSIS reads files without one in the system's encoding.
        lines = flowing(branding.license_text.strip("\ufeff")).splitlines()
        (folder / "license.txt").write_bytes(("\ufeff" + "\r\n".join(lines) + "\r\n").encode())
    title = " ".join(image.label.title.split())
    stage = folder / "stage"
    longest = max(len(path.relative_to(stage).as_posix()) for path in stage.rglob("*"))
    values = {
        "label": f"{title} {image.label.version}",
        "title": title,
        "version": image.label.version,
        "name": display_name(image.label.distribution),
        "distribution": image.label.distribution,
        "publisher": branding.publisher or title,
        "four_numbers": ".".join([*re.findall(r"\d+", image.label.version), *"0000"][:4]),
        "compressor": compressor,
        "welcome": branding.welcome,
        "has_license": bool(branding.license_text.strip()),
        "needed_kb": image.size_on_disk // 1024,
        "interpreter": image.interpreter.replace("/", "\\"),
        "manifest_sha256": image.manifest_sha256,
        "longest_folder": _MAX_PATH - _STAGED_NAME - longest,
        "uninstaller": uninstaller_name(image),
        "file_name": installer_name(image, "exe"),
        "register_default": int(image.settings.register_python),
        "keep_default": int(image.settings.keep_installer),
        "default_me": _folder(image.settings.default_prefix, f"$PROFILE\\{image.label.distribution}"),
        "default_all": _folder(
            image.settings.default_prefix_all_users,
            f"$PROGRAMFILES64\\{display_name(image.label.distribution)}",
        ),
        "signer": None if signer is None else signer.command(),
    }
    (folder / "installer.nsi").write_bytes(render("windows/nsi/installer.nsi.j2", values))


def flowing(text: str) -> str:
    """Join the lines of each paragraph, since a window wraps lines itself.

    Short lines, indented lines and list items remain lines of their own.
    """
    lines: list[str] = []
    full = False
    for line in text.splitlines():
        if full and line[:1].isalnum() and _LIST_ITEM.match(line) is None:
            lines[-1] += f" {line}"
        else:
            lines.append(line)
        full = len(line) >= _FULL_LINE and not line.startswith(" ")
    return "\n".join(lines)


def _folder(written: str, default: str) -> str:
    """Return a folder as an NSIS string; ``%NAME%`` in ``written`` is an environment variable."""
    if not written:
        return f'"{default}"'
    return '"' + re.sub(r"%(\w+)%", r"$%\1%", nsis_inner(written)) + '"'
