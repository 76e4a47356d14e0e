"""Interpreters that are really packed, put somewhere else, and asked whether they work."""

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.channel.interpreter import elf, pack_interpreters
from cuvee.channel.interpreter.compiled_library import LibraryCompiler
from cuvee.channel.interpreter.debian_packages import _MACHINES, pack_debian
from cuvee.channel.interpreter.embeddable_build import pack_windows
from cuvee.channel.interpreter.host_interpreter import (
    InterpreterDescription,
    base_executable,
    host_tree,
    probe,
)
from cuvee.channel.interpreter.library_closure import belongs_to_glibc
from cuvee.channel.interpreter.linux_package import linux_content
from cuvee.channel.interpreter.model import InterpreterContent, LinuxTree, minor_of
from cuvee.channel.interpreter.selftest import AWKWARD, PROGRAM, check_content, selftest
from cuvee.channel.model import Absent, Interpreter
from cuvee.errors import CuveeError
from cuvee.platforms import host
from cuvee.process import find
from cuvee.progress import SILENT
from needed_programs import HANGING, need

pytestmark = pytest.mark.real

HOST = host()
DEBIAN_PYTHON = Path("/usr/bin/python3")
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

on_linux = pytest.mark.skipif(HOST is None or HOST.system != "linux", reason="needs a Linux host")


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def probed() -> InterpreterDescription:
    return probe(base_executable())


def _pack(platform: str, cache: Path, executable: Path | None = None) -> Interpreter:
    (result,) = pack_interpreters([platform], cache=cache, reporter=SILENT, executable=executable)
    assert isinstance(result, Interpreter), result
    return result


def _extract(archive: Path, prefix: Path) -> Path:
    from rattler.package_streaming import extract

    prefix.parent.mkdir(parents=True, exist_ok=True)
    extract(archive, prefix)
    return prefix


@pytest.fixture(scope="session")
def packed(cache: Path) -> Interpreter:
    if HOST is None or HOST.system != "linux":
        pytest.skip("needs a Linux host")
    return _pack(HOST.name, cache)


