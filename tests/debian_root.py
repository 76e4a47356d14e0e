"""The root of a minimal Debian system, from its own packages, as debootstrap would unpack it."""

import shutil
import subprocess
from pathlib import Path

from cuvee import platforms
from cuvee.channel.interpreter.apt import Apt
from needed_programs import HANGING, need, needed

_WANTED = ("base-files", "coreutils", "dash", "gzip", "libc-bin", "sed", "tar")
_MERGED = ("bin", "lib", "lib64", "sbin")
_ARCHITECTURES = {"linux-64": "amd64", "linux-aarch64": "arm64"}


def make_debian_root(folder: Path, *more: str) -> Path:
    """Unpack the packages, ``more``, and those that they need into a folder; none of their scripts runs."""
    need("apt-get")
    host = platforms.host()
    apt = Apt(_ARCHITECTURES[host.name if host is not None else ""], folder / "apt")
    apt.update()
    names = [*_WANTED, *more]
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
    return root
