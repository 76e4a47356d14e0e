"""`starter-info` says which release an environment is, and what was changed in it since."""

import importlib.util
import json
from pathlib import Path
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
    assert shown(starter_tools, prefix, capsys)[0].endswith("was not made by an installer of a release")


def test_a_folder_that_is_not_there(
    starter_tools: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(starter_tools, tmp_path / "none", capsys)[1] == "0 packages"