@pytest.fixture(scope="session")
def prefix(packed: Interpreter, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _extract(packed.archive, tmp_path_factory.mktemp("host") / AWKWARD)


def test_the_hosts_interpreter_works_elsewhere(prefix: Path, packed: Interpreter) -> None:
    result = selftest(prefix)
    assert result.problems == {}
    assert result.version.startswith(packed.version)


def _hiding(folders: list[Path], empty: Path) -> list[str]:
    """Return a command's beginning that runs the rest of it where ``folders`` are empty."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        pytest.skip("needs root and unshare, to hide the source interpreter")
    mounts = [f"mount --bind '{empty}' '{folder}'" for folder in folders if folder.is_dir()]
    argv = ["unshare", "--mount", "sh", "-c", " && ".join([*mounts, 'exec "$@"']), "hiding"]
    if subprocess.run([*argv, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("needs leave to mount folders in a namespace of its own")
    return argv


def test_it_works_when_its_source_is_gone(
    prefix: Path, probed: InterpreterDescription, tmp_path: Path
) -> None:
    own = [probed.stdlib, Path("/usr/share/python-wheels"), Path("/usr/lib/python3"), Path("/usr/local/lib")]
    if probed.prefix not in {Path("/usr"), Path("/usr/local")}:
        own.append(probed.prefix)
    result = selftest(prefix, runner=_hiding(own, tmp_path))
    assert result.problems == {}


def test_it_needs_nothing_but_the_c_library(prefix: Path, packed: Interpreter, tmp_path: Path) -> None:
    _hiding([], tmp_path)
    if shutil.which("apt-get") is None or packed.platform not in _MACHINES:
        pytest.skip("needs apt, for a C library to make an otherwise empty system of")
    system = c_library(packed.platform, tmp_path)
    for folder in ("dev", "proc", "tmp", "opt"):
        (system / folder).mkdir()
    if not (system / "lib64").exists():
        (system / "lib64").symlink_to(next((system / "lib").glob("*-linux-gnu")).relative_to(system))
    shutil.copytree(prefix, system / "opt" / AWKWARD, symlinks=True)
    shutil.copy(PROGRAM, system / "tmp" / "selftest.py")
    script = (
        'mount --bind /proc "$1/proc" && mount --bind /dev "$1/dev" && exec chroot "$1" "$2/bin/python3" '
        '-s -B /tmp/selftest.py "$2" /tmp'
    )
    argv = [find("unshare", hint=""), "--mount", "sh", "-c", script, "jail", str(system), f"/opt/{AWKWARD}"]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108
    done = subprocess.run(argv, env=environment, capture_output=True, check=True)
    assert json.loads(done.stdout)["problems"] == {}


def test_it_trusts_the_systems_authorities_wherever_openssl_looks(prefix: Path, tmp_path: Path) -> None:
    if not SYSTEM_CERTIFICATES.is_file():
        pytest.skip(f"needs {SYSTEM_CERTIFICATES}")
    code = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    argv = [*_hiding([Path("/usr/lib/ssl")], tmp_path), str(prefix / "bin/python"), "-I", "-c", code]
    done = subprocess.run(
        argv, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, check=True
    )
    assert int(done.stdout) > 10


def test_its_pip_installs_into_site_packages(prefix: Path, packed: Interpreter, tmp_path: Path) -> None:
    _check_pip([], prefix, packed, tmp_path / "a venv")


def _check_pip(runner: list[str], prefix: Path, packed: Interpreter, venv: Path) -> None:
    if not (prefix / f"lib/python{packed.minor}/ensurepip").is_dir():
        pytest.skip("needs a source interpreter that has ensurepip and its wheels")
    subprocess.run([*runner, str(prefix / "bin/python"), "-m", "venv", str(venv)], check=True)
    argv = [*runner, str(venv / "bin/python"), "-m", "pip", "--version"]
    assert str(venv) in subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_it_builds_with_its_own_settings(prefix: Path) -> None:
    code = (
        "import sysconfig, json; print(json.dumps([sysconfig.get_path('include'), "
        "sysconfig.get_config_vars('prefix', 'LIBDIR', 'INCLUDEPY')]))"
    )
    said = subprocess.run([prefix / "bin/python", "-c", code], capture_output=True, check=True).stdout
    include, settings = json.loads(said)
    assert [include, *settings] == [settings[2], str(prefix), str(prefix / "lib"), settings[2]]
    assert Path(settings[2]).is_relative_to(prefix)


def test_the_second_time_nothing_is_packed_again_and_elsewhere_the_same(
    packed: Interpreter, cache: Path, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cuvee.channel.interpreter.linux_package", None)
        assert _pack(packed.platform, cache) == packed
    again = _pack(packed.platform, tmp_path)
    assert again.archive.name == packed.archive.name
    assert again.archive.read_bytes() == packed.archive.read_bytes()


def test_rattler_reads_what_it_needs(prefix: Path, packed: Interpreter) -> None:
    from rattler import IndexJson, PathsJson

    record = IndexJson.from_package_directory(prefix)
    assert (record.name.normalized, str(record.version)) == ("python", packed.version)
    assert record.python_site_packages_path == f"lib/python{packed.minor}/site-packages"
    paths = PathsJson.from_package_directory(prefix)
    assert {f"bin/python{packed.minor}", "bin/python3", "bin/python"} <= {
        str(entry.relative_path) for entry in paths.paths
    }
    programs = [path.read_bytes() for path in prefix.rglob("*") if path.is_file() and elf.is_elf(path)]
    newest = max(int(minor) for data in programs for minor in re.findall(rb"\0GLIBC_2\.(\d+)", data))
    assert f"__glibc >=2.{newest},<3.0.a0" in [str(spec) for spec in record.depends]


@pytest.fixture(scope="session")
def tree(probed: InterpreterDescription) -> LinuxTree:
    if HOST is None or HOST.system != "linux":
        pytest.skip("needs a Linux host")
    described = host_tree(HOST.name, probed, os.environ)
    assert isinstance(described, LinuxTree)
    return described


@pytest.fixture(scope="session")
def layout(tree: LinuxTree) -> InterpreterContent:
    return linux_content(tree)


def test_libraries_are_those_that_ldd_finds(tree: LinuxTree, layout: InterpreterContent) -> None:
    packed = {Path(file.path).name for file in layout.files if file.path.startswith("lib-dynload/", 15)}
    found: set[str] = set()
    for path in (tree.executable, *(path for path in tree.dynload.glob("*.so") if path.name in packed)):
        said = subprocess.run(
            [find("ldd", hint=""), path], capture_output=True, text=True, check=False
        ).stdout
        found |= set(re.findall(r"^\s+(\S+) => /", said, re.MULTILINE))
    ours = {Path(file.path).name for file in layout.files if re.fullmatch(r"lib/[^/]+", file.path)}
    assert ours == {name for name in found if not belongs_to_glibc(name)}


def test_a_packed_interpreter_that_lacks_a_part_is_refused(
    layout: InterpreterContent, tmp_path: Path
) -> None:
    lame = replace(layout, files=tuple(file for file in layout.files if "/sqlite3/" not in file.path))
    with pytest.raises(CuveeError, match="sqlite3: ModuleNotFoundError"):
        check_content(lame, tmp_path)
    dead = replace(layout, files=tuple(file for file in layout.files if "/encodings/" not in file.path))
    with pytest.raises(CuveeError, match="does not run"):
        check_content(dead, tmp_path)


@on_linux
def test_debians_own_interpreter_uses_site_packages(cache: Path, tmp_path: Path) -> None:
    if not DEBIAN_PYTHON.exists() or DEBIAN_PYTHON.resolve() == base_executable():
        pytest.skip("needs the distribution's python3 beside the one that runs cuvee")
    assert HOST is not None
    result = _pack(HOST.name, cache, DEBIAN_PYTHON.resolve())
    prefix = _extract(result.archive, tmp_path / AWKWARD)
    site = prefix / f"lib/python{result.minor}/site-packages"
    site.mkdir()
    (site / "own.py").write_text("", encoding="utf-8")
    (site / "own.pth").write_text("import sys; sys.own = 1\n", encoding="utf-8")
    (site / "sitecustomize.py").write_text("import sys; sys.theirs = 1\n", encoding="utf-8")
    hidden = [Path("/usr/lib", f"python{result.minor}"), Path("/usr/lib/python3"), Path("/usr/local/lib")]
    hidden.append(Path("/usr/share/python-wheels"))
    (tmp_path / "empty").mkdir()
    runner = _hiding(hidden, tmp_path / "empty")
    assert selftest(prefix, runner=runner).problems == {}
    for options in ([], ["-X", "frozen_modules=off"]):
        code = "import own, sys, site; print(sys.own, sys.theirs, *site.getsitepackages(), sep='|')"
        argv = [*runner, str(prefix / "bin/python"), *options, "-c", code]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert done.stdout.strip() == f"1|1|{site}"
    _check_pip(runner, prefix, result, tmp_path / "a venv")


def test_windows_runs_under_wine(probed: InterpreterDescription, cache: Path, tmp_path: Path) -> None:
    need("wine")
    result = pack_windows("win-64", minor_of(probed.version), cache=cache, reporter=SILENT)
    assert isinstance(result, Interpreter), result
    prefix = _extract(result.archive, tmp_path / AWKWARD)
    (prefix / "Lib/site-packages").mkdir()
    program = tmp_path / "selftest.py"
    program.write_bytes(PROGRAM.read_bytes())
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "WINEDEBUG": "-all", "LANG": "C.UTF-8"}
    windows = [f"Z:{path}" for path in (program, prefix, tmp_path)]
    argv = [find("wine", hint=""), str(prefix / "python.exe"), "-s", "-B", *windows, "venv"]
    done = subprocess.run(
        argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=HANGING, check=False
    )
    said = json.loads(done.stdout)
    assert said["problems"] == {}
    assert said["version"].startswith(result.version)
    subprocess.run([find("wineserver", hint=""), "-k"], env=environment, check=False)


@pytest.fixture(scope="session")
def other_machine(cache: Path, probed: InterpreterDescription) -> Interpreter:
    if HOST is None or HOST.name not in _MACHINES or shutil.which("apt-get") is None:
        pytest.skip("needs a Linux host with apt")
    (other,) = set(_MACHINES) - {HOST.name}
    result = pack_debian(
        other,
        minor_of(probed.version),
        compiler=LibraryCompiler(
            executable=probed.executable, version=probed.version, cache=cache, reporter=SILENT
        ),
        cache=cache,
        reporter=SILENT,
    )
    if isinstance(result, Absent):
        pytest.skip(f"needs apt sources that have this Python: {result.reason}")
    return result


def test_debians_interpreter_for_the_other_machine_runs(other_machine: Interpreter, tmp_path: Path) -> None:
    emulator = shutil.which(
        {"linux-aarch64": "qemu-aarch64-static", "linux-64": "qemu-x86_64-static"}[other_machine.platform]
    )
    if emulator is None:
        pytest.skip("needs qemu-user-static")
    prefix = _extract(other_machine.archive, tmp_path / AWKWARD)
    (prefix / other_machine_site(other_machine)).mkdir()
    library = c_library(other_machine.platform, tmp_path)
    # The emulator does not follow into programs that are started by a program.
    result = selftest(prefix, runner=[emulator, "-L", str(library)], skip=["venv", "multiprocessing"])
    assert result.problems == {}
    assert result.version.startswith(other_machine.version)


def other_machine_site(interpreter: Interpreter) -> str:
    return f"lib/python{interpreter.minor}/site-packages"


def c_library(platform: str, folder: Path) -> Path:
    """Unpack the other machine's C library, which no package of ours brings."""
    from cuvee.channel.interpreter.apt import Apt

    apt = Apt(_MACHINES[platform][0], folder / "apt")
    apt.update()
    root = folder / "root"
    for download in apt.download(["libc6"]):
        subprocess.run([find("dpkg-deb", hint=""), "--extract", download.path, root], check=True)
    return root


def test_the_program_of_the_self_test_needs_no_cuvee() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"exec(open({str(PROGRAM)!r}).read(), {{}})"], check=True
    )
    assert done.returncode == 0


