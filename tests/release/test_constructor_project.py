"""The project for constructor that a release carries, and constructor as the engine."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from cuvee import process
from cuvee.installers.constructor.project_reader import read_project
from cuvee.installers.constructor.project_writer import solving_environment
from cuvee.installers.constructor.yaml_document import read_document
from cuvee.installers.whole_installer import read_installer
from cuvee.release.record import Release
from needed_programs import HANGING, needed
from tiny_distribution import Distribution

pytestmark = pytest.mark.real

FAKE = """\
#!{python}
import pathlib, sys
if sys.argv[1:] == ["--version"]:
    print("constructor 3.16.3")
else:
    folder = pathlib.Path(sys.argv[sys.argv.index("--output-dir") + 1])
    text = pathlib.Path(sys.argv[1], "construct.yaml").read_text()
    (folder / "Tiny.sh").write_text("exit 9\\n# " + text.splitlines()[0])
"""


SHARED_CACHE = """\
#!{python}
import json, pathlib, sys
if sys.argv[1:] == ["--version"]:
    print("constructor 3.16.3")
    sys.exit()
given = dict(zip(sys.argv[2::2], sys.argv[3::2]))
cache, project = pathlib.Path(given["--cache-dir"]), pathlib.Path(sys.argv[1]).resolve()
cache.mkdir(parents=True, exist_ok=True)
urls = cache / "urls.txt"
known = set(urls.read_text().splitlines()) if urls.exists() else set()
channel = (project / "../../../channel").resolve()
known |= {{path.as_uri() for path in channel.glob("*/*.conda")}}
urls.write_text("\\n".join(sorted(known)))
names = [url.rpartition("/")[2] for url in known]
if len(names) != len(set(names)):
    sys.exit("Error: Duplicate packages found")
pathlib.Path(given["--output-dir"], "Tiny.sh").write_text("exit 9\\n")
"""
"""What a cache does to constructor: the URLs in it are of all channels that it was used with."""


def project(result: Release, platform: str) -> Path:
    return result.folder / "installers" / "constructor" / platform / "construct.yaml"


@pytest.fixture
def engine(tiny_text: str) -> str:
    """The tiny distribution's manifest, which wants constructor."""
    return tiny_text.replace("linux: [sh]}", "linux: [sh]}, engine: constructor")


def test_each_platform_has_a_project_with_its_lock(tiny: tuple[Distribution, Release]) -> None:
    result = tiny[1]
    for lock in result.lock.platforms:
        found = read_project(project(result, lock.platform), lock.platform, environment={})
        assert found.packages.specs == tuple(
            f"{item.name}=={item.version}={item.build}[sha256={item.sha256}]" for item in lock.packages
        )
        assert found.packages.channels == (str(result.folder / "channel"),)
        assert found.warnings == ()
    names = [path.parent.name for path in result.folder.glob("installers/constructor/*/construct.yaml")]
    assert sorted(names) == sorted(result.lock.by_platform)


def test_the_projects_fit_constructors_schema(tiny: tuple[Distribution, Release], shared_data: Path) -> None:
    schema = json.loads((shared_data / "schemas" / "construct.schema.json").read_text(encoding="utf-8"))
    for lock in tiny[1].lock.platforms:
        values = read_document(project(tiny[1], lock.platform), lock.platform, {})
        jsonschema.validate(values, schema)


def test_constructor_itself_finds_the_same_packages(
    tiny: tuple[Distribution, Release], tmp_path: Path
) -> None:
    program = needed("constructor")
    for lock in tiny[1].lock.platforms[:1]:
        done = process.run(
            process.Request(
                argv=(program, ".", "--dry-run", "--verbose", "--cache-dir", str(tmp_path / "cache")),
                cwd=project(tiny[1], lock.platform).parent,
                environment={**os.environ, **solving_environment(lock)},
                timeout=HANGING,
            )
        )
        assert done.ok, done.stderr
        assert f"number of packages: {len(lock.packages)}" in done.stderr
        assert all(item.file_name in done.stderr for item in lock.packages)


