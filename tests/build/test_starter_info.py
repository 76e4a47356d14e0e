"""`starter-info` says which release an environment is, and what was changed in it since."""

import importlib.util
import json
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType

import pytest

SOURCE = Path(__file__).parents[2] / "recipes" / "starter-tools" / "src" / "starter_tools.py"


@pytest.fixture(scope="module")
def starter_tools() -> ModuleType:
    spec = importlib.util.spec_from_file_location("starter_tools", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Return an environment with two packages, as an installer makes it."""
    folder = tmp_path / "with a blank"
    record(
        folder,
        "python-dateutil-4.0.0-py_0",
        ["lib/python3.11/site-packages/python_dateutil-4.0.0.dist-info/METADATA"],
    )
    record(folder, "numpy-2.4.6-py311_0", [])
    write(
        folder / "conda-meta" / "cuvee" / "release.json",
        {
            "distribution": "starter",
            "version": "2026.11.0",
            "platform": "linux-64",
            "packages": ["python-dateutil-4.0.0-py_0", "numpy-2.4.6-py311_0"],
        },
    )
    (folder / "lib" / "python3.11" / "site-packages" / "python_dateutil-4.0.0.dist-info").mkdir(parents=True)
    return folder


def write(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def record(prefix: Path, stem: str, files: list[str]) -> None:
    write(prefix / "conda-meta" / f"{stem}.json", {"files": files})


def shown(module: ModuleType, prefix: Path, capsys: pytest.CaptureFixture[str]) -> list[str]:
    assert module.main(["--prefix", str(prefix)]) == 0
    return capsys.readouterr().out.splitlines()


def test_a_release_as_it_was_installed(
    starter_tools: ModuleType, prefix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(starter_tools, prefix, capsys) == [
        "starter-2026.11.0 on linux-64, 2 packages",
        "All packages are those of the release.",
    ]


def test_what_was_changed_since(
    starter_tools: ModuleType, prefix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (prefix / "conda-meta" / "python-dateutil-4.0.0-py_0.json").unlink()
    (prefix / "conda-meta" / "numpy-2.4.6-py311_0.json").unlink()
    record(prefix, "numpy-2.5.0-py311_0", [])
    record(prefix, "r-base-4.5-0", [])
    (prefix / "lib" / "python3.11" / "site-packages" / "Some_Thing-1.0.dist-info").mkdir()
    assert shown(starter_tools, prefix, capsys) == [
        "starter-2026.11.0 on linux-64, 2 packages",
        "added: r-base-4.5-0",
        "removed: python-dateutil-4.0.0-py_0",
        "changed: numpy-2.4.6-py311_0 to numpy-2.5.0-py311_0",
        "added with pip: python-dateutil 4.0.0",
        "added with pip: some-thing 1.0",
    ]


def test_json_has_the_same(
    starter_tools: ModuleType, prefix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record(prefix, "r-base-4.5-0", [])
    assert starter_tools.main(["--json", "--prefix", str(prefix)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["release"], found["added"], found["from-pip"]) == (
        "starter-2026.11.0",
        ["r-base-4.5-0"],
        [],
    )


@pytest.mark.parametrize("text", ["", "[]", "{", '{"packages": 3}', '{"packages": [1, null]}'])
def test_an_environment_without_a_release_or_with_a_damaged_marker(
    starter_tools: ModuleType, prefix: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (prefix / "conda-meta" / "cuvee" / "release.json").write_text(text, encoding="utf-8")
    assert shown(starter_tools, prefix, capsys)[0].endswith(
        "was not made by an installer or a metapackage of a release"
    )


def test_a_folder_that_is_not_there(
    starter_tools: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(starter_tools, tmp_path / "none", capsys)[1] == "0 packages"


def exact(prefix: Path, name: str, key: str, version: str = "2026.11.0") -> None:
    """Add a metapackage, as conda records it."""
    specs = ["python-dateutil ==4.0.0 py_0", "numpy ==2.4.6 py311_0", "not-installed ==1 0"]
    value = {"version": version, "subdir": "linux-64", key: specs}
    write(prefix / "conda-meta" / f"{name}-{version}-h1234567_0.json", value)


@pytest.mark.parametrize(
    ("name", "key", "removed"),
    [("starter", "depends", ["not-installed-1-0"]), ("starter-constraints", "constrains", [])],
)
def test_an_environment_that_conda_made_of_a_release(  # noqa: PLR0917 - fixtures
    starter_tools: ModuleType,
    prefix: Path,
    capsys: pytest.CaptureFixture[str],
    name: str,
    key: str,
    removed: list[str],
) -> None:
    (prefix / "conda-meta" / "cuvee" / "release.json").unlink()
    exact(prefix, name, key)
    record(prefix, "r-base-4.5-0", [])
    assert starter_tools.main(["--json", "--prefix", str(prefix)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["release"], found["platform"]) == ("starter-2026.11.0", "linux-64")
    assert (found["added"], found["changed"], found["removed"]) == (["r-base-4.5-0"], [], removed)


def channel(folder: Path, *versions: str, name: str = "starter") -> Path:
    records = {f"{name}-{version}-0.conda": {"name": name, "version": version} for version in versions}
    write(folder / "linux-64" / "repodata.json", {"packages.conda": records, "packages": {}})
    return folder


@pytest.mark.parametrize(
    ("versions", "expected"),
    [
        (("2026.11.0",), ["No newer patch of 2026.11.0 in CHANNEL"]),
        (("2026.11.0", "2026.11.2", "2026.11.10"), ["A newer patch: 2026.11.10"]),
        (("2026.11.1", "2027.01.0"), ["A newer patch: 2026.11.1", "A newer release: 2027.01.0"]),
        ((), ["CHANNEL has neither starter-2026.11.0 nor a newer patch of it"]),
        (("2026.10.9", "2026.11.x"), ["CHANNEL has neither starter-2026.11.0 nor a newer patch of it"]),
    ],
)
def test_a_newer_patch_is_looked_for_when_asked(  # noqa: PLR0917 - fixtures
    starter_tools: ModuleType,
    prefix: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    versions: tuple[str, ...],
    expected: list[str],
) -> None:
    place = str(channel(tmp_path / "my channel", *versions))
    for asked in (place, f"{place}/linux-64/repodata.json"):
        assert starter_tools.main(["--prefix", str(prefix), "--newer", asked]) == 0
        said = capsys.readouterr().out.splitlines()
        assert said[2:] == [line.replace("CHANNEL", asked) for line in expected]


def test_json_names_the_newer_patch(
    starter_tools: ModuleType, prefix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(channel(tmp_path / "channel", "2026.11.1"))
    assert starter_tools.main(["--json", "--prefix", str(prefix), "--newer", place]) == 0
    assert json.loads(capsys.readouterr().out)["newer"] == {
        "channel": place,
        "patch": "2026.11.1",
        "release": "2026.11.1",
        "knows-this-release": False,
    }


@pytest.mark.real
def test_a_channel_on_another_machine(
    starter_tools: ModuleType, prefix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    channel(tmp_path / "site", "2026.11.1")
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "site"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://somebody:secret@127.0.0.1:{server.server_port}"
        code = starter_tools.main(["--prefix", str(prefix), "--newer", url.replace("somebody:secret@", "")])
        missing = starter_tools.main(["--prefix", str(prefix), "--newer", f"{url}/none"])
        server.shutdown()
    captured = capsys.readouterr()
    assert code == 0
    assert captured.out.splitlines()[-1] == "A newer patch: 2026.11.1"
    assert missing == 1
    assert "secret" not in captured.err


@pytest.mark.parametrize("text", ["", "[]", "{", '{"packages": 3, "packages.conda": [1]}'])
def test_a_channel_that_cannot_be_read(
    starter_tools: ModuleType, prefix: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = channel(tmp_path / "channel") / "linux-64" / "repodata.json"
    file.write_text(text, encoding="utf-8")
    code = starter_tools.main(["--prefix", str(prefix), "--newer", str(file)])
    captured = capsys.readouterr()
    if text.startswith('{"'):
        assert (code, captured.out.splitlines()[-1][-31:]) == (
            0,
            "starter-2026.11.0 nor a newer patch of it"[-31:],
        )
    else:
        assert (code, captured.out) == (1, "")
        assert captured.err.startswith(f"starter-info: {file} ")
