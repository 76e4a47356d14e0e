"""What a Windows installer tells of itself: each answer, held to what a `.sh` says of the same."""

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.resources import files as resource_files
from pathlib import Path

import pytest

from cuvee.image import Image
from cuvee.installers.windows.desktop.container import open_container
from cuvee.process import Request, run
from wine_desktop import Wine, windows

pytestmark = pytest.mark.real

QUESTIONS = ("info", "list", "check", "licenses", "sbom")


@pytest.fixture(scope="module")
def answers(win_exe: Path, wine: Wine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What it writes to a file when it is asked with ``/json``."""
    folder = tmp_path_factory.mktemp("answers é")
    found = {}
    for question in QUESTIONS:
        target = folder / f"{question}.json"
        done = wine.run(win_exe, f"/{question}", "/json", f"/OUTPUT={windows(target)}")
        assert (done.exit_code, done.stdout) == (0, ""), done
        found[question] = target.read_text(encoding="utf-8")
    yield found
    assert not list(wine.drive.glob("users/*/Temp/**/python.exe"))


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_are_those_of_a_sh(
    answers: dict[str, str], question: str, win_exe: Path, win_image: Image, tmp_path: Path
) -> None:
    """The runtime under Linux's Python, as a `.sh` starts it, reads the same file."""
    container = open_container(str(win_exe))
    places = (str(win_exe), *(str(tmp_path / name) for name in ("staged", "prefix")), str(tmp_path), "-")
    runtime = str(resource_files("cuvee.installers").joinpath("runtime", "__main__.py"))
    argv = (sys.executable, "-I", "-B", "-X", "utf8", runtime, question, *places, *map(str, container))
    done = run(Request(argv=(*argv, win_image.manifest_sha256, "--json")))
    assert done.exit_code == 0, done.stderr
    assert json.loads(answers[question]) == json.loads(done.stdout)


def test_info_names_the_image(answers: dict[str, str], win_image: Image) -> None:
    info = json.loads(answers["info"])
    assert (info["distribution"], info["version"], info["platform"]) == ("tiny", "2026.11.0", "win-64")
    assert info["manifest_sha256"] == win_image.manifest_sha256


def test_texts_go_to_the_caller(win_exe: Path, wine: Wine) -> None:
    assert "\ntitle: Tiny & Söhne" in wine.run(win_exe, "/info").stdout.replace("\r\n", "\n")
    assert "tqdm 4.70.0 " in wine.run(win_exe, "--list").stdout


def test_extract(win_exe: Path, answers: dict[str, str], wine: Wine, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "Käse files"
    done = wine.run(win_exe, f"/extract={windows(folder)}")
    assert done.exit_code == 0, done.stderr
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    for record in folder.glob("conda-meta/*-*-*.json"):
        for line in json.loads(record.read_text(encoding="utf-8"))["paths_data"]["paths"]:
            if line.get("sha256") is not None:
                data = (folder / line["_path"]).read_bytes()
                assert hashlib.sha256(data).hexdigest() == line["sha256"], line
    assert {path.name.rsplit("-", 2)[0] for path in folder.glob("conda-meta/*-*-*.json")} == {
        row["name"] for row in json.loads(answers["list"])
    }
    assert wine.run(win_exe, f"/extract={windows(folder)}").exit_code == 1
