"""Patched wheels: packages as of other wheels, but for the patches, which travel in them."""

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.channel.patches.patch_files import PatchFile, PatchSet, is_patched, patched_build, read_patches
from cuvee.channel.patches.patched_wheel import patch_wheel
from cuvee.channel.wheels.wheel_archive import open_wheel
from cuvee.conda.package_archive import read_info_files
from cuvee.conda.package_info import read_index
from cuvee.errors import BlockedError, DocumentError, IntegrityError, ManifestError
from cuvee.files import parse_json, sha256_file
from cuvee.integration.carried_tests import ScriptTest, carried_tests
from cuvee.manifest.model import PatchedPackage, Position
from played_imports import World, everywhere, pin, request

MakeWheel = Callable[..., Path]
WHEEL = "demo-1.0-py3-none-any.whl"
FILES = {"demo/__init__.py": b"VALUE = 1\n", "demo/tool.py": b"#!python\nprint(1)\n"}
PATCH = b"""\
--- a/demo/__init__.py
+++ b/demo/__init__.py
@@ -1 +1 @@
-VALUE = 1
+VALUE = 2
--- /dev/null
+++ b/demo/more.py
@@ -0,0 +1 @@
+MORE = 3
--- a/demo/tool.py
+++ /dev/null
@@ -1,2 +0,0 @@
-#!python
-print(1)
"""
STATED = PatchedPackage(
    name="demo",
    wheel=WHEEL,
    patches=("patches/one.patch",),
    fixes=("CVE-2026-12345",),
    why="it is wrong",
    author="Ada",
    until=dt.date(2027, 5, 31),
    position=Position(file=Path("m.yaml"), line=9, column=3),
)


def patch_set(
    wheel: Path, data: bytes = PATCH, *, revision: int = 1, tests: tuple[bytes, ...] = ()
) -> PatchSet:
    return PatchSet(
        package=replace(STATED, sha256=sha256_file(wheel), revision=revision),
        patches=(PatchFile(name="patches/one.patch", data=data),),
        tests=tuple(PatchFile(name="patches/test_one.py", data=text) for text in tests),
    )


def test_a_patched_wheel_has_a_record_that_is_true(make_wheel: MakeWheel, tmp_path: Path) -> None:
    wheel = make_wheel(files=FILES)
    path = patch_wheel(wheel, patch_set(wheel), tmp_path)
    with open_wheel(path) as after:
        assert after.irregularities == []
        assert {name: after.read(name) for name in after.members if name.startswith("demo/")} == {
            "demo/__init__.py": b"VALUE = 2\n",
            "demo/more.py": b"MORE = 3\n",
        }
        listed = [row[0] for row in csv.reader(io.StringIO(after.read("demo-1.0.dist-info/RECORD").decode()))]
        assert sorted(listed) == sorted(after.members)
        assert after.newest == (2024, 5, 6, 7, 8, 10)


def test_the_same_wheel_and_patches_give_the_same_bytes(make_wheel: MakeWheel, tmp_path: Path) -> None:
    wheel = make_wheel(files=FILES)
    one = patch_wheel(wheel, patch_set(wheel), tmp_path).read_bytes()
    assert one == patch_wheel(wheel, patch_set(wheel), tmp_path).read_bytes()


def test_signatures_of_the_unpatched_wheel_are_left_out(make_wheel: MakeWheel, tmp_path: Path) -> None:
    info = "demo-1.0.dist-info"
    wheel = make_wheel(files={**FILES, f"{info}/RECORD.jws": b"{}"})
    with zipfile.ZipFile(patch_wheel(wheel, patch_set(wheel), tmp_path)) as archive:
        assert f"{info}/RECORD.jws" not in archive.namelist()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("demo-1.0.dist-info/RECORD", "which is made again"),
        ("other-1.0.dist-info/METADATA", "a wheel has one folder .dist-info"),
        ("demo/__init__.py/x.py", "is a file"),
    ],
)
def test_what_would_not_be_a_wheel_is_refused(
    make_wheel: MakeWheel, tmp_path: Path, path: str, why: str
) -> None:
    wheel = make_wheel(files=FILES)
    adding = f"--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n".encode()
    with pytest.raises((BlockedError, IntegrityError), match=why):
        patch_wheel(wheel, patch_set(wheel, adding), tmp_path)


