"""What an engine built is written again, so that the same build gives the same bytes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from build_recipes import simple, write_recipe
from cuvee.build.normalized_package import normalized
from cuvee.build.recipe_files import find_recipe
from cuvee.build.reproducibility import different_files
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_archive import members, read_info_files
from cuvee.conda.package_info import read_info
from cuvee.errors import BlockedError
from cuvee.files import sha256_file

FOLDER = "/srv/cuvee-build-x"
PREFIX = f"{FOLDER}/output/bld/host_env_placehold"
INFO = "lib/a-1.dist-info"
CONTENT = PackageContent(
    name="a",
    version="1",
    build="0",
    subdir="linux-64",
    depends=("python",),
    timestamp=1_700_000_000_000,
    extra={
        "channels": ["file:///home/somebody/channel"],
        "root_pkgs": ["conda 26.7.2"],
        "env_vars": {"A": "b"},
    },
    files=(
        PackageFile(path="bin/a", content=f"#!{PREFIX}/a".encode(), executable=True, placeholder=PREFIX),
        PackageFile(path="lib/a.py", content=b"print()\n"),
        PackageFile(path="lib/__pycache__/a.cpython-311.pyc", content=b"\0\1\2"),
        PackageFile(path="lib/b.py", content=b"", link_target="a.py"),
        PackageFile(path=f"{INFO}/direct_url.json", content=f'{{"url": "file://{FOLDER}/work"}}'.encode()),
        PackageFile(
            path=f"{INFO}/RECORD",
            content=f"a.py,sha256=x,8\n{INFO[4:]}/direct_url.json,sha256=y,9\n__pycache__/a.pyc,,\n".encode(),
        ),
    ),
)


def written(tmp_path: Path, content: PackageContent = CONTENT, name: str = "out") -> Path:
    archive = write_package(content, tmp_path / f"in-{name}")
    recipe = find_recipe(write_recipe(tmp_path / "recipe", simple("a"), fix_patch="--- a"))
    work = tmp_path / f"work-{name}"
    work.mkdir()
    return normalized(
        archive, tmp_path / name, recipe, epoch=1_600_000_000, build_folder=Path(FOLDER), work=work
    )


def test_what_only_the_build_machine_knows_is_left_out(tmp_path: Path) -> None:
    archive = written(tmp_path)
    info = read_info(archive)
    assert [entry.path for entry in info.paths] == ["bin/a", f"{INFO}/RECORD", "lib/a.py", "lib/b.py"]
    by_path = {entry.path: entry for entry in info.paths}
    assert (by_path["bin/a"].placeholder, by_path["bin/a"].file_mode) == (PREFIX, "text")
    assert by_path["lib/b.py"].path_type == "softlink"
    found = {}
    for tar, member in members(archive, "pkg"):
        stream = tar.extractfile(member) if member.isreg() else None
        found[member.name] = stream.read() if stream is not None else b""
        assert member.mtime == 1_600_000_000
    assert found[f"{INFO}/RECORD"] == b"a.py,sha256=x,8\n"


def test_metadata_keeps_all_but_times_and_channels(tmp_path: Path) -> None:
    names = ("index.json", "about.json", "recipe/recipe.yaml", "recipe/fix.patch", "paths.json")
    files = read_info_files(written(tmp_path), names)
    index, about = json.loads(files["index.json"]), json.loads(files["about.json"])
    assert (index["timestamp"], index["depends"]) == (1_600_000_000_000, ["python"])
    assert not {"channels", "root_pkgs", "env_vars"} & set(about)
    assert files["recipe/recipe.yaml"].decode() == simple("a")
    assert files["recipe/fix.patch"] == b"--- a"


def test_another_time_of_building_gives_the_same_bytes(tmp_path: Path) -> None:
    one = written(tmp_path)
    other = written(tmp_path, replace(CONTENT, timestamp=1_800_000_000_000), "other")
    assert sha256_file(one) == sha256_file(other)
    assert different_files(one, other) == ()


def test_files_that_differ_are_named(tmp_path: Path) -> None:
    one = written(tmp_path)
    files = tuple(
        replace(file, content=b"print(1)\n") if file.path == "lib/a.py" else file for file in CONTENT.files
    )
    more = (*files, PackageFile(path="lib/c.py", content=b""))
    other = written(tmp_path, replace(CONTENT, files=more), "other")
    assert different_files(one, other) == ("lib/a.py", "lib/c.py")


def test_a_file_that_names_the_build_folder_is_refused(tmp_path: Path) -> None:
    bad = PackageFile(path="lib/where.txt", content=f"built in {FOLDER}/src".encode())
    with pytest.raises(BlockedError) as caught:
        written(tmp_path, replace(CONTENT, files=(*CONTENT.files, bad)))
    assert "lib/where.txt" in caught.value.message
    assert "bin/a" not in caught.value.message
    assert not (tmp_path / "out").exists()
