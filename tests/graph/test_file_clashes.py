"""What the checks of files say, against what the image makes of the same packages."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive_contents import FLOORS
from checked_sets import manifest_of
from cuvee.channel.inspection.inspect_archive import inspect_archive
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_info import read_info
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import BlockedError, IntegrityError
from cuvee.graph.checks import run_checks
from cuvee.graph.checks.file_clashes import FileCaseCheck, FileClashesCheck, collisions
from cuvee.graph.findings import Verdict
from cuvee.graph.release_graph import ReleaseGraph, build_graph, with_contents
from cuvee.image.clobber import resolve_clobbers
from cuvee.image.link_plan import plan_package
from cuvee.image.python_paths import PythonPaths
from cuvee.lock.model import Lock, PlatformLock

PATHS = (
    "bin/run", "Scripts/run.exe", "Scripts/run-script.py", "share/x", "share/X", "share/x/deep",
    "Share/X/deep", "site-packages/m.py", "python-scripts/run", "lib/python3.11/site-packages/m.py",
    "Lib/site-packages/m.py",
)  # fmt: skip

packages = st.dictionaries(
    st.sampled_from("abc"),
    st.fixed_dictionaries(
        {
            "files": st.dictionaries(st.sampled_from(PATHS), st.sampled_from([b"1", b"2"]), max_size=4),
            "pure": st.booleans(),
            "commands": st.sampled_from([(), ("run = m:main",), ("run = m:other",)]),
        }
    ),
    min_size=2,
)


@given(chosen=packages, platform=st.sampled_from(["linux-64", "win-64", "osx-arm64"]))
@settings(max_examples=60)
def test_the_checks_say_what_the_image_does(
    tmp_path: Path, chosen: dict[str, dict[str, Any]], platform: str
) -> None:
    archives = {name: _write(name, what, platform, tmp_path) for name, what in chosen.items()}
    archives["python"] = _write("python", {"files": {}, "pure": False, "commands": ()}, platform, tmp_path)
    graph = _graph(archives, platform)
    try:
        expected: Any = _image(graph, archives)
    except (BlockedError, IntegrityError) as error:
        expected = type(error)
    contents = graph.platforms[0].contents
    assert contents is not None
    found = collisions(contents)
    (clashes, case) = run_checks(graph, [FileClashesCheck(), FileCaseCheck()])
    blocked = [f for r in (clashes, case) for f in r.findings if f.verdict is Verdict.BLOCKED]
    if expected is IntegrityError:
        assert any(finding.kind == "twice" for finding in blocked)
    elif expected is BlockedError:
        assert blocked
    else:
        assert not blocked
        told = {(path, names) for (names, _), paths in found.items() for path in paths}
        if platform != "linux-64":  # folders that differ only by case have one spelling in the image
            told, expected = ({(path.casefold(), names) for path, names in each} for each in (told, expected))
        assert told == expected


def _image(graph: ReleaseGraph, archives: dict[str, Path]) -> set[tuple[str, tuple[str, ...]]]:
    """Return each path that several packages claim, with these packages."""
    python = PythonPaths.of_lock(graph.platforms[0].lock, None)
    plans = {
        name: plan_package(read_info(path), python, launcher=b"MZ") for name, path in sorted(archives.items())
    }
    ignore_case = python.platform.system != "linux"
    claims: dict[str, list[str]] = {}
    for name, files in sorted(resolve_clobbers(plans, sorted(archives), ignore_case=ignore_case).items()):
        for file in files:
            claims.setdefault(file.original_path or file.path, []).append(name)
    return {(path, tuple(names)) for path, names in claims.items() if len(names) > 1}


def _write(name: str, what: dict[str, Any], platform: str, folder: Path) -> Path:
    pure = what["pure"]
    content = PackageContent(
        name=name,
        version="3.11.1" if name == "python" else "1",
        build="0",
        subdir="noarch" if pure else platform,
        noarch="python" if pure else None,
        entry_points=what["commands"] if pure else (),
        timestamp=0,
        files=tuple(PackageFile(path=path, content=data) for path, data in what["files"].items()),
    )
    return write_package(content, folder / platform)


def _graph(archives: dict[str, Path], platform: str) -> ReleaseGraph:
    locked, known = [], {}
    for name, path in sorted(archives.items()):
        archive = inspect_archive(path)
        package = LockedPackage(
            name=name,
            version=archive.index.version,
            build="0",
            build_number=0,
            platform=platform,
            subdir=archive.index.subdir or platform,
            url=f"channel/{path.name}",
            channel="channel",
            sha256=archive.sha256,
            noarch="python" if archive.index.noarch else None,
        )
        locked.append(package)
        known[package.identifier] = archive
    lock = PlatformLock(platform=platform, packages=tuple(locked), virtual_packages=FLOORS[platform])
    return with_contents(build_graph(manifest_of(), Lock(platforms=(lock,))), known)


@pytest.mark.parametrize("platform", ["win-64", "osx-arm64"])
def test_a_file_and_a_folder_that_differ_by_case_can_not_both_be(tmp_path: Path, platform: str) -> None:
    def what(path: str) -> dict[str, Any]:
        return {"files": {path: b""}, "pure": False, "commands": ()}

    archives = {
        "a": _write("a", what("share/x"), platform, tmp_path),
        "b": _write("b", what("Share/X/deep"), platform, tmp_path),
    }
    (result,) = run_checks(_graph(archives, platform), [FileClashesCheck()])
    assert [finding.cause for finding in result.findings] == ["share/x is a file in a and a folder in b"]
