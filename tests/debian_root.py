"""The root of a minimal Debian system, from its own packages, as debootstrap would unpack it."""

import shutil
import subprocess
from pathlib import Path

from cuvee import platforms
from cuvee.channel.interpreter.apt import Apt
from needed_programs import HANGING, need, needed
from run_folder import RUN

_WANTED = ("base-files", "bash", "coreutils", "dash", "grep", "gzip", "libc-bin", "sed", "tar")
_MERGED = ("bin", "lib", "lib64", "sbin")
_ARCHITECTURES = {"linux-64": "amd64", "linux-aarch64": "arm64"}


def debian_root() -> Path:
    """Return the folder of such a system, which is made once for all tests; read-only."""
    need("apt-get")
    return RUN.made_once("debian", _make) / "root"


def _make(folder: Path) -> None:
    """Unpack the packages and those that they need; none of their scripts runs."""
    host = platforms.host()
    apt = Apt(_ARCHITECTURES[host.name if host is not None else ""], folder / "apt")
    apt.update()
    names = list(_WANTED)
    for name in names:
        names += [other for other in apt.available(apt.dependencies([name])) if other not in names]
    root = folder / "root"
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    for name in ("dev", "proc", "tmp", "var/tmp", "etc"):
        (root / name).mkdir(parents=True)
    for package in apt.download(names):
        files = subprocess.run(
            [needed("dpkg-deb"), "--fsys-tarfile", package.path],
            stdout=subprocess.PIPE,
            timeout=HANGING,
            check=True,
        )
        unpack = [needed("tar"), "-x", "--keep-directory-symlink", "-C", str(root)]
        subprocess.run(unpack, input=files.stdout, timeout=HANGING, check=True)
    shutil.rmtree(folder / "apt")
