"""The `.exe` installer: what NSIS makes of stage 0, and behind it the image's manifest and the payload."""

import json
import os
import re
import shutil
import tarfile
from collections.abc import Iterable
from importlib.resources import files as resource_files
from importlib.resources.abc import Traversable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Protocol

from cuvee.errors import BlockedError, TooLargeError, UsageError
from cuvee.files import replacing
from cuvee.image.model import SOURCE_TIME, Image
from cuvee.image.stage0 import RUNTIME_FOLDER
from cuvee.installers.branding import Branding
from cuvee.installers.naming import display_name, installer_name
from cuvee.installers.windows.nsis import Makensis
from cuvee.progress import Reporter
from cuvee.runtime.windows.container import Container, digest, pack

_CHUNK = 1 << 20
_BOUNDARY = 8
_LARGEST = (1 << 32) - (64 << 20)
"""Windows starts no program of 4 GiB or more; a signature needs some room."""

_MAX_PATH, _STAGED_NAME = 259, len("..cuvee-1234567890.partial\\")
"""What Windows bears, and what stage 0's folder adds to the prefix's own name."""

_SHOWN = 900
"""Characters of the help that a window can show: NSIS's strings end at 1,024, and lines get one more each."""

_FULL = 60
"""Characters from which on a line of a licence goes on in the next one."""
_POINT = re.compile(r"\w{1,3}[.)]\s")
"""How the point of a list begins."""

_COMPRESSORS = {"small": "/SOLID lzma", "quick": "zlib"}


class ProgramSigner(Protocol):
    """Signs Windows programs."""

    def command(self) -> str:
        """Give the command line, for NSIS, that signs the file that takes the place of ``%1``."""

    def sign(self, path: Path) -> None:
        """Sign a finished file in place."""


def build_exe(
    image: Image,
    *,
    branding: Branding,
    target: Path,
    reporter: Reporter,
    signer: ProgramSigner | None = None,
    compression: Literal["small", "quick"] = "small",
) -> Path:
    """Write the installer of ``image`` to ``target``, whole or not at all; give ``target``.

    The same image and branding give the same bytes, signatures aside.

    Parameters
    ----------
    compression
        Of NSIS's own part, about 22 MB before it: ``quick`` takes a second, ``small`` ten.

    Raises
    ------
    UsageError
        If the image is not for 64-bit Windows.
    ToolMissingError
        If makensis is absent or too old.
    TooLargeError
        If the installer would be larger than Windows can start.
    """
    if image.platform != "win-64":
        raise UsageError(f"An .exe installer can be made for win-64 alone, not for {image.platform}")
    # What is too large for certain is said before anything is compiled.
    _check_size((image.manifest, image.payload))
    makensis = Makensis.find()
    reporter.start(target.name)
    with TemporaryDirectory(prefix="cuvee-exe-") as name:
        folder = Path(name)
        _unpack(image, folder / "stage")
        _add_desktop(image, branding, folder / "stage" / ".cuvee")
        _write_script(image, branding, folder, _COMPRESSORS[compression], signer)
        makensis.compile(folder / "installer.nsi")
        with replacing(target) as beside:
            _join(image, folder / "installer.exe", beside)
            if signer is not None:
                signer.sign(beside)
    reporter.finish(target.name, note=f"{target.stat().st_size / 1e6:,.1f} MB")
    return target


def _unpack(image: Image, folder: Path) -> None:
    """Unpack stage 0, times included: byte code names them."""
    with tarfile.open(image.stage0) as tar:
        tar.extractall(folder, filter="data")


def _add_desktop(image: Image, branding: Branding, folder: Path) -> None:
    """Put what Windows needs beside the runtime, and what is said of the release."""
    if not (folder.parent / RUNTIME_FOLDER).is_dir():
        raise BlockedError(
            f"{image.folder} has no runtime in its stage 0",
            hint="Delete the folder and cut the release again.",
        )
    code = folder / "runtime" / "windows"
    _copy_code(resource_files("cuvee.runtime.windows"), code)
    product = {
        "name": display_name(image.label.distribution),
        "distribution": image.label.distribution,
        "version": image.label.version,
        "title": image.label.title,
        "publisher": branding.publisher,
        "url": branding.url,
        "uninstaller": uninstaller_name(image),
        "floor": image.floor.get("__win", ""),
        "needed": image.size_on_disk,
        "longest_path": image.longest_path,
        "interpreter": image.interpreter.replace("/", "\\"),
        "register": image.settings.register_python,
        "keep": image.settings.keep_installer,
    }
    (folder / "product.json").write_text(json.dumps(product, ensure_ascii=False), encoding="utf-8")
    for path in (*code.rglob("*.py"), folder / "product.json"):
        os.utime(path, (SOURCE_TIME, SOURCE_TIME))


