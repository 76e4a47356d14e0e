"""What pip and uv install is imported: compared with both, in real installations."""

import asyncio
import functools
import http.server
import os
import platform as host
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import rattler
from packaging.requirements import Requirement
from packaging.version import Version
from rattler.index import index_fs
from uv import find_uv_bin

from cuvee.channel.inspection import inspect_archive
from cuvee.channel.model import Interpreter
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.wheels import ImportedPackage, WheelRequest, import_wheels
from cuvee.errors import IntegrityError
from cuvee.files import sha256_file
from repaired_requirements import REPAIRED

pytestmark = pytest.mark.real

MakeWheel = Callable[..., Path]
PYTHON = host.python_version()
SUBDIR = {"x86_64": "linux-64", "aarch64": "linux-aarch64"}[host.machine()]
EMPTY = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"

RECORDS = {
    "capitals": ("module.py", EMPTY.replace("sha256", "SHA256")),
    "missing": None,
    "twice": ("module.py", EMPTY, "module.py", EMPTY),
    "dotted": ("./module.py", EMPTY),
    "folder": ("package/", "", "module.py", EMPTY),
    "surplus": ("gone.py", EMPTY, "module.py", EMPTY),
    "no-hash": ("module.py", ""),
    "weak": ("module.py", "md5=1B2M2Y8AsgTpgAmY7PhCfg"),
}


class Index:
    """A Python index in a folder, and what is imported and installed from it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.wheels = folder, list[Path]()

    def add(self, wheel: Path) -> None:
        self.wheels.append(wheel)
        page = self.folder / "simple" / wheel.name.split("-", maxsplit=1)[0].replace("_", "-") / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as stream:
            stream.write(f'<a href="{wheel.as_uri()}#sha256={sha256_file(wheel)}">{wheel.name}</a>\n')

    def imported(self, *names: str) -> dict[str, ImportedPackage]:
        packages = import_wheels(
            [WheelRequest(name=name, platforms=(SUBDIR,), position="m.yaml:5:3") for name in names],
            {SUBDIR: Interpreter(platform=SUBDIR, version=PYTHON, archive=Path("p.conda"), origin="a test")},
            {SUBDIR: {"glibc": "2.28"}},
            folder=self.folder / "channel",
            cache=self.folder / "cache",
        )
        return {package.name: package for package in packages}

    def pip(self, prefix: Path) -> None:
        argv = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
        argv += ["--ignore-installed", "--no-warn-script-location", "--prefix", str(prefix)]
        subprocess.run([*argv, *map(str, self.wheels)], check=True)

    def uv(self, prefix: Path) -> None:
        argv = [find_uv_bin(), "pip", "install", "--quiet", "--no-index", "--no-deps", "--offline"]
        argv += ["--python", sys.executable, "--prefix", str(prefix)]
        subprocess.run([*argv, *map(str, self.wheels)], check=True)

    def link(self, prefix: Path, *names: str) -> None:
        """Link imported packages as rattler does, with the Python that runs this test."""
        python = PackageContent(
            name="python", version=PYTHON, build="0", subdir=SUBDIR, timestamp=1_000_000_000_000,
            files=tuple(
                PackageFile(path=f"bin/{name}", content=b"", link_target=sys.executable)
                for name in ("python", "python" + ".".join(PYTHON.split(".")[:2]))
            ),
        )  # fmt: skip
        write_package(python, self.folder / "channel" / SUBDIR)
        asyncio.run(index_fs(self.folder / "channel"))
        solving = rattler.solve(
            [(self.folder / "channel").as_uri()], list(names), platforms=[rattler.Subdir(SUBDIR), "noarch"]
        )
        linking = rattler.install(
            asyncio.run(solving), prefix, cache_dir=self.folder / "rattler", show_progress=False
        )
        asyncio.run(linking)


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "simple").as_uri())
    monkeypatch.setenv("UV_NO_CACHE", "1")
    return Index(tmp_path)


def record(wheel: Path, lines: tuple[str, ...] | None) -> str:
    """The RECORD of a wheel, with other lines for its one module."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/RECORD"))
        good = archive.read(name).decode().splitlines(keepends=True)
    kept = [line for line in good if not line.startswith('"module.py"')]
    pairs = zip(*[iter(lines or ())] * 2, strict=True)
    return "".join([*(f"{path},{digest},\n" for path, digest in pairs), *kept])


def test_records_that_pip_and_uv_accept_are_imported_with_a_note(
    index: Index, make_wheel: MakeWheel, tmp_path: Path
) -> None:
    for name, lines in RECORDS.items():
        file_name = f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
        good = make_wheel(file_name, {"module.py": b"", "package/x.py": b""})
        index.add(make_wheel(file_name, {"module.py": b"", "package/x.py": b""}, record=record(good, lines)))
    index.pip(tmp_path / "pip")
    index.uv(tmp_path / "uv")
    found = index.imported(*RECORDS)
    assert found.keys() == RECORDS.keys()
    for package in found.values():
        assert inspect_archive.inspect_archive(package.archive).irregularities


