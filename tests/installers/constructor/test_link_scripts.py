"""A project whose packages have link scripts, which constructor's installers would run."""

from pathlib import Path

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_info import read_info
from cuvee.release.project_installers import with_link_scripts


def package(folder: Path, name: str, *paths: str) -> Path:
    files = tuple(PackageFile(path=path, content=b"") for path in paths)
    content = PackageContent(
        name=name, version="1", build="0", subdir="linux-64", timestamp=7, files=files
    )  # fmt: skip
    return write_package(content, folder)


def test_the_packages_with_scripts_that_conda_would_run_are_named(tmp_path: Path) -> None:
    archives = {
        "b": package(tmp_path, "b", "bin/.b-pre-unlink.sh"),
        "plain": package(tmp_path, "plain", "bin/plain-post-link.sh", "share/.plain-post-link.sh"),
        "a": package(tmp_path, "a", "Scripts/.a-post-link.bat", "bin/.a-post-link.sh"),
    }
    assert with_link_scripts(map(read_info, archives.values())) == ["a", "b"]
