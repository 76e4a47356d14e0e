import base64
import csv
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from conda_package_streaming.package_streaming import stream_conda_info

from cuvee.channel.package_writer import PLACEHOLDER, PackageContent, write_package
from cuvee.channel.wheels import convert as module
from cuvee.channel.wheels.convert import Conversion, convert
from cuvee.channel.wheels.wheel_archive import open_wheel
from cuvee.errors import IntegrityError

MakeWheel = Callable[..., Path]
LAUNCHER = b"MZ launcher"
POINTS = "[console_scripts]\ndemo = demo.cli:App.main\n[gui_scripts]\ndemo-gui = demo.cli:gui\n"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def content(path: Path, scratch: Path, subdir: str = "noarch") -> PackageContent:
    conversion = Conversion(
        wheel=path.name, sha256="0" * 64, subdir=subdir, minor="3.11", depends=("python",)
    )
    with open_wheel(path) as wheel:
        return convert(wheel, conversion, scratch=scratch, launcher=LAUNCHER)


def tree(package: PackageContent) -> dict[str, bytes]:
    return {file.path: file.read() for file in package.files}


def full_wheel(make_wheel: MakeWheel) -> Path:
    data = "demo-1.0.data"
    return make_wheel(
        files={
            "demo/__init__.py": b"",
            "demo/cli.py": b"",
            "demo/__pycache__/cli.cpython-311.pyc": b"byte code",
            f"{data}/scripts/tool": b"#!python -u\nprint(1)\n",
            f"{data}/scripts/other.sh": b"#!/bin/sh\n",
            f"{data}/data/share/demo/x.txt": b"x",
            f"{data}/purelib/pure.py": b"",
            f"{data}/platlib/plat.py": b"",
            "demo-1.0.dist-info/licenses/sub/LICENSE": b"MIT",
            "demo-1.0.dist-info/INSTALLER": b"pip\n",
            "demo-1.0.dist-info/REQUESTED": b"",
            "demo-1.0.dist-info/direct_url.json": b"{}",
        },
        entry_points=POINTS,
        metadata="License-Expression: MIT\nLicense-File: sub/LICENSE\nSummary: a demo\n",
    )


def test_a_noarch_package(make_wheel: MakeWheel, scratch: Path) -> None:
    package = content(full_wheel(make_wheel), scratch)
    files = tree(package)
    info = "site-packages/demo-1.0.dist-info"
    assert sorted(files) == [
        "python-scripts/other.sh",
        "python-scripts/tool",
        "share/demo/x.txt",
        f"{info}/INSTALLER",
        f"{info}/METADATA",
        f"{info}/RECORD",
        f"{info}/WHEEL",
        f"{info}/entry_points.txt",
        f"{info}/licenses/sub/LICENSE",
        "site-packages/demo/__init__.py",
        "site-packages/demo/cli.py",
        "site-packages/plat.py",
        "site-packages/pure.py",
    ]
    assert files[f"{info}/INSTALLER"] == b"conda\n"
    assert files["python-scripts/tool"] == f"#!{PLACEHOLDER}/bin/python -u\nprint(1)\n".encode()
    assert package.entry_points == ("demo = demo.cli:App.main", "demo-gui = demo.cli:gui")
    assert package.test_imports == ("demo", "plat", "pure")
    assert (package.license, package.license_files) == ("MIT", {"sub/LICENSE": b"MIT"})
    assert package.timestamp == 1714979290000  # 2024-05-06 07:08:10 UTC, the newest member


def test_a_linux_package(make_wheel: MakeWheel, scratch: Path) -> None:
    package = content(full_wheel(make_wheel), scratch, "linux-64")
    files = tree(package)
    assert {"lib/python3.11/site-packages/demo/cli.py", "bin/tool", "bin/demo", "bin/demo-gui"} < files.keys()
    script = next(file for file in package.files if file.path == "bin/demo")
    assert script.executable
    assert script.placeholder == PLACEHOLDER
    assert files["bin/demo"].startswith(f"#!{PLACEHOLDER}/bin/python\n".encode())
    compile(files["bin/demo"], "demo", "exec")
    assert b"from demo.cli import App as entry" in files["bin/demo"]
    assert b"sys.exit(entry.main())" in files["bin/demo"]
    assert package.entry_points == ()


