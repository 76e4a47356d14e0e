"""The verbs `upgrade` and `repair` of an installed release: an installer is checked before any of it runs.

A hostile installer would not check itself. So its shell text is only read, for where its parts are. Its list
of files must be signed by the key that the prefix remembers, or be the very one that was installed; that list
has the hash of the Python in it. The numbers' names in that text and the order of the runtime's arguments,
see `command_line`, bind later releases.
"""

from __future__ import annotations

import os
import re
import sys
from typing import NoReturn

from . import image_signature
from .delta_base import refuse_base, refuse_unfit, refuse_verb
from .failure import MISSING, USAGE, InstallError, damaged
from .file_operations import remove_tree
from .hashing import sha256 as hash_of
from .installer_run import HEAD, InstallerRun
from .kept_installer import choose
from .payload_manifest import PayloadManifest
from .prefix_state import load
from .repair import check_same
from .staged_folder import claim

_NUMBERS = ("HEADER_BYTES", "STAGE0_BYTES", "MANIFEST_BYTES", "MANIFEST_RAW")
_LARGEST = 1 << 40
_LARGEST_RUNTIME = 64 << 20
_GZIP, _GZIP_MAGIC = 31, b"\x1f\x8b"
"""How zlib is told to expect gzip's header, and how that begins."""
_START = ("-I", "-S", "-B", "-X", "utf8")


def upgrade(prefix: str, installer: str, options: frozenset[str], *, is_verified: bool = False) -> NoReturn:
    """Upgrade the release at ``prefix`` with a `.sh` installer that the same key has signed.

    A release without a key takes only an installer that ``is_verified`` by other means.
    Options: ``--new-key`` another key may have signed it, ``--no-keep`` as for the installer.
    """
    installed = load(prefix)
    if installed.manifest.key is None and not is_verified:
        raise InstallError(
            f"{installed.manifest.label} is not signed, so a new installer cannot be checked. "
            f"If you trust it, run it: sh {installer} -u -p {prefix}"
        )
    installer = os.path.abspath(installer)
    run, stage0_bytes = _read_head("install", prefix, installer, options | {"--replace"})
    manifest = run.read_manifest(run.manifest_bytes())
    image_signature.demand_same(installed.manifest, manifest, options)
    index = run.read_index()
    if index is None:
        _start(run, manifest, stage0_bytes)
    refuse_base(index, manifest, prefix, installed)
    _start(run, manifest, stage0_bytes, f"{prefix}/{installed.manifest.interpreter}")


def refuse_delta(prefix: str, installer: str) -> None:
    """Raise if an installer is a delta that does not fit the release at ``prefix``."""
    run, _ = _read_head("install", prefix, installer, frozenset())
    refuse_unfit(run, load(prefix))


def repair(prefix: str, installer: str, options: frozenset[str]) -> int:
    """Repair the release at ``prefix`` with an installer of the very same one, or the one that is kept."""
    installer = choose(prefix, installer)
    if os.name == "nt":
        if not installer.lower().endswith(".exe"):
            raise InstallError(f"{installer} is not an .exe installer.", USAGE)
        argv = [f'"{installer}"', "/S", "/repair=1", *(["/json"] if "--json" in options else [])]
        # Windows hands a program one line, which this function makes without any quotation marks.
        return os.spawnv(os.P_WAIT, installer, [*argv, f"/D={prefix}"])  # noqa: S606 - no shell
    run, stage0_bytes = _read_head("repair", prefix, installer, options)
    manifest = run.read_manifest(run.manifest_bytes())
    if run.read_index() is not None:
        refuse_verb("repair", manifest)
    check_same(run, manifest)
    return _start(run, manifest, stage0_bytes)


