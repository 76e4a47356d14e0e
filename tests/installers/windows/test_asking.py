"""What a Windows installer tells of itself: each answer, held to what a `.sh` says of the same."""

import hashlib
import json
import sys
from collections.abc import Iterator
from importlib.resources import files as resource_files
from pathlib import Path

import pytest

from cuvee.image.model import Image
from cuvee.process import Request, run
from cuvee.runtime.windows.exe_container import open_container
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
    runtime = str(resource_files("cuvee.runtime").joinpath("__main__.py"))
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


@pytest.mark.parametrize("question", QUESTIONS)
def test_answers_go_through_a_pipe_too(
    answers: dict[str, str], question: str, win_exe: Path, wine: Wine
) -> None:
    done = wine.run(win_exe, f"/{question}", "/json")
    assert (done.exit_code, done.stderr) == (0, ""), done
    assert json.loads(done.stdout) == json.loads(answers[question])


def test_dry_run(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    plan, prefix = tmp_path / "plan.json", tmp_path / "new" / "tiny"
    where = f"/D={windows(prefix)}"
    done = wine.run(win_exe, "/dryrun", "/json", where)
    assert done.exit_code == 0, done
    told = json.loads(done.stdout)
    assert (told["action"], told["prefix"], told["before"]) == ("install", windows(prefix), None)
    done = wine.run(win_exe, "/dry-run", "/json", f"/OUTPUT={windows(plan)}", where)
    assert (done.exit_code, done.stdout) == (0, ""), done
    assert json.loads(plan.read_text(encoding="utf-8")) == told
    assert [path.name for path in tmp_path.iterdir()] == ["plan.json"]
    assert wine.run(win_exe, "/dryrun", f"/D={windows(tmp_path)}").exit_code == 1


def test_damage_is_found_by_those_who_ask(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    data = bytearray(win_exe.read_bytes())
    data[-5000] ^= 1
    (tmp_path / "bad.exe").write_bytes(data)
    for question in ("/check", rf"/extract={windows(tmp_path / 'files')}"):
        done = wine.run(tmp_path / "bad.exe", question, "/json")
        assert (done.exit_code, done.stdout) == (5, ""), done
        assert "is damaged" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["bad.exe"]


def test_extract_tells_where(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    folder, answer = tmp_path / "files", tmp_path / "answer.json"
    done = wine.run(win_exe, f"/extract={windows(folder)}", "/json", f"/OUTPUT={windows(answer)}")
    assert (done.exit_code, done.stdout) == (0, ""), done
    assert json.loads(answer.read_text(encoding="utf-8")) == {"folder": windows(folder)}
    assert (folder / "python.exe").exists()


def test_extract_where_that_is_not_possible(win_exe: Path, wine: Wine, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    for place in ("file", "folder", "file/below"):
        done = wine.run(win_exe, f"/extract={windows(tmp_path / place)}", "/json")
        assert (done.exit_code, done.stdout) == (1, ""), done
        assert windows(tmp_path / place) in done.stderr
    # Where the answer can't go, nothing is made.
    place = f"/extract={windows(tmp_path / 'new' / 'files')}"
    assert wine.run(win_exe, place, f"/OUTPUT={windows(tmp_path / 'folder')}").exit_code == 1
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder"]
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize(("options", "words"), [("size=8m", "The disk is full"), ("ro", "")])
def test_extract_to_a_disk_that_is_full_or_read_only(
    win_exe: Path, wine: Wine, tmp_path: Path, options: str, words: str
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if not run(Request(argv=("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(disk)))).ok:
        pytest.skip("needs to mount a tmpfs, as root")
    try:
        done = wine.run(win_exe, f"/extract={windows(disk / 'new' / 'files')}", "/json")
        assert (done.exit_code, done.stdout, words in done.stderr) == (1, "", True), done
        assert list(disk.iterdir()) == []
    finally:
        run(Request(argv=("umount", "--lazy", str(disk))))