def test_a_windows_package(make_wheel: MakeWheel, scratch: Path) -> None:
    files = tree(content(full_wheel(make_wheel), scratch, "win-64"))
    expected = {"Lib/site-packages/demo/cli.py", "Scripts/tool", "Scripts/demo-script.py", "Scripts/demo.exe"}
    assert expected < files.keys()
    assert files["Scripts/demo.exe"] == LAUNCHER
    assert b"#!" not in files["Scripts/demo-script.py"]
    assert files["Scripts/tool"].startswith(f"#!{PLACEHOLDER}/python.exe -u\n".encode())


@pytest.mark.parametrize(
    ("subdir", "site"),
    [
        ("noarch", "site-packages"),
        ("linux-64", "lib/python3.11/site-packages"),
        ("win-64", "Lib/site-packages"),
    ],
)
def test_record_lists_what_is_installed(
    make_wheel: MakeWheel, scratch: Path, tmp_path: Path, subdir: str, site: str
) -> None:
    package = content(full_wheel(make_wheel), scratch, subdir)
    for file in package.files:
        target = tmp_path / "prefix" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read())
    root = tmp_path / "prefix" / site
    listed = set()
    for path, digest, size in csv.reader(io.StringIO((root / "demo-1.0.dist-info" / "RECORD").read_text())):
        data = (root / path).read_bytes()
        listed.add((root / path).resolve().relative_to((tmp_path / "prefix").resolve()).as_posix())
        if digest:
            expected = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            assert (digest, int(size)) == (f"sha256={expected}", len(data))
        else:
            assert path.endswith("/RECORD") or PLACEHOLDER.encode() in data
    everything = {file.path for file in package.files}
    outside = {path for path in everything if not path.startswith("site-packages/")}
    assert listed == (everything - outside if subdir == "noarch" else everything)


def test_a_script_is_made_once(make_wheel: MakeWheel, scratch: Path) -> None:
    points = "[console_scripts]\ntool = a:b\nDemo = a:b\nother = a:c\n[gui_scripts]\ndemo = a:c\n"
    path = make_wheel(files={"demo-1.0.data/scripts/tool": b"#!/bin/sh\n"}, entry_points=points)
    package = content(path, scratch)
    assert package.entry_points == ("Demo = a:b", "other = a:c")
    assert tree(package)["python-scripts/tool"] == b"#!/bin/sh\n"


def test_licences_of_older_wheels(make_wheel: MakeWheel, scratch: Path) -> None:
    info = "demo-1.0.dist-info"
    old = {f"{info}/LICENSE.txt": b"old", f"{info}/top_level.txt": b"demo"}
    assert content(make_wheel(files=old), scratch).license_files == {"LICENSE.txt": b"old"}
    new = {f"{info}/LICENSE": b"old", f"{info}/licenses/LICENSE/main": b"new"}
    assert content(make_wheel(files=new), scratch).license_files == {"LICENSE/main": b"new"}


def test_headers_go_where_compilers_look(make_wheel: MakeWheel, scratch: Path) -> None:
    path = make_wheel(files={"demo/__init__.py": b"", "demo-1.0.data/headers/demo.h": b""})
    assert "include/python3.11/demo/demo.h" in tree(content(path, scratch, "linux-64"))
    assert "Include/demo/demo.h" in tree(content(path, scratch, "win-64"))


@pytest.mark.parametrize(
    ("member", "why"),
    [
        ("demo-1.0.data/data/conda-meta/history", "belongs to conda"),
        ("demo-1.0.data/data/Info/index.json", "belongs to conda"),
        ("demo-1.0.data/purelib/demo/__init__.py", "both install"),
        ("demo-1.0.data/weird/x", "unknown folder"),
        ("demo-1.0.data/headers/x.h", "unknown folder"),
        ("demo-1.0.data/loose", "not belong to an installation folder"),
    ],
)
def test_members_that_land_where_they_must_not(
    make_wheel: MakeWheel, scratch: Path, member: str, why: str
) -> None:
    path = make_wheel(files={"demo/__init__.py": b"", member: b"other"})
    with pytest.raises(IntegrityError, match=why):
        content(path, scratch)


@pytest.mark.parametrize("subdir", ["noarch", "linux-64", "win-64"])
def test_names_that_windows_forbids_are_left_to_the_checks(
    make_wheel: MakeWheel, scratch: Path, subdir: str
) -> None:
    path = make_wheel(files={"aux.py": b"", "demo/what?.txt": b""})
    assert content(path, scratch, subdir).test_imports == ("aux",)


def irregularities(package: PackageContent) -> list[str]:
    extra = package.extra["cuvee"]
    assert isinstance(extra, dict)
    return list(extra["irregularities"])