def test_a_hash_that_differs_is_refused(index: Index, make_wheel: MakeWheel) -> None:
    file_name = "evil-1.0-py3-none-any.whl"
    good = make_wheel(file_name, {"module.py": b""})
    lines = ("module.py", EMPTY.replace("47DE", "57DE"))
    index.add(make_wheel(file_name, {"module.py": b""}, record=record(good, lines)))
    with pytest.raises(IntegrityError, match=r"'module\.py' is refused: its hash is not the one in RECORD"):
        index.imported("evil")


SCRIPTS = {
    "plain": b"#!python\nprint('started')\n",
    "three": b"#!python3\nprint('started')\n",
    "window": b"#!pythonw\nprint('started')\n",
    "windows-lines": b"#!python\r\nprint('started')\r\n",
    "with space": b"#!python3\r\nprint('started')\r\n",
}


def test_scripts_start_as_after_pip_and_uv(index: Index, make_wheel: MakeWheel, tmp_path: Path) -> None:
    def add_scripts(archive: zipfile.ZipFile) -> None:
        for name, data in SCRIPTS.items():
            member = zipfile.ZipInfo(f"demo-1.0.data/scripts/{name}")
            member.external_attr = 0o100755 << 16
            archive.writestr(member, data)

    modules = {"demo.py": b"def main():\n    print('started')\n"}
    points = "[console_scripts]\nfrom point = demo:main\nc++point = demo:main\n"
    index.add(make_wheel(files=modules, entry_points=points, raw=add_scripts))
    index.imported("demo")
    index.pip(tmp_path / "pip")
    index.uv(tmp_path / "uv")
    index.link(tmp_path / "conda", "demo")
    site = next((tmp_path / "pip").glob("lib/python*/site-packages"))
    environment = {**os.environ, "PYTHONPATH": str(site)}
    for installed in ("pip", "uv", "conda"):
        for name in (*SCRIPTS, "c++point", "from point"):
            if (installed, name) == ("pip", "from point"):
                continue  # pip calls it " point"
            script = tmp_path / installed / "bin" / name
            done = subprocess.run([script], check=True, capture_output=True, text=True, env=environment)
            assert done.stdout == "started\n"


def test_requirements_are_repaired_as_uv_does_it(index: Index, make_wheel: MakeWheel, tmp_path: Path) -> None:
    versions = ("0.1", "1.0", "1.3.5", "1.9.1", "2.7", "3.0.1", "3.5", "3.6", "3.7", "3.13", "3.13.1")
    for version in (*versions, "5.0.1", "7.5.0", "8.5", "9.5"):
        index.add(make_wheel(f"dep-{version}-py3-none-any.whl"))
    projects = {f"p{number}": written for number, written in enumerate(REPAIRED)}
    for name, written in projects.items():
        index.add(make_wheel(f"{name}-1.0-py3-none-any.whl", metadata=f"Requires-Dist: {written}\n"))
    for name, written in projects.items():
        meant = Requirement(REPAIRED[written])
        argv = [find_uv_bin(), "pip", "compile", "-", "--no-header", "--no-annotate", "--quiet"]
        done = subprocess.run(argv, input=name, check=True, capture_output=True, text=True, cwd=tmp_path)
        of_uv = re.findall(r"^dep==(.*)$", done.stdout, flags=re.MULTILINE)
        fits = [wheel.name.split("-")[1] for wheel in index.wheels if wheel.name.startswith("dep-")]
        here = meant.marker is None or meant.marker.evaluate()
        best = max(meant.specifier.filter(fits), key=Version) if here else None
        assert of_uv == ([best] if best else []), written


def test_of_several_builds_that_of_uv_is_imported(index: Index, make_wheel: MakeWheel) -> None:
    for version in ("1.0", "2.0", "3.0", "4.0"):
        index.add(make_wheel(f"dep-{version}-py3-none-any.whl"))
    for build, bound in (("", "<2"), ("1-", "<3"), ("10-", "<4"), ("2-", "<5")):
        index.add(make_wheel(f"demo-1.0-{build}py3-none-any.whl", metadata=f"Requires-Dist: dep{bound}\n"))
    found = index.imported("demo")
    assert found["demo"].wheel == "demo-1.0-10-py3-none-any.whl"
    assert found["dep"].version == "3.0"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


def test_metadata_of_an_index_that_are_not_those_of_the_wheel(
    tmp_path: Path, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uv reads what the index states, and not the wheel: https://peps.python.org/pep-0658/."""
    wheel = make_wheel("demo-1.0-py3-none-any.whl", metadata="Requires-Dist: dep<2\n")
    stated = wheel.with_name(f"{wheel.name}.metadata")
    stated.write_text("Metadata-Version: 2.4\nName: demo\nVersion: 1.0\n")
    page = tmp_path / "simple" / "demo" / "index.html"
    page.parent.mkdir(parents=True)
    link = f'href="/index/{wheel.name}#sha256={sha256_file(wheel)}" data-core-metadata="true"'
    page.write_text(f"<!DOCTYPE html><a {link}>{wheel.name}</a>")
    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            monkeypatch.setenv("UV_DEFAULT_INDEX", f"http://127.0.0.1:{server.server_port}/simple")
            monkeypatch.setenv("UV_NO_CACHE", "1")
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            with pytest.raises(IntegrityError, match=r"its METADATA is not what its index states.*dep<2"):
                Index(tmp_path).imported("demo")
        finally:
            server.shutdown()
            thread.join()
