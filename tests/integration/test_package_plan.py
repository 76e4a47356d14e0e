import bz2
import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.errors import IntegrityError
from cuvee.integration.model import PackagePlan
from cuvee.integration.package_plan import package_plan, read_package_plan


def _paths(*names: str) -> bytes:
    return json.dumps({"paths": [{"_path": name} for name in names]}).encode()


def test_our_own_packages_are_read(tmp_path: Path) -> None:
    content = PackageContent(
        name="my-tool",
        version="1.0",
        build="py_0",
        subdir="noarch",
        noarch="python",
        timestamp=0,
        entry_points=("my-tool = my_tool.cli:main",),
        test_imports=("my_tool", "my_tool.cli"),
        files=(
            PackageFile(path="site-packages/my_tool/__init__.py", content=b""),
            PackageFile(path="site-packages/My.Tool-1.0.dist-info/METADATA", content=b""),
            PackageFile(path="python-scripts/my-script", content=b""),
        ),
    )
    assert read_package_plan("a", "1", write_package(content, tmp_path)) == PackagePlan(
        name="a",
        version="1",
        imports=("my_tool", "my_tool.cli"),
        commands=("my-script", "my-tool"),
        distributions=("my-tool",),
    )


def test_link_scripts_are_no_commands() -> None:
    """Nothing but conda runs them, least of all a test of commands."""
    scripts = (
        "bin/.thing-post-link.sh",
        "python-scripts/.thing-pre-unlink.sh",
        "Scripts/.thing-post-link.bat",
    )
    info = "site-packages/thing-2.0.dist-info/METADATA"
    files = {
        "paths.json": _paths(info, "bin/thing", *scripts),
        "link.json": b'{"noarch": {"entry_points": [".thing-pre-link.sh = thing:main", "go = thing:main"]}}',
    }
    assert package_plan("thing", "2.0", files).commands == ("go", "thing")


def test_packages_of_conda_build_are_read(tmp_path: Path) -> None:
    files = {
        "info/paths.json": _paths(
            "lib/python3.11/site-packages/thing-2.0.dist-info/METADATA",
            "bin/thing",
            "bin/sub/no",
            "lib/libthing.so",
        ),
        "info/recipe/meta.yaml": b"package: {name: thing}\ntest:\n  imports:\n    - thing\n    - thing.sub\n",
    }
    archive = tmp_path / "thing-2.0-0.tar.bz2"
    archive.write_bytes(_tar_bz2(files))
    assert read_package_plan("a", "1", archive) == PackagePlan(
        name="a", version="1", imports=("thing", "thing.sub"), commands=("thing",), distributions=("thing",)
    )


def _tar_bz2(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return bz2.compress(buffer.getvalue())


def test_windows_launchers_are_commands_once() -> None:
    files = {
        "paths.json": _paths(
            "Lib/site-packages/thing-2.0.dist-info/METADATA", "Scripts/thing.exe", "Scripts/thing-script.py"
        )
    }
    assert package_plan("a", "1", files).commands == ("thing",)


def test_programs_of_other_packages_promise_nothing() -> None:
    assert package_plan("a", "1", {"paths.json": _paths("bin/h5dump", "lib/libhdf5.so")}) == PackagePlan(
        name="a", version="1", imports=(), commands=(), distributions=()
    )


def test_only_names_become_arguments() -> None:
    tests = [{"python": {"imports": ["good.one", "-c", "import os", "", "../x"]}}, {"script": ["x"]}, "odd"]
    assert package_plan("a", "1", {"tests/tests.yaml": json.dumps(tests).encode()}).imports == ("good.one",)


def test_a_recipe_full_of_templates_says_nothing() -> None:
    assert package_plan("a", "1", {"recipe/meta.yaml": b"{% set x = 1 %}\ntest: {{ x }}"}).imports == ()


@pytest.mark.parametrize("name", ["x-1-0.conda", "x-1-0.tar.bz2"])
@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 not really", bz2.compress(b"no tar"), b"BZh9garbage"])
def test_damaged_archives_are_refused(name: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(IntegrityError, match=name):
        read_package_plan("a", "1", tmp_path / name)


@pytest.mark.parametrize("text", [b"[]", b"{", b'{"paths": [{}]}', b'{"paths": 3}'])
def test_damaged_metadata_are_refused(text: bytes, tmp_path: Path) -> None:
    archive = tmp_path / "x-1-0.tar.bz2"
    archive.write_bytes(_tar_bz2({"info/paths.json": text}))
    with pytest.raises(IntegrityError, match="x-1-0"):
        read_package_plan("a", "1", archive)


def test_own_tests_say_how_commands_are_started() -> None:
    lines = """
- python: {imports: [thing]}
- script: ["thing help", "thing.exe -v", "other --help", "thing x | grep y", "pip check", 'thing "open']
- script: {content: "thing -h  # its usage"}
  requirements: {run: ["Some_Tool >=1", pytest]}
"""
    files = {"paths.json": _paths("site-packages/thing-2.0.dist-info/METADATA", "bin/thing", "bin/more")}
    plan = package_plan("a", "1", files | {"tests/tests.yaml": lines.encode()})
    assert plan.usages == {"thing": (("help",), ("-v",), ("-h",))}
    assert plan.test_needs == ("some-tool", "pytest")
    recipe = b"test: {imports: [thing], requires: [pytest], commands: ['more --usage', 'more']}"
    plan = package_plan("a", "1", files | {"recipe/meta.yaml": recipe})
    assert plan.usages == {"more": (("--usage",), ())}
    assert (plan.imports, plan.test_needs) == (("thing",), ("pytest",))


@pytest.mark.parametrize(
    "text", ["[]", "3", "- 3", "- {python: 3, script: 4}", "- script: {content: [1]}", "- requirements: [x]"]
)
def test_own_tests_of_any_form_are_read(text: str) -> None:
    plan = package_plan("a", "1", {"tests/tests.yaml": text.encode()})
    assert plan == PackagePlan(name="a", version="1")
