"""Real projects from the real index: resolved, imported, indexed, solved, linked and imported from."""

import asyncio
import json
import os
import platform as host
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest
import rattler
from rattler.index import index_fs
from uv import find_uv_bin

from cuvee.channel.model import Interpreter
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.wheels import ImportedPackage, WheelRequest, import_wheels, uv
from cuvee.channel.windows_launcher import windows_launcher
from cuvee.errors import BlockedError, IntegrityError, SourceUnreachableError
from cuvee.files import sha256_file
from cuvee.progress import Silent

pytestmark = pytest.mark.real

MakeWheel = Callable[..., Path]
PLATFORMS = ("linux-64", "linux-aarch64", "win-64")
PYTHON = host.python_version()
MINOR = ".".join(PYTHON.split(".")[:2])
PROJECTS = ("attrs", "markupsafe", "pytest", "pyyaml", "six")
FLOORS: Mapping[str, Mapping[str, str]] = {
    "linux-64": {"glibc": "2.28"},
    "linux-aarch64": {"glibc": "2.28"},
    "win-64": {"win": "10"},
}
VIRTUAL = {
    "linux": (("__unix", "0"), ("__linux", "4.18"), ("__glibc", "2.28")),
    "win": (("__win", "10"),),
}
SITE = {"linux-64": f"lib/python{MINOR}/site-packages", "win-64": "Lib/site-packages"}


@dataclass(frozen=True)
class Imported:
    packages: tuple[ImportedPackage, ...]
    channel: Path
    cache: Path
    folder: Path


class Notes(Silent):
    def __init__(self) -> None:
        self.finished: dict[str, str] = {}

    def finish(self, task: str, *, note: str = "") -> None:
        self.finished[task] = note