def test_a_prefix_without_its_library_looks_nowhere_else(
    prefix: Path, probed: InterpreterDescription, tmp_path: Path
) -> None:
    if probed.prefix in {Path("/usr"), Path("/usr/local")}:
        pytest.skip("needs a source interpreter with a prefix of its own")
    lame = tmp_path / "lame"
    shutil.copytree(prefix, lame, symlinks=True)
    (lame / f"lib/python{minor_of(probed.version)}/os.py").unlink()
    done = subprocess.run([lame / "bin/python", "-c", "0"], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert str(probed.prefix) not in done.stderr


@pytest.mark.parametrize("runpath", ["$ORIGIN/../..", "$ORIGIN/" + "../" * 60 + "lib"])
def test_a_search_path_is_replaced_whether_it_fits_or_not(
    tree: LinuxTree, tmp_path: Path, runpath: str
) -> None:
    module = next(path for path in tree.dynload.glob("_bz2*.so"))
    if not elf.read(module).runpath:
        pytest.skip("needs a source interpreter that was built with a search path")
    changed = tmp_path / module.name
    changed.write_bytes(elf.with_runpath(module, runpath))
    assert elf.read(changed).runpath == (runpath,)
    assert elf.read(changed).needed == elf.read(module).needed
    assert elf.read(changed).glibc == elf.read(module).glibc
    code = (
        "import importlib.util as u, sys; u.module_from_spec(u.spec_from_file_location('_bz2', sys.argv[1]))"
    )
    subprocess.run([tree.executable, "-c", code, changed], check=True)