def _read_head(verb: str, prefix: str, installer: str, options: frozenset[str]) -> tuple[InstallerRun, int]:
    """Return where the parts are by the shell text, and how long stage 0 is; hashes are checked later."""
    with open(installer, "rb") as stream:
        head = stream.read(HEAD)
    found = dict(re.findall(rb"^([A-Z0-9_]+)=([0-9a-f]+)$", head, re.MULTILINE))
    try:
        header, stage0, size, raw = (int(found[name.encode()]) for name in _NUMBERS)
        sha256 = found[b"MANIFEST_SHA256"].decode()
    except (KeyError, ValueError):
        raise InstallError(f"{installer} is not an .sh installer.") from None
    if max(header, stage0, size, raw) > _LARGEST:
        raise damaged("The installer")
    numbers, anchor = (header + stage0, size, raw, sha256), os.path.dirname(prefix)
    return InstallerRun(verb, installer, "", prefix, anchor, "-", *numbers, options), stage0


def _start(
    run: InstallerRun, manifest: PayloadManifest, stage0_bytes: int, installed_python: str = ""
) -> NoReturn:
    """Unpack stage 0, whose hash the manifest has, and become the runtime that is in it.

    That of a delta has no Python, so the runtime runs with the installed release's.
    """
    os.environ["PATH"] = _system_path(os.environ.get("PATH", ""))
    with open(run.installer, "rb") as stream:
        stream.seek(run.manifest_at - stage0_bytes)
        stage0 = stream.read(stage0_bytes)
    if installed_python:
        stage0 = _runtime(stage0, manifest)
    elif hash_of(stage0) != manifest.stage0_sha256:
        raise damaged("The Python in the installer")
    run = run._replace(staged=claim(run.prefix))
    try:
        _unpack(stage0, run.staged)
        python = installed_python or f"{run.staged}/{manifest.interpreter}"
        if os.spawnv(os.P_WAIT, python, [python, *_START, "-c", ""]):  # noqa: S606 - no shell
            raise InstallError(  # noqa: TRY301 - as for what else fails here, nothing stays
                f"{python} does not start. May programs run from there (noexec)?", MISSING
            )
    except BaseException:
        remove_tree(run.staged)
        raise
    arguments = [*(str(field) for field in run[:-1]), *sorted(run.options)]
    program = f"{run.staged}/.cuvee/runtime/__main__.py"
    sys.stdout.flush()
    os.execv(python, [python, *_START, program, *arguments])  # noqa: S606 - no shell


def _runtime(stage0: bytes, manifest: PayloadManifest) -> bytes:
    """Return the tar in the stage 0 of a delta; raise if it is not the new release's runtime."""
    import zlib  # which an installer's own stage 0 need not have

    try:
        tar = zlib.decompressobj(_GZIP).decompress(stage0, _LARGEST_RUNTIME)
    except zlib.error:
        tar = b""
    if hash_of(tar) != manifest.runtime_sha256:
        raise damaged("The program in the delta")
    return tar


def _system_path(path: str) -> str:
    """Return PATH without relative folders, and without those of conda environments, as the shell text does.

    Their programs are packages', which must not run here, least of all as root.
    """
    kept = [
        folder
        for folder in path.split(":")
        if folder.startswith("/")
        and not os.path.isdir(f"{folder}/../conda-meta")
        and not os.path.isdir(f"{folder}/conda-meta")
    ]
    return ":".join(kept) or "/usr/bin:/bin:/usr/sbin:/sbin"


def _unpack(stage0: bytes, folder: str) -> None:
    # With the system's program, as the installer's shell text does it: a prefix that is to be repaired may
    # have lost Python's own module.
    archive = f"{folder}/stage0.tar.gz"
    with open(archive, "xb") as stream:
        stream.write(stage0)
    environment = {name: text for name, text in os.environ.items() if name not in {"TAR_OPTIONS", "GZIP"}}
    argv = ["tar", "-xzf" if stage0.startswith(_GZIP_MAGIC) else "-xf", archive, "-C", folder]
    code = os.spawnvpe(os.P_WAIT, "tar", argv, environment)  # noqa: S606 - no shell
    if code:
        raise InstallError(
            f"The Python in the installer could not be unpacked to {folder}: tar ended with {code}."
        )
    os.unlink(archive)