def _copy_code(source: Traversable, target: Path) -> None:
    target.mkdir()
    for entry in source.iterdir():
        if entry.name.endswith(".py"):
            (target / entry.name).write_bytes(entry.read_bytes())
        elif entry.is_dir() and not entry.name.startswith("_"):
            _copy_code(entry, target / entry.name)


def uninstaller_name(image: Image) -> str:
    """Give the uninstaller's name in the prefix: ``Uninstall-Starter.exe``."""
    return f"Uninstall-{display_name(image.label.distribution)}.exe"


def _longest(folder: Path) -> int:
    return max(len(path.relative_to(folder).as_posix()) for path in folder.rglob("*"))


def _write_script(
    image: Image, branding: Branding, folder: Path, compressor: str, signer: ProgramSigner | None
) -> None:
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
        os.utime(folder / name, (SOURCE_TIME, SOURCE_TIME))  # NSIS keeps the time with the picture
    if branding.license_text.strip():
        # Without the mark at its start, NSIS would take it for the system's own encoding.
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
    """Join the lines of a paragraph, which a window breaks by itself, at other places than a text file.

    What is short, indented or the point of a list stays a line of its own.
    """
    lines: list[str] = []
    full = False
    for line in text.splitlines():
        if full and line[:1].isalnum() and _POINT.match(line) is None:
            lines[-1] += f" {line}"
        else:
            lines.append(line)
        full = len(line) >= _FULL and not line.startswith(" ")
    return "\n".join(lines)


def _upgrade(label: str) -> str:
    """Give the text of the page before an upgrade as NSIS writes it."""
    head = nsis_inner(f"{label} will take the place of the release in")
    stays = "What was chosen then stays as it is: for whom, PATH, registration and shortcuts."
    files = "So do the files that you have made there."
    return f'"{head}$\\r$\\n$INSTDIR$\\r$\\n$\\r$\\n{stays} {files}"'


def _finish(image: Image, label: str) -> str:
    """Give the text of the last page as NSIS writes it; the folder is known on the desktop alone."""
    command = f"{image.label.distribution}-admin"
    after = f"In its folder Scripts, {command} verifies it, rolls an upgrade back, and removes it."
    return f'"{nsis_inner(label)} was installed in$\\r$\\n$INSTDIR$\\r$\\n$\\r$\\n{nsis_inner(after)}"'


def _folder(written: str, otherwise: str) -> str:
    """Give a folder as NSIS writes it; ``%NAME%`` in ``written`` is a variable of the environment."""
    if not written:
        return f'"{otherwise}"'
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
/NoRegistry=0|1  leave the registry alone (0)
/NoProgram=0|1  do not list it among the programs that can be removed (0)
/KeepInstaller=0|1  leave a copy of this file there, for repairs ({int(image.settings.keep_installer)})
/NoKeep=0|1  an upgrade does not keep the older release (0)
/Force=0|1  also in place of the same or a newer release (0)
/key=KEY  only if that public key signed it: 64 hex digits, or a PEM file
/newkey=0|1  upgrade also a release that another key signed (0)
/LOG=FILE  where the log goes
/D=FOLDER  where to; the last option

Other work on what is in the folder:
/repair  restore what is changed or missing
/uninstall  remove the release

Nothing is installed by these; /json gives JSON, /OUTPUT=FILE writes it there:
/info /list /check /licenses /sbom /dryrun /extract=FOLDER

Exit codes: 0 done, 1 failed, 2 wrong usage or a damaged program, 3 this system lacks something,
5 the installer is damaged, 130 cancelled. Unless it is 0, nothing was changed."""


def _join(image: Image, program: Path, target: Path) -> None:
    """Put the parts behind each other, and the trailer at a multiple of eight, as signatures want it."""
    parts = (program, image.manifest, image.payload)
    _check_size(parts)
    container = Container(
        manifest_at=program.stat().st_size,
        manifest_size=image.manifest.stat().st_size,
        manifest_raw=image.manifest_raw,
    )
    with target.open("wb") as stream:
        for part in parts:
            with part.open("rb") as source:
                shutil.copyfileobj(source, stream, _CHUNK)
        stream.write(bytes(-stream.tell() % _BOUNDARY))
        end = stream.tell()
    with target.open("r+b") as stream:
        trailer = pack(container, digest(stream, end))
        stream.seek(end)
        stream.write(trailer)


def _check_size(parts: Iterable[Path]) -> None:
    size = sum(part.stat().st_size for part in parts)
    if size > _LARGEST:
        raise TooLargeError(
            f"The .exe would have {size / 2**30:.1f} GiB, and Windows starts no program of 4 GiB or more",
            hint="Leave packages out, or make two distributions of it.",
        )
