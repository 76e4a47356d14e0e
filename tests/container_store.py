"""Images and containers of podman that are a test's own, below a folder."""

import subprocess
from pathlib import Path

import pytest

from debian_root import debian_root
from needed_programs import HANGING, need_root, needed

DEBIAN = "localhost/small-debian:12"
"""The name of the image that `debian_containers` makes."""

_STORAGE = '[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n'
_CONTAINERS = (
    '[containers]\ndefault_ulimits = ["nofile=1000:1000", "nproc=1000:1000"]\ncgroups = "disabled"\n'
)
# crun refuses the mixture of both versions of cgroups that some machines have; it gets a tree of its own.
_PROGRAM = """#!/bin/sh
export CONTAINERS_STORAGE_CONF="{folder}/storage.conf" CONTAINERS_CONF="{folder}/containers.conf"
tree='umount -l /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup'
exec unshare -m sh -c "$tree; "'exec "$@"' sh {podman} "$@"
"""


class ContainerStore:
    """A folder ``bin`` has a program ``podman`` that uses the store."""

    def __init__(self, folder: Path) -> None:
        need_root("to start containers")
        podman = needed("podman")
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        (folder / "storage.conf").write_text(_STORAGE.format(folder=folder))
        (folder / "containers.conf").write_text(_CONTAINERS)
        (self.bin / "podman").write_text(_PROGRAM.format(folder=folder, podman=podman))
        (self.bin / "podman").chmod(0o755)

    def import_root(self, root: Path, name: str) -> None:
        """Make an image of a folder; skip the test if no container of it can be started here."""
        tar = subprocess.run(
            [needed("tar"), "-C", str(root), "-c", "."], capture_output=True, check=True, timeout=HANGING
        )
        self.run("import", "-", name, data=tar.stdout)
        try:
            self.run("run", "--rm", "--network", "none", name, "sh", "-c", "exit 0")
        except subprocess.CalledProcessError as error:
            pytest.skip(f"needs a host that allows containers: {error.stderr.decode().strip()}")

    def run(self, *arguments: str, data: bytes = b"") -> str:
        """Run podman; return what it prints."""
        argv = [str(self.bin / "podman"), *arguments]
        done = subprocess.run(argv, input=data, capture_output=True, check=True, timeout=HANGING)
        return done.stdout.decode()

    @property
    def containers(self) -> list[str]:
        """The names of all containers that there are."""
        return self.run("ps", "-a", "--format", "{{.Names}}").split()


def debian_containers(folder: Path) -> ContainerStore:
    """Return a store below a folder with the image `DEBIAN`; skip the test where there can be none."""
    store = ContainerStore(folder / "containers")
    store.import_root(debian_root(), DEBIAN)
    return store
