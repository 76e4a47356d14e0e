"""Running the host's own platform in the files of another Linux system: an older one, or a newer one."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cuvee.errors import UsageError
from cuvee.integration.runners.isolation import files_note, isolation_command, strongest_isolation
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Sandbox
from cuvee.process import Request

HOST = "/.host"
"""Where a program in it finds the host's files, as in ``inside/isolate.py``, which only POSIX can import."""

_NEEDED = ("bin/sh", "usr/bin/tar", "usr/bin/sha256sum")
"""What an installer needs of a system, by the names that Debian and others have for it."""

_GET_ONE = "Make one with `debootstrap --variant=minbase SUITE FOLDER`, or unpack a container's image."
_FIELD = re.compile(r"""^([A-Z_]+)=["']?(.*?)["']?$""", re.MULTILINE)


class RootRunner(NativeRunner):
    """Runs the release in another system's files, with this kernel.

    Parameters
    ----------
    folder
        The root of that system; it is not changed.

    Raises
    ------
    UsageError
        If it does not hold a system.
    """

    def __init__(self, folder: Path) -> None:
        self._root = folder.resolve()
        if not self._root.is_dir():
            raise UsageError(f"{folder} is not a folder with a Linux system", hint=_GET_ONE)
        missing = [name for name in _NEEDED if not _has(self._root, name)]
        if missing:
            raise UsageError(
                f"{folder} is not the root of a Linux system: it has no {', '.join(missing)}", hint=_GET_ONE
            )
        self._release = os_release(self._root)
        self.name = "root-" + re.sub(r"[^a-z0-9.]+", "-", self._title.lower()).strip("-")

    def refusal(self, platform: str) -> str | None:
        """Return why it cannot run ``platform`` here; `None` when it can."""
        if not self.keeps_files_away():
            return "this host allows no namespaces of files, which running in another system needs"
        return super().refusal(platform)

    def guest_path(self, path: Path) -> str:
        """Return where the other system sees a path of the host."""
        return f"{HOST}{path}"

    def environment(self) -> Mapping[str, str]:
        """Return which system it is, and how the network and files were kept away."""
        return {
            "system": self._release.get("PRETTY_NAME", self._title),
            "network": "none but loopback",
            "files": files_note(strongest_isolation()),
        }

    def _for_user(self, sandbox: Sandbox, argv: tuple[str, ...], timeout: float) -> Request:
        request = super()._for_user(sandbox, argv, timeout)
        return replace(request, environment=self._variables(request.environment or {}))

    def _variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return variables of which those that are a path of the host are one of the other system."""
        return {
            name: self.guest_path(Path(value))
            if value.startswith("/") and not value.startswith(HOST) and ":" not in value
            else value
            for name, value in environment.items()
        }

    @property
    def _title(self) -> str:
        found = (self._release.get("ID"), self._release.get("VERSION_ID"))
        return " ".join(filter(None, found)) or self._root.name

    def _request(self, sandbox: Sandbox, argv: tuple[str, ...], cwd: Path, timeout: float) -> Request:
        level = strongest_isolation() or ""
        guest = self.guest_path
        environment = {
            **self._variables(sandbox.environment),
            "PATH": f"{guest(sandbox.prefix / 'bin')}:/usr/local/bin:/usr/bin:/bin",
        }
        words = [guest(Path(word)) if word.startswith(str(sandbox.home.parent)) else word for word in argv]
        inside = (*isolation_command(level, sandbox, root=self._root), *words)
        return Request(argv=inside, cwd=cwd, environment=environment, timeout=timeout)


def os_release(root: Path) -> Mapping[str, str]:
    """Return what a system says of itself.

    https://www.freedesktop.org/software/systemd/man/latest/os-release.html
    """
    for name in ("etc/os-release", "usr/lib/os-release"):
        path = root / name
        # A link may be absolute, and lead out of that system.
        if path.is_file() and path.resolve().is_relative_to(root):
            return dict(_FIELD.findall(path.read_text(encoding="utf-8", errors="replace")))
    return {}


def _has(root: Path, name: str) -> bool:
    """Whether a system has a program, whose folder may be a link, as /bin is."""
    first, _, rest = name.partition("/")
    folder = root / first
    if folder.is_symlink():
        folder = root / str(folder.readlink()).lstrip("/")
    return (folder / rest).exists() or (folder / rest).is_symlink()