def test_two_members_for_one_path_with_the_same_content(make_wheel: MakeWheel, scratch: Path) -> None:
    path = make_wheel(files={"demo/__init__.py": b"", "demo-1.0.data/purelib/demo/__init__.py": b""})
    package = content(path, scratch)
    assert [file.path for file in package.files].count("site-packages/demo/__init__.py") == 1
    (line,) = irregularities(package)
    assert line.startswith("demo/__init__.py and demo-1.0.data/purelib/demo/__init__.py both install")


def test_what_breaks_the_format_is_written_into_the_package(make_wheel: MakeWheel, scratch: Path) -> None:
    files = {f"demo/{number}.py": b"x" for number in range(30)}
    listed = irregularities(content(make_wheel(files=files, record=""), scratch))
    assert listed[0] == "RECORD does not list demo-1.0.dist-info/METADATA"
    assert (len(listed), listed[-1]) == (21, "and 12 more")
    few = make_wheel(metadata="Requires-Dist: six (>=1.2<2)\nRequires-Python: >3.6.*\n")
    assert irregularities(content(few, scratch)) == [
        "METADATA requires 'six (>=1.2<2)', which is read as 'six<2,>=1.2'",
        "METADATA requires Python '>3.6.*', which is read as '>3.6'",
    ]


def test_record_has_the_hashes_that_the_wheel_lacks(make_wheel: MakeWheel, scratch: Path) -> None:
    wheel = make_wheel(files={"demo.py": b"x"}, record="demo.py,md5=ndTkYSaMgDT1yFZOFVxnpg,1\n")
    package = content(wheel, scratch)
    (record,) = (data for path, data in tree(package).items() if path.endswith("/RECORD"))
    assert b"demo.py,sha256=LXEWQrcmsEQBYnyp-6wy9chTD7GQPMTbAiWHF5IaSIE,1\n" in record


def test_the_same_wheel_gives_the_same_bytes(make_wheel: MakeWheel, tmp_path: Path) -> None:
    made = []
    for number in range(2):
        scratch = tmp_path / f"scratch{number}"
        scratch.mkdir()
        made.append(write_package(content(full_wheel(make_wheel), scratch), tmp_path / f"out{number}"))
    assert made[0].name == made[1].name
    assert made[0].read_bytes() == made[1].read_bytes()


def test_large_members_pass_through_the_disk(
    make_wheel: MakeWheel, tmp_path: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = full_wheel(make_wheel)
    in_memory = write_package(content(path, scratch), tmp_path / "a")
    monkeypatch.setattr(module, "_LARGE", 1)
    on_disk = content(path, scratch)
    assert any(isinstance(file.content, Path) for file in on_disk.files)
    assert write_package(on_disk, tmp_path / "b").read_bytes() == in_memory.read_bytes()


def test_what_the_package_says_of_itself(make_wheel: MakeWheel, scratch: Path, tmp_path: Path) -> None:
    """Read by belongs to conda library, and member by member from the archive."""
    path = write_package(content(full_wheel(make_wheel), scratch), tmp_path / "out")
    info = {}
    for tar, member in stream_conda_info(path):
        stream = tar.extractfile(member)
        assert stream is not None
        info[member.name] = stream.read()
    index = json.loads(info["info/index.json"])
    assert (index["name"], index["version"], index["noarch"]) == ("demo", "1.0", "python")
    about = json.loads(info["info/about.json"])
    assert about["cuvee"] == {"wheel": "demo-1.0-py3-none-any.whl", "sha256": "0" * 64}
    tests = json.loads(info["info/tests/tests.yaml"])
    assert tests[0]["python"]["imports"] == ["demo", "plat", "pure"]
    assert info["info/licenses/sub/LICENSE"] == b"MIT"
    with zipfile.ZipFile(path) as archive:
        data = archive.read(next(name for name in archive.namelist() if name.startswith("pkg-")))
    with tarfile.open(
        fileobj=io.BytesIO(zstandard.ZstdDecompressor().decompressobj().decompress(data))
    ) as tar:
        modes = {member.name: member.mode for member in tar}
    assert modes["python-scripts/tool"] == 0o755
    assert modes["site-packages/demo/cli.py"] == 0o644


def test_the_build_string_changes_with_what_the_package_is_made_of() -> None:
    base = Conversion(wheel="a", sha256="0" * 64, subdir="noarch", minor="3.11", depends=("python",))
    assert base.build == replace(base, minor="3.12").build
    assert base.build.startswith("py_")
    native = replace(base, subdir="linux-64")
    assert native.build.startswith("py311_")
    different = (base, native, replace(base, sha256="1" * 64), replace(base, depends=("__win", "python")))
    assert len({one.build for one in different}) == len(different)
