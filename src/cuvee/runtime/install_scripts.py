"""The distribution's own scripts: before and after an installation, and before a removal.

They get the environment that constructor's installers give to theirs:
https://conda.github.io/constructor/construct-yaml/#pre_install.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Collection, Iterator

from .failure import InstallError
from .payload_manifest import PayloadManifest
from .prefix_tree import PrefixTree

NAMES = ("pre_install", "post_install", "pre_uninstall")
_STOPS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
_TYPES = ("SH", "PKG", "EXE", "MSI")


def run(
    name: str,
    manifest: PayloadManifest,
    prefix: str,
    folder: str,
    options: Collection[str],
    *,
    installer: str = "",
) -> None:
    """Run the script ``name``, if there is one and ``--no-scripts`` is not given; raise if it fails.

    It is written into ``folder`` for that long. ``installer`` is the file that is being run.
    """
    text: str = getattr(manifest.settings, name)
    if not text or "--no-scripts" in options:
        return
    windows = manifest.system == "win"
    path = f"{folder}/{name}.bat" if windows else f"{folder}/{name}.sh"
    os.makedirs(folder, exist_ok=True)
    environment = script_environment(name, manifest, prefix, installer, options)
    try:
        PrefixTree(folder).write(os.path.basename(path), text.encode(), 0o700)
        code = _run_on_windows(path, environment) if windows else _run(path, text, environment)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)
    if code:
        reason = f"exit code {code}" if code > 0 else f"signal {-code}"
        raise InstallError(f"The script {name} of {manifest.title} failed ({reason}).")


def script_environment(
    name: str, manifest: PayloadManifest, prefix: str, installer: str, options: Collection[str]
) -> dict[str, str]:
    """Return the environment of a script."""
    kind = os.environ.get("INSTALLER_TYPE", "")
    short = manifest.distribution[:1].upper() + manifest.distribution[1:]
    # What the caller sets for another Python is nothing for that of the release.
    inherited = {key: text for key, text in os.environ.items() if not key.startswith("PYTHON")}
    return {
        **inherited,
        "PREFIX": prefix,
        "PRE_OR_POST": name,
        "INSTALLER_NAME": short,
        "INSTALLER_VER": manifest.version,
        "INSTALLER_PLAT": manifest.platform,
        "INSTALLER_TYPE": kind if kind in _TYPES else _TYPES[0],
        "INSTALLER_UNATTENDED": "1" if "--batch" in options else "0",
        "INSTALLER_PATH": installer,
        **manifest.settings.script_environment,  # last, as in constructor
    }


def _run(path: str, text: str, environment: dict[str, str]) -> int:
    argv = [path] if text.startswith("#!") else ["/bin/sh", path]
    child = 0
    try:
        with _signals_held():  # one between the start of the script and the next line would leave it running
            child = os.posix_spawn(argv[0], argv, environment, setsigdef=(signal.SIGPIPE,))
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    except BaseException as error:
        if child:  # a signal asks us to stop, so the script must stop too
            with contextlib.suppress(OSError):
                os.kill(child, signal.SIGTERM)
                os.waitpid(child, 0)
        elif isinstance(error, OSError):
            raise InstallError(f"The script {path} cannot be run: {error.strerror}.") from error
        raise


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Let signals whose handlers raise wait for the end of the block.

    A mask of this thread would not do: the system gives the signal to another thread, and Python runs its
    handler in this one all the same. Signals that are ignored stay so, as the script inherits that.
    """
    came: list[int] = []
    handlers = {number: signal.getsignal(number) for number in _STOPS}
    held = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in held:
        signal.signal(number, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for number, handler in held.items():
            signal.signal(number, handler)
        for number in came:
            signal.raise_signal(number)


def _run_on_windows(path: str, environment: dict[str, str]) -> int:
    # The name goes through the environment: cmd has rules of its own for quotation marks.
    shell = os.environ.get("COMSPEC", r"C:\Windows\System32\cmd.exe")
    environment = {**environment, "CUVEE_SCRIPT": path.replace("/", "\\")}
    argv = ["cmd.exe", "/d", "/s", "/c", '""%CUVEE_SCRIPT%""']
    return os.spawnve(os.P_WAIT, shell, argv, environment)  # noqa: S606 - of the system, by its full name
