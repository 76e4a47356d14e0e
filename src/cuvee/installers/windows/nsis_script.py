"""The NSIS script of an `.exe`, with the texts that its window shows."""

import os
import re
from importlib.resources import files as resource_files
from pathlib import Path

from cuvee.image.model import SOURCE_TIME, Image
from cuvee.installers.branding import Branding
from cuvee.installers.naming import display_name, installer_name
from cuvee.installers.windows.osslsigncode import Osslsigncode

_MAX_PATH, _STAGED_NAME = 259, len("..cuvee-1234567890.partial\\")
"""The limit of Windows for paths, and the characters that the staging folder adds to the prefix's name."""

_SHOWN = 900
"""Characters of the help in a window: a string of NSIS has at most 1,024, and each line gets one more."""

_FULL_LINE = 60
"""A line of a licence with so many characters continues in the next one."""
_LIST_ITEM = re.compile(r"\w{1,3}[.)]\s")


def uninstaller_name(image: Image) -> str:
    """Return the name of the uninstaller in the prefix: ``Uninstall-Starter.exe``."""
    return f"Uninstall-{display_name(image.label.distribution)}.exe"


def _longest(folder: Path) -> int:
    return max(len(path.relative_to(folder).as_posix()) for path in folder.rglob("*"))


def write_script(
    image: Image, branding: Branding, folder: Path, compressor: str, signer: Osslsigncode | None
) -> None:
    """Write ``installer.nsi`` and the files that it needs to ``folder``, beside ``stage``."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cuvee.installers.windows", "nsi"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - NSIS's quoting is done by `nsis`
    )
    environment.filters["nsis"] = lambda text: f'"{nsis_inner(text)}"'
    environment.filters["nsis_inner"] = nsis_inner
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
    usage = _usage(image)
    values = {
        "label": f"{title} {image.label.version}",
        "title": title,
        "version": image.label.version,
        "name": display_name(image.label.distribution),
        "distribution": image.label.distribution,
        "publisher": branding.publisher or title,
        "four_numbers": ".".join([*re.findall(r"\d+", image.label.version), *"0000"][:4]),
        "compressor": compressor,
        "welcome": _welcome(branding, f"{title} {image.label.version}"),
        "upgrade": _upgrade(f"{title} {image.label.version}"),
        "finish": _finish(image, f"{title} {image.label.version}"),
        "has_license": bool(branding.license_text.strip()),
        "needed_kb": image.size_on_disk // 1024,
        "interpreter": image.interpreter.replace("/", "\\"),
        "manifest_sha256": image.manifest_sha256,
        "longest_folder": _MAX_PATH - _STAGED_NAME - _longest(folder / "stage"),
        "uninstaller": uninstaller_name(image),
        "usage": usage.splitlines(),
        "usage_short": usage[:_SHOWN].rpartition("\n")[0],
        "register_default": int(image.settings.register_python),
        "default_me": _folder(image.settings.default_prefix, f"$PROFILE\\{image.label.distribution}"),
        "default_all": _folder(
            image.settings.default_prefix_all_users,
            f"$PROGRAMFILES64\\{display_name(image.label.distribution)}",
        ),
        "signer": None if signer is None else signer.command(),
    }
    text = environment.get_template("installer.nsi.j2").render(values)
    (folder / "installer.nsi").write_text(text, encoding="utf-8")


def nsis_inner(text: str) -> str:
    """Quote a text for the inside of an NSIS string with double quotes."""
    special = {"$": "$$", '"': '$\\"', "\r": "", "\n": "$\\r$\\n", "\t": "$\\t"}
    return "".join(special.get(character, character) for character in text)


def _welcome(branding: Branding, label: str) -> str:
    if branding.welcome:
        return branding.welcome
    where = "It needs no network. All of it goes into one folder, which you can choose."
    return f"This installs {label}.\n\n{where}"


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


def _upgrade(label: str) -> str:
    """Return the text of the page before an upgrade, as an NSIS string."""
    head = nsis_inner(f"{label} will replace the release in")
    kept = "Earlier choices stay the same: the users, PATH, registration and shortcuts."
    files = "So do the files that you have made there."
    return f'"{head}$\\r$\\n$INSTDIR$\\r$\\n$\\r$\\n{kept} {files}"'


def _finish(image: Image, label: str) -> str:
    """Return the text of the last page, as an NSIS string with the variable ``$INSTDIR``."""
    command = f"{image.label.distribution}-admin"
    after = f"In its folder Scripts, {command} verifies it, rolls an upgrade back, and removes it."
    return f'"{nsis_inner(label)} was installed in$\\r$\\n$INSTDIR$\\r$\\n$\\r$\\n{nsis_inner(after)}"'


def _folder(written: str, default: str) -> str:
    """Return a folder as an NSIS string; ``%NAME%`` in ``written`` is an environment variable."""
    if not written:
        return f'"{default}"'
    return '"' + re.sub(r"%(\w+)%", r"$%\1%", nsis_inner(written)) + '"'


def _usage(image: Image) -> str:
    return f"""\
{installer_name(image, "exe")} [/S] [options] [/D=FOLDER]

/S  silent: ask nothing; the licence counts as accepted
/InstallationType=JustMe|AllUsers  (JustMe)
/AddToPath=0|1  put it on PATH, just for me (0)
/RegisterPython=0|1  let editors and launchers list it ({int(image.settings.register_python)})
/NoShortcuts=0|1  make none in the Start menu (0)
/NoScripts=0|1  do not run the distribution's own scripts (0)
/NoRegistry=0|1  do not write to the registry (0)
/NoProgram=0|1  do not list it among the programs that can be removed (0)
/KeepInstaller=0|1  leave a copy of this file there, for repairs ({int(image.settings.keep_installer)})
/NoKeep=0|1  an upgrade does not keep the older release (0)
/Force=0|1  also replace the same or a newer release (0)
/key=KEY  only if signed by that public key: 64 hex digits, or a PEM file
/newkey=0|1  upgrade also a release signed by another key (0)
/LOG=FILE  write the log to that file
/D=FOLDER  install into that folder; must be the last option

For an installed release in that folder:
/repair  restore what is changed or missing
/uninstall  remove the release

These install nothing; /json prints JSON, /OUTPUT=FILE writes to a file:
/info /list /check /licenses /sbom /dryrun /extract=FOLDER

Exit codes: 0 done, 1 failed, 2 wrong usage or a damaged program, 3 this system lacks something,
5 the installer is damaged, 130 cancelled. Unless it is 0, nothing was changed."""
