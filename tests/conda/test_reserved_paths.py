"""Paths that belong to the installer or to Python: the link plan and the desktop refuse the same ones."""

import pytest

from cuvee.conda.reserved_paths import reserved_for
from cuvee.errors import BlockedError
from cuvee.image.link_plan import refuse_reserved
from cuvee.image.model import FileKind, PlannedFile
from cuvee.platforms import get
from cuvee.runtime.failure import DAMAGED, InstallError
from cuvee.runtime.payload_places import check_places
from runtime.test_payload_manifest import manifest, package, read

INSTALLER = [
    "conda-meta", "conda-meta/cuvee.json", "conda-meta/cuvee", "conda-meta/cuvee/json.py",
    "conda-meta/cuvee/unproved", "conda-meta/cuvee/state.json", "conda-meta/cuvee/installer.sh",
    "conda-meta/cuvee-x", "conda-meta/other-1.0-0.json", "conda-meta/history", "Conda-Meta/History",
    ".cuvee", ".cuvee/runtime/json.py", ".cuvee-x", ".CUVEE/x", "cuvee-saved/x", ".nonadmin",
    "bin/tiny-admin",
]  # fmt: skip
PYTHON = [
    "bin/python", "bin/python3", "bin/python3.11", "lib/python3.11", "lib/python3.11/fcntl.py",
    "lib/python3.11/json/decoder.py", "lib/python3.11/lib-dynload/fcntl.so",
    "lib/python3.11/sitecustomize.py",
    "lib/python3.11/site-packages", "lib/python3.11/test", "lib/python311.zip", "LIB/Python3.11/fcntl.py",
    "pyvenv.cfg", "bin/pyvenv.cfg", "bin/python3.11._pth", "lib/libpython3.11.so.1._pth",
    "bin/pybuilddir.txt", "bin/Modules/Setup.local",
]  # fmt: skip
WINDOWS = [
    "Scripts/tiny-admin.cmd", "scripts/Tiny-Admin.exe", "Scripts/tiny-admin", "Uninstall-Tiny.exe",
    "CONDA-~1/cuvee.json", "conda-meta/CUVEE~1/x", "conda-meta./cuvee.json", "conda-meta /history",
]  # fmt: skip
WINDOWS_PYTHON = [
    "python.exe", "pythonw.exe", "python311.dll", "python3.dll", "python311.zip", "python311._pth",
    "Lib/os.py", "lib/json/x.pyc", "Lib", "DLLs/_ssl.pyd", "Lib./os.py",
]  # fmt: skip
ANYBODY = [
    "conda-meta/pinned", "share/.cuvee", "bin/other-admin", "lib/python3.11/site-packages/fcntl.py",
    "lib/python3.11/test/x.py", "lib/python3.11/json/tests/x.py", "lib/python3.11/config-3.11-x/libpython.a",
    "bin/python-config", "bin/pythonish", "share/pyvenv.cfg", "lib/python", "x.json",
]  # fmt: skip
ANYBODY_ON_WINDOWS = [
    "Lib/site-packages/fcntl.py", "Lib/test/x.pyc", "Lib/distutils/distutils.cfg", "Scripts/tiny.exe",
    "Library/bin/python3.dll", "share/short~1.txt", "python-x.exe",
]  # fmt: skip
CASES = [
    *(("linux-64", path, "the installer") for path in INSTALLER),
    *(("linux-64", path, "the package python") for path in PYTHON),
    *(("linux-64", path, None) for path in (*ANYBODY, "Scripts/tiny-admin.cmd", "DLLs/x", "python.exe")),
    *(("win-64", path, "the installer") for path in (*INSTALLER, *WINDOWS)),
    *(("win-64", path, "the package python") for path in WINDOWS_PYTHON),
    *(("win-64", path, None) for path in ANYBODY_ON_WINDOWS),
    *(("osx-arm64", path, "the installer") for path in INSTALLER),
]


def on_a_desktop(path: str, name: str, platform: str) -> None:
    folders, folder = ["conda-meta"], path.rpartition("/")[0]
    while folder:
        folders.append(folder)
        folder = folder.rpartition("/")[0]
    value = manifest(platform=platform, folders=folders, packages=[package(path) | {"name": name}])
    check_places(read(value))


def planned(path: str, kind: FileKind = FileKind.PLAIN) -> tuple[PlannedFile, ...]:
    return (PlannedFile(path=path, source=path, kind=kind, path_type="hardlink"),)


@pytest.mark.parametrize(("platform", "path", "owner"), CASES)
def test_whose_a_path_is(platform: str, path: str, owner: str | None) -> None:
    system = get(platform)
    for name in ("evil", "installer", "python"):
        expected = None if (owner, name) == ("the package python", "python") else owner
        assert reserved_for(path, name, distribution="tiny", platform=system) == expected
        if expected is None:
            refuse_reserved(name, planned(path), distribution="tiny", platform=system)
            on_a_desktop(path, name, platform)
            continue
        with pytest.raises(BlockedError, match=f"only {expected} may have"):
            refuse_reserved(name, planned(path), distribution="tiny", platform=system)
        with pytest.raises(InstallError, match="reserved") as caught:
            on_a_desktop(path, name, platform)
        assert caught.value.code == DAMAGED


def test_a_package_may_list_such_a_folder() -> None:
    folder = planned("conda-meta", FileKind.DIRECTORY)
    refuse_reserved("any", folder, distribution="tiny", platform=get("linux-64"))


def test_files_that_are_moved_aside_keep_their_place() -> None:
    path = "__clobbers__/evil/share/x"
    assert reserved_for(path, "evil", distribution="tiny", platform=get("linux-64")) == "the installer"
    on_a_desktop(path, "evil", "linux-64")


def test_links_stage0_and_extra_files_are_held_to_the_same() -> None:
    entry = ["bin/tiny-admin", 0o755, 1, "", "plain", None]
    link = package(links=[["conda-meta/history", "../bin/tool"]])
    frames = package("conda-meta/cuvee.json")["frames"]
    for changes in ({"stage0": [entry]}, {"packages": [link]}, {"extras": frames}):
        with pytest.raises(InstallError, match="reserved"):
            check_places(read(manifest(**changes)))
    frames = package("conda-meta/cuvee/sbom.cdx.json")["frames"]
    check_places(read(manifest(folders=["conda-meta", "conda-meta/cuvee"], extras=frames)))


def test_all_that_the_runtime_writes_is_reserved() -> None:
    from cuvee.runtime import prefix_state

    kept = {prefix_state.MARKER, prefix_state.MANIFEST, prefix_state.STATE, prefix_state.UNPROVED}
    kept |= {prefix_state.HISTORY, prefix_state.INSTALLER, prefix_state.SAVED, *prefix_state.TRANSIENT}
    for path in (*kept, *prefix_state.LOGS):
        assert reserved_for(path, "evil", distribution="tiny", platform=get("linux-64"))