def run_import(
    folder: Path,
    *requests: WheelRequest,
    cache: Path,
    notes: Notes | None = None,
    prefer: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> tuple[ImportedPackage, ...]:
    platforms = {name for request in requests for name in request.platforms}
    return import_wheels(
        requests,
        {
            name: Interpreter(platform=name, version=PYTHON, archive=Path("python.conda"), origin="a test")
            for name in PLATFORMS
            if name in platforms
        },
        FLOORS,
        folder=folder,
        cache=cache,
        prefer=prefer,
        reporter=notes or Notes(),
    )


def request(name: str, version: str = "*", platforms: tuple[str, ...] = PLATFORMS) -> WheelRequest:
    return WheelRequest(name=name, version=version, platforms=platforms, position="m.yaml:5:3")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Imported:
    folder = tmp_path_factory.mktemp("imported")
    channel, cache = folder / "channel", folder / "cache"
    packages = run_import(channel, *map(request, PROJECTS), cache=cache)
    for name in PLATFORMS:
        program = "python.exe" if name == "win-64" else f"bin/python{MINOR}"
        python = PackageContent(
            name="python", version=PYTHON, build="0", subdir=name, timestamp=1_000_000_000_000,
            files=(PackageFile(path=program, content=b"not a program"),),
        )  # fmt: skip
        write_package(python, channel / name)
    asyncio.run(index_fs(channel))
    return Imported(packages=packages, channel=channel, cache=cache, folder=folder)


def solve(imported: Imported, name: str) -> list[rattler.RepoDataRecord]:
    virtual = [
        rattler.GenericVirtualPackage(
            rattler.PackageName(package), rattler.Version(version), rattler.BuildString("0")
        )
        for package, version in VIRTUAL[name.split("-", maxsplit=1)[0]]
    ]
    solving = rattler.solve(
        [imported.channel.as_uri()],
        list(PROJECTS),
        platforms=[rattler.Subdir(name), "noarch"],
        virtual_packages=virtual,
    )
    return asyncio.run(solving)


@pytest.fixture(scope="module")
def link(imported: Imported) -> Callable[[str], Path]:
    prefixes: dict[str, Path] = {}

    def linked(name: str) -> Path:
        if name not in prefixes:
            prefixes[name] = imported.folder / f"prefix {name}"
            linking = rattler.install(
                solve(imported, name),
                prefixes[name],
                cache_dir=imported.folder / "rattler",
                platform=rattler.Subdir(name),
                show_progress=False,
            )
            asyncio.run(linking)
        return prefixes[name]

    return linked


def test_each_project_becomes_the_right_kind_of_package(imported: Imported) -> None:
    where: dict[str, set[str]] = {}
    for package in imported.packages:
        where.setdefault(package.name, set()).add(package.subdir)
        assert package.archive.parent == imported.channel / package.subdir
    assert where["six"] == where["attrs"] == {"noarch"}
    assert where["pyyaml"] == where["markupsafe"] == set(PLATFORMS)
    systems = {one.platforms for one in imported.packages if one.name == "pytest"}
    assert systems == {("linux-64", "linux-aarch64"), ("win-64",)}
    assert [one.platforms for one in imported.packages if one.name == "colorama"] == [("win-64",)]


@pytest.mark.parametrize("name", PLATFORMS)
def test_the_solver_takes_what_was_resolved(imported: Imported, name: str) -> None:
    meant = {(one.name, one.build) for one in imported.packages if name in one.platforms}
    solved = {(record.name.normalized, str(record.build)) for record in solve(imported, name)}
    assert solved - {("python", "0")} == meant


@pytest.mark.parametrize(
    ("name", "target"), [("linux-64", "x86_64-manylinux_2_28"), ("win-64", "x86_64-pc-windows-msvc")]
)
def test_modules_are_those_that_uv_installs(
    imported: Imported, link: Callable[[str], Path], tmp_path: Path, name: str, target: str
) -> None:
    """The differential test: every file beside the records of the installation, byte for byte."""
    pins = [f"{one.name}=={one.version}" for one in imported.packages if name in one.platforms]
    subprocess.run(
        [
            find_uv_bin(), "pip", "install", "--quiet", "--target", tmp_path / "uv", "--no-deps",
            "--python-platform", target, "--python-version", PYTHON, "--python", sys.executable,
            "--only-binary", ":all:", "--system-certs", *sorted(set(pins)),
        ],
        check=True,
        env=uv._environment(os.environ, {}),
    )  # fmt: skip
    expected, found = tree(tmp_path / "uv"), tree(link(name) / SITE[name])
    assert expected.keys() == found.keys()
    assert [path for path in expected if expected[path] != found[path]] == []


def tree(root: Path) -> dict[str, bytes]:
    """Files below a site-packages folder, without scripts, byte code and the records of an installation."""
    left_out = {"INSTALLER", "RECORD", "REQUESTED", ".lock", "__pycache__", "bin"}
    relative = [path.relative_to(root) for path in root.rglob("*") if path.is_file()]
    return {path.as_posix(): (root / path).read_bytes() for path in relative if not left_out & {*path.parts}}


def test_windows_gets_its_launchers(imported: Imported, link: Callable[[str], Path]) -> None:
    scripts = link("win-64") / "Scripts"
    assert (scripts / "pytest.exe").read_bytes() == windows_launcher()
    assert "import" in (scripts / "pytest-script.py").read_text()


def test_modules_import_and_metadata_names_real_files(link: Callable[[str], Path]) -> None:
    """Under the Python that runs this test, which is of the minor version that the packages are for."""
    program = """
import importlib, importlib.metadata, json, sys
sys.path.insert(0, sys.argv[1])
for name in ("six", "attr", "attrs", "yaml", "markupsafe", "pytest"):
    importlib.import_module(name)
import yaml, markupsafe
found = importlib.metadata.distributions(path=[sys.argv[1]])
missing = [str(file) for one in found for file in one.files if not file.locate().exists()]
print(json.dumps([yaml.__with_libyaml__, markupsafe.__file__, missing]))
"""
    site = link("linux-64") / SITE["linux-64"]
    done = subprocess.run(
        [sys.executable, "-S", "-B", "-I", "-c", program, site], check=True, capture_output=True, text=True
    )
    libyaml, module, missing = json.loads(done.stdout)
    assert libyaml
    assert module.startswith(str(site))
    assert missing == []


def test_a_second_import_fetches_and_converts_nothing(imported: Imported, tmp_path: Path) -> None:
    notes = Notes()
    again = run_import(tmp_path / "channel", *map(request, PROJECTS), cache=imported.cache, notes=notes)
    assert notes.finished["Fetch wheels"].startswith("0 fetched")
    assert notes.finished["Convert wheels"].startswith("0 made")
    before = {one.archive.name: sha256_file(one.archive) for one in imported.packages}
    assert {one.archive.name: sha256_file(one.archive) for one in again} == before


def test_an_import_into_a_fresh_cache_gives_the_same_bytes(imported: Imported, tmp_path: Path) -> None:
    again = run_import(tmp_path / "channel", request("pyyaml"), request("six"), cache=tmp_path / "cache")
    for package in again:
        twin = imported.channel / package.subdir / package.archive.name
        assert sha256_file(twin) == sha256_file(package.archive)


def test_versions_to_keep_are_kept_where_they_are_allowed(imported: Imported, tmp_path: Path) -> None:
    keep = {"linux-64": {"six": "1.16.0", "attrs": "25.1.0", "unasked": "1.0"}}
    packages = run_import(
        tmp_path,
        request("six", platforms=("linux-64",)),
        request("attrs", ">=25.2", platforms=("linux-64",)),
        cache=imported.cache,
        prefer=keep,
    )
    versions = {one.name: one.version for one in packages}
    assert versions["six"] == "1.16.0"
    assert versions.keys() == {"six", "attrs"}
    assert versions["attrs"] != "25.1.0"


def test_a_pin_that_the_index_lacks(imported: Imported, tmp_path: Path) -> None:
    with pytest.raises(BlockedError) as error:
        run_import(tmp_path, request("six", "1.16.99", ("linux-64",)), cache=imported.cache)
    assert "m.yaml:5:3: requests six 1.16.99" in error.value.message
    assert "1.16.0, 1.17.0" in error.value.message


def test_an_index_that_is_not_there(
    imported: Imported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(SourceUnreachableError, match=r"^127\.0\.0\.1:9 could not be reached") as error:
        run_import(tmp_path, request("six"), request("nope"), cache=imported.cache)
    assert "cached already: 1 of the 2 requested projects; not nope" in error.value.message


@pytest.fixture
def index(tmp_path: Path, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index in a folder, with one small project."""
    wheel = make_wheel(
        "cuvee_demo-1.0-py3-none-any.whl", metadata="Requires-Dist: nothing; os_name == 'java'\n"
    )
    page = tmp_path / "simple" / "cuvee-demo" / "index.html"
    page.parent.mkdir(parents=True)
    page.write_text(f'<a href="{wheel.as_uri()}#sha256={sha256_file(wheel)}">{wheel.name}</a>')
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "simple").as_uri())
    monkeypatch.setenv("UV_NO_CACHE", "1")
    return page


def test_an_index_in_a_folder(index: Path, tmp_path: Path) -> None:
    (package,) = run_import(tmp_path / "channel", request("cuvee-demo"), cache=tmp_path / "cache")
    assert (package.name, package.subdir, package.platforms) == ("cuvee-demo", "noarch", PLATFORMS)


def test_a_wheel_that_differs_from_the_index(index: Path, tmp_path: Path) -> None:
    page = index.read_text()
    index.write_text(page.replace(page.split("sha256=")[1][:64], "0" * 64))
    with pytest.raises(IntegrityError, match=r"cuvee_demo-1\.0.* nothing was imported"):
        run_import(tmp_path / "channel", request("cuvee-demo"), cache=tmp_path / "cache")
    assert not (tmp_path / "channel").exists()