def imported(world: World, wheel: Path, patches: PatchSet | None, *, carried: bool = False) -> Path:
    world.pinned = everywhere(pin(wheel))
    world.patched = () if patches is None else (patches,)
    (package,) = world.run(request("demo"), carried=["other"] if carried else [])
    return package.archive


def test_the_package_says_that_it_is_patched_and_has_its_patches(
    world: World,
    make_wheel: MakeWheel,
) -> None:
    wheel = make_wheel(files=FILES)
    plain = read_index(imported(world, wheel, None))
    program = b"import demo\nassert demo.VALUE == 2\n"
    archive = imported(world, wheel, patch_set(wheel, tests=(program,)))
    index = read_index(archive)
    assert (index.version, plain.build_number, index.build_number) == (plain.version, 0, 10_000)
    assert is_patched(index.build)
    assert index.build.endswith("_patched_10000")
    assert not is_patched(plain.build)
    names = ("recipe/patched/files/patches/one.patch", "recipe/patched/patched.json", "about.json")
    info = read_info_files(archive, (*names, "tests/tests.yaml"))
    assert info[names[0]] == PATCH
    statement = parse_json(info[names[1]])
    assert statement["fixes"] == ["CVE-2026-12345"]
    about = parse_json(info["about.json"])["cuvee"]
    assert (about["sha256"], about["patched"]) == (sha256_file(wheel), statement)
    *_, test = carried_tests({"tests/tests.yaml": info["tests/tests.yaml"]}, windows=False)
    assert isinstance(test, ScriptTest)
    assert (test.interpreter, test.lines) == ("python", (program.decode(),))


def test_another_patch_or_revision_is_another_package_and_the_same_is_not(
    world: World,
    make_wheel: MakeWheel,
) -> None:
    wheel = make_wheel(files=FILES)
    first = imported(world, wheel, patch_set(wheel))
    data = first.read_bytes()
    assert imported(world, wheel, patch_set(wheel)).name == first.name
    other = patch_set(wheel, PATCH.replace(b"VALUE = 2", b"VALUE = 4"))
    assert imported(world, wheel, other).name != first.name
    again = read_index(imported(world, wheel, patch_set(wheel, revision=2)))
    assert again.build_number == 20_000
    assert first.read_bytes() == data


def test_another_wheel_than_the_stated_one_is_not_patched(
    world: World,
    make_wheel: MakeWheel,
) -> None:
    wheel = make_wheel(files=FILES)
    stated = patch_set(wheel)
    replaced = make_wheel(files={**FILES, "demo/x.py": b""})
    with pytest.raises(IntegrityError, match=r"m\.yaml:9:3: demo-1\.0.* is not the wheel that is to be"):
        imported(world, replaced, stated)
    compiled = make_wheel("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", pure=False)
    with pytest.raises(BlockedError, match=r"are for demo-1.0-py3-none-any\.whl, and linux-64 gets"):
        imported(world, compiled, stated)
    assert world.files() == []


def test_a_wheel_that_is_not_pure_whatever_its_name_says_is_refused(
    world: World,
    make_wheel: MakeWheel,
) -> None:
    wheel = make_wheel(files=FILES, pure=False)
    with pytest.raises(ManifestError, match=r"m\.yaml:9:3: .* is not pure"):
        imported(world, wheel, patch_set(wheel))


def test_build_strings() -> None:
    assert patched_build("py311h1234_0", 10_000) == "py311h1234_patched_10000"
    assert patched_build("0", 10_000) == "patched_10000"
    assert is_patched("patched_10000")
    assert not is_patched("patched_x")
    assert not is_patched("dispatched_1")


def test_all_bad_patches_are_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches/one.patch").write_text("nothing\n")
    (tmp_path / "patches/two.patch").write_text("--- a/../x\n+++ b/../x\n")
    stated = replace(STATED, patches=("patches/one.patch", "patches/two.patch"))
    with pytest.raises(DocumentError) as caught:
        read_patches([stated], tmp_path)
    assert "patches/one.patch has no unified diff" in caught.value.message
    assert "patches/two.patch:1: 'a/../x'" in caught.value.message