@pytest.fixture
def constructor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program of this name, and with this text, on PATH."""

    def put(text: str) -> None:
        program = tmp_path / "bin" / "constructor"
        program.parent.mkdir()
        program.write_text(text.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")

    return put


def test_without_constructor_the_installer_is_missing(
    copied: Callable[[], Distribution], engine: str, host_platform: str
) -> None:
    if shutil.which("constructor"):
        pytest.skip("needs a machine without constructor")
    distribution = copied()
    result = distribution.cut(distribution.write(engine), host_platform)
    (artefact,) = result.handed_out
    assert artefact.not_made is not None
    assert artefact.not_made.reason == "The program constructor is not installed"
    assert "conda-forge constructor" in artefact.not_made.remedy


def test_constructor_makes_the_installer(
    copied: Callable[[], Distribution],
    engine: str,
    host_platform: str,
    constructor: Callable[[str], None],
) -> None:
    constructor(FAKE)
    distribution = copied()
    result = distribution.cut(distribution.write(engine), host_platform)
    (artefact,) = result.handed_out
    text = (result.folder / artefact.path).read_text(encoding="utf-8")
    assert text == f"exit 9\n# # Tiny 2026.11.0 for {host_platform}, with the packages of its lock."
    assert any(
        "CONDA_SUBDIR" in line and "--installer-type sh" in line for line in distribution.recorder.lines
    )
    assert [run.platform for run in result.runs] == [host_platform], "what ships is what is tested"
    assert result.verdict.exit_code, "this one does not install"


def test_what_constructor_cannot_do_is_said(
    copied: Callable[[], Distribution],
    engine: str,
    host_platform: str,
    constructor: Callable[[str], None],
    tmp_path: Path,
) -> None:
    constructor(FAKE)
    (tmp_path / "installer.yaml").write_text("bytecode: none\n", encoding="utf-8")
    distribution = copied()
    distribution.cut(
        distribution.write(engine.replace("constructor}", f"constructor, branding: {tmp_path}}}")),
        host_platform,
    )
    (said,) = [line for line in distribution.recorder.lines if "bytecode" in line]
    assert said == (
        f"{host_platform}: constructor has no setting for `bytecode: none`; its installers "
        "have the byte code that packages bring"
    )


def test_a_second_release_does_not_meet_the_packages_of_the_first(
    copied: Callable[[], Distribution],
    engine: str,
    host_platform: str,
    constructor: Callable[[str], None],
) -> None:
    constructor(SHARED_CACHE)
    distribution = copied()
    for version in ("2026.11.0", "2026.12.0"):
        text = engine.replace("2026.11.0", version)
        result = distribution.cut(distribution.write(text, version), host_platform)
        (artefact,) = result.handed_out
        assert artefact.not_made is None
        assert (result.folder / artefact.path).is_file()


def test_our_own_installer_is_made_of_it_again(
    copied: Callable[[], Distribution], tiny_text: str, host_platform: str, tmp_path: Path
) -> None:
    """Also if desktops compile, for which constructor has no key."""
    branding, output = tmp_path / "branding", tmp_path / "out"
    branding.mkdir()
    (branding / "installer.yaml").write_text("bytecode: desktop\n", encoding="utf-8")
    distribution = copied()
    text = tiny_text.replace("{linux: [sh]}", f"{{linux: [sh]}}, branding: {branding}")
    result = distribution.cut(distribution.write(text), host_platform)
    argv = (sys.executable, "-m", "cuvee", "installers", "--from", str(project(result, host_platform)))
    places = ("--cache", str(distribution.root / "cache"), "--output", str(output))
    done = process.run(process.Request(argv=(*argv, *places), timeout=HANGING))
    assert (done.exit_code, "warning" in done.stderr) == (0, False), done
    (own,), (again,) = result.folder.glob("installers/*.sh"), output.glob("*.sh")
    first, second = (read_installer(path).image.manifest for path in (own, again))
    assert len(first.compiled()) > 300
    assert second.compiled() == first.compiled()
    frames = [[frame.sha256 for item in found.packages for frame in item.frames] for found in (first, second)]
    assert frames[0] == frames[1]
