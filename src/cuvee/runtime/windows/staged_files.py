r"""Copying stage 0 and this code: into the staged prefix, into a folder that an uninstaller runs from.

The prefix also gets the command ``Scripts\<distribution>-admin.cmd``, which starts `admin_verbs`.
"""

from __future__ import annotations

import os
from typing import BinaryIO

from ..failure import EXIT_CODES, FAILED
from ..file_operations import files_below
from ..prefix_state import INSTALLER, KEPT
from ..staged_folder import ALIVE
from .exe_container import open_container
from .nsis_call import NsisCall
from .registration import Registration, read_registration
from .registry import Product

GO_ON = 100
"""Exit code that has the command start the verb again from the folder beside the prefix."""

_COMMAND = r"""@echo off
rem Administers {label}; made by its installer. `{distribution}-admin help` says more.
setlocal DisableDelayedExpansion
set "CUVEE_PREFIX=%~dp0.."
for %%p in ("%~dp0..") do set "CUVEE_RUN=%%~dpp.%%~nxp.cuvee-admin"
"%~dp0..\{python}" -I -S -B -X utf8 "%~dp0..\conda-meta\cuvee\runtime\windows\__main__.py" admin %*
if not %errorlevel%=={go_on} exit /b %errorlevel%
set "CUVEE_FOLDER=%CD%"
cd /d "%CUVEE_RUN%\.."
rem From here on this file may be moved away, so all else is one line.
"%CUVEE_RUN%\{python}" -I -S -B -X utf8 "%CUVEE_RUN%\.cuvee\runtime\windows\__main__.py" admin %* \
& {end}
"""


def fill(product: Product, call: NsisCall, registration: Registration, *, keep: bool) -> None:
    """Fill the staged folder with what the runtime finds there, and what only Windows has.

    The runtime does not run from there: Windows renames no folder that a program runs from. With ``keep`` the
    installer stays for repairs: a copy, whose hash is checked.
    """
    staged = call.staged
    early = copy_stage0(call.run, staged)
    for path in files_below(f"{call.run}/.cuvee"):
        target = product.uninstaller if path == "uninstall.exe" else f"{KEPT}/{path}"
        copy(f"{call.run}/.cuvee/{path}", f"{staged}/{target}")
    if not registration.machine:
        _write(f"{staged}/.nonadmin", "")  # conda and menuinst look for it
    # `if errorlevel` means that much or more; %errorlevel% would be what it was before the line. A program
    # that crashes ends with a negative number.
    ends = {code: f'(rd /s /q "%CUVEE_RUN%" & exit /b {code})' for code in EXIT_CODES}
    end = (
        "".join(f"if errorlevel {code} {ends[code]} else " for code in sorted(ends, reverse=True))
        + ends[FAILED]
    )
    name, python = product.distribution, product.interpreter
    text = _COMMAND.format(end=end, label=product.label, distribution=name, python=python, go_on=GO_ON)
    _write(f"{staged}/Scripts/{name}-admin.cmd", text.replace("\\\n", "").replace("\n", "\r\n"))
    if keep:
        copy(call.installer, f"{staged}/{INSTALLER}")
        open_container(f"{staged}/{INSTALLER}")
    registration._replace(stage0=early).write(staged)


def stage(prefix: str, run: str) -> int:
    """Copy stage 0 and this code out of the prefix into ``run``; return 0."""
    for path in read_registration(prefix).stage0:
        copy(f"{prefix}/{path}", f"{run}/{path}")
    for path in files_below(f"{prefix}/{KEPT}"):
        if f"{KEPT}/{path}" != INSTALLER:
            copy(f"{prefix}/{KEPT}/{path}", f"{run}/.cuvee/{path}")
    return 0


def copy_stage0(run: str, target: str) -> list[str]:
    """Copy the files of stage 0 from ``run``; return them."""
    paths = [path for path in files_below(run) if not path.startswith((".cuvee/", ALIVE))]
    for path in paths:
        copy(f"{run}/{path}", f"{target}/{path}")
    return paths


def copy(source: str, target: str) -> None:
    """Copy a file and its time, which byte code names."""
    with open(source, "rb", buffering=0) as read, _create(target) as write:
        while data := read.read(1 << 20):
            write.write(data)
        time = os.fstat(read.fileno()).st_mtime_ns
    os.utime(target, ns=(time, time))


def _create(path: str) -> BinaryIO:
    try:
        return open(path, "wb")
    except FileNotFoundError:  # most of the time the folder is there, and asking first costs as much
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "wb")


def _write(path: str, text: str) -> None:
    with _create(path) as stream:
        stream.write(text.encode())
