"""A small real channel, written by our own package writer."""

from pathlib import Path

import pytest

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel

STAMP = 1_700_000_000_000


def make_package(
    folder: Path,
    name: str,
    version: str,
    *,
    subdir: str = "noarch",
    depends: tuple[str, ...] = (),
    day: int = 0,
) -> Path:
    content = PackageContent(
        name=name,
        version=version,
        build="0" if subdir != "noarch" else "py_0",
        subdir=subdir,
        noarch="python" if subdir == "noarch" else None,
        depends=depends,
        timestamp=STAMP + day * 86_400_000,
        files=(PackageFile(path=f"site-packages/{name}.py", content=f"version = {version!r}\n".encode()),),
    )
    return write_package(content, folder / subdir)


@pytest.fixture
def channel_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "release" / "channel"
    for subdir in ("linux-64", "win-64"):
        make_package(
            folder, "python", "3.11.7", subdir=subdir, depends=("__glibc >=2.17",) * (subdir == "linux-64")
        )
    make_package(folder, "base", "1.0", depends=("python",))
    make_package(folder, "base", "1.5", depends=("python",), day=10)
    make_package(folder, "base", "2.0", depends=("python",), day=20)
    make_package(folder, "top", "1.0", depends=("python >=3.11", "base >=1,<2.0a0"))
    index_channel(folder, ["linux-64", "win-64"])
    return folder
