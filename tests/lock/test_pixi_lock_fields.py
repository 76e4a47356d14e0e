"""Fields of records that not every package has survive being written and read."""

from pathlib import Path

from cuvee.conda.package_record import LockedPackage
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.pixi_lock import read_lock, write_lock


def test_track_features_survive_the_lock(tmp_path: Path) -> None:
    package = LockedPackage(
        name="blas", version="1.0", build="mkl", build_number=0, platform="linux-64", subdir="linux-64",
        url="https://channel.example.org/linux-64/blas-1.0-mkl.conda", channel="https://channel.example.org",
        sha256="0" * 64, track_features=("mkl", "nomkl"),
    )  # fmt: skip
    lock = Lock(platforms=(PlatformLock(platform="linux-64", packages=(package,), virtual_packages=()),))
    path = tmp_path / "lock" / "pixi.lock"
    write_lock(lock, path, channels=("https://channel.example.org",), own_channel="https://example.org/own")
    assert read_lock(path) == lock
