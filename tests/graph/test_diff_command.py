"""``cuvee diff``: real releases, every kind of input, what forced a change, and what can not be read."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.cli.main import run
from cuvee.graph.diff.readers.pixi_workspace import requested_names
from cuvee.graph.diff.snapshot import of_index

Call = Callable[..., str]
LINUX = "https://conda.anaconda.org/conda-forge/linux-64"
A, B, C = "a" * 32, "b" * 32, "c" * 64
PAIRS = [("v4.0.0", "v4.1.0"), ("v4.1.0", "v4.1.1"), ("v4.1.1", "v4.1.2"), ("v4.1.2", "v4.2.0")]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def calling(*arguments: str | Path, code: int = 0) -> str:
        assert run(["diff", *map(str, arguments)]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return calling


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def writing(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return writing


Write = Callable[[str, str], Path]


def changelog(path: Path) -> set[tuple[bool, str, str, str]]:
    """Read the official rows as (direct, package, before, after), empty where there is none."""
    rows, direct, kind = set(), False, ""
    for line in path.read_text().splitlines():
        if line.startswith("## "):
            direct = line.startswith("## Direct")
        elif line.startswith("### "):
            kind = line[4:].strip()
        elif "|" in line and not line.startswith(("Package", "---")):
            cells = [cell.strip() for cell in line.split("|")]
            before, after = {"Changed": cells[1:3], "New": ["", cells[1]], "Removed": [cells[1], ""]}[kind]
            rows.add((direct, cells[0], before, after))
    return rows


@pytest.mark.parametrize("flavour", ["cpu", "gpu"])
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_five_real_releases_changed_as_their_changelogs_say_and_more_is_shown(
    shared_data: Path, call: Call, old: str, new: str, flavour: str
) -> None:
    folder = shared_data / "sagemaker"
    before, after = folder / old / f"{flavour}.env", folder / new / f"{flavour}.env"
    found = json.loads(
        call(
            before.with_suffix(".env.out"), after.with_suffix(".env.out"), "--json",
            "--requested-before", before.with_suffix(".env.in"),
            "--requested-after", after.with_suffix(".env.in"),
        )
    )  # fmt: skip
    assert found["platforms"] == ["linux-64"]
    unsaid = {"rebuilt", "metadata-changed"}
    ours = {
        (row["requested"], row["package"], row["before"] or "", row["after"] or "")
        for row in found["changes"]
        if row["kind"] not in unsaid
    }
    assert ours == changelog(folder / new / f"CHANGELOG-{flavour}.md")
    assert all(row["details"] for row in found["changes"] if row["kind"] in unsaid)
    both = [row for row in found["changes"] if row["before"] and row["after"]]
    assert all(row["level"] for row in both if row["kind"] in {"upgraded", "downgraded"})


def test_what_an_official_changelog_leaves_out_comes_first(shared_data: Path, call: Call) -> None:
    folder = shared_data / "sagemaker"
    text = call(folder / "v4.1.0/cpu.env.out", folder / "v4.1.1/cpu.env.out")
    first, others = text.split("\nChanges\n")
    assert re.search(r"downgraded +harfbuzz +12\.2\.0 → 11\.5\.1  \(major\)\n", first)
    assert re.search(r"rebuilt +conda +26\.3\.2  build py312h7900ff3_0 → py312h7900ff3_1\n", others)


def explicit(*urls: str) -> str:
    return "\n".join(["# platform: linux-64", "@EXPLICIT", *(f"{LINUX}/{url}" for url in urls)]) + "\n"


OLD = explicit(f"a-1.0-h1_0.conda#{A}", f"b-2.0-h1_0.tar.bz2#{A}", f"c-3.0-h1_0.conda#{A}")
NEW = explicit(f"a-1.1-h1_0.conda#{B}", f"b-2.0-h1_1.conda#{B}", f"d-1.0-h1_0.conda#sha256:{C}")


def changes(text: str) -> dict[str, str]:
    return {row["package"]: row["kind"] for row in json.loads(text)["changes"]}


EXPECTED = {"a": "upgraded", "b": "rebuilt", "c": "removed", "d": "added"}

CONDA_LIST = """\
# packages in environment at /opt/x:
#
# Name                    Version                   Build  Channel
a                         {a}                     h1_0    conda-forge
b                         2.0                     {b}    conda-forge
{other}
"""
JSON_LIST = """[
 {{"name": "a", "version": "{a}", "build_string": "h1_0", "channel": "conda-forge", "platform": "linux-64"}},
 {{"name": "b", "version": "2.0", "build_string": "{b}", "channel": "conda-forge", "platform": "noarch"}},
 {{"name": "{other}", "version": "1.0", "build_string": "0", "channel": "x", "platform": "linux-64"}}
]"""
EXPORT = "name: x\nchannels: [conda-forge]\ndependencies:\n  - a={a}=h1_0\n  - b=2.0={b}\n  - {other}=1=0\n"
CONDA_LOCK = """\
version: 1
metadata: {{}}
package:
- {{name: a, version: '{a}', manager: conda, platform: linux-64, dependencies: {{b: '>=2'}},
   url: {url}/a-{a}-h1_0.conda, hash: {{md5: x}}}}
- {{name: b, version: '2.0', manager: conda, platform: linux-64, dependencies: {{}},
   url: {url}/b-2.0-{b}.conda, hash: {{md5: '{b}'}}}}
- {{name: {other}, version: '1', manager: conda, platform: linux-64, dependencies: {{}},
   url: {url}/{other}-1-0.conda}}
"""
FORMS = {
    "explicit.txt": (OLD, NEW),
    "list.txt": (
        CONDA_LIST.format(a="1.0", b="h1_0", other="c 1 0 x"),
        CONDA_LIST.format(a="1.1", b="h1_1", other="d 1 0 x"),
    ),
    "export.txt": ("a=1.0=h1_0\nb=2.0=h1_0\nc=1=0\n", "a=1.1=h1_0\nb=2.0=h1_1\nd=1=0\n"),
    "list.json": (
        JSON_LIST.format(a="1.0", b="h1_0", other="c"), JSON_LIST.format(a="1.1", b="h1_1", other="d")
    ),
    "environment.yml": (
        EXPORT.format(a="1.0", b="h1_0", other="c"), EXPORT.format(a="1.1", b="h1_1", other="d")
    ),
    "conda-lock.yml": (
        CONDA_LOCK.format(a="1.0", b="h1_0", other="c", url=LINUX),
        CONDA_LOCK.format(a="1.1", b="h1_1", other="d", url=LINUX),
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_listing_gives_the_same_changes(form: str, call: Call, write: Write) -> None:
    old, new = (write(f"{side}/{form}", text) for side, text in zip("on", FORMS[form], strict=True))
    assert changes(call(old, new, "--json")) == EXPECTED
    assert json.loads(call(old, old, "--json"))["changes"] == []


@pytest.mark.parametrize("form", FORMS)
def test_forms_can_be_mixed_and_only_what_both_know_is_compared(form: str, call: Call, write: Write) -> None:
    old, new = write("old.txt", OLD), write(form, FORMS[form][1])
    assert changes(call(old, new, "--json")) == EXPECTED


def test_projects_of_the_python_index_are_compared_under_one_name(call: Call, write: Write) -> None:
    exported = write(
        "old.yml",
        "dependencies:\n- a=1.0=h1_0\n- pip:\n"
        "  - My_Tool[x]==1.0 ; python_version > '3'\n  - other==2 --hash=sha256:00\n  - third @ git+https://x/y\n",
    )
    listed = write("new.txt", "a 1.0 h1_0 conda-forge\nmy-tool 1.1 pypi_0 pypi\nother 2 <pip>\n")
    rows = json.loads(call(exported, listed, "--json"))["changes"]
    assert [(row["package"], row["kind"], row["before"]) for row in rows] == [
        ("my-tool (pypi)", "upgraded", "1.0"),
        ("third (pypi)", "removed", "version unknown"),
    ]


def conda_meta(write: Write, prefix: str, *records: dict[str, object]) -> Path:
    for record in records:
        name = f"{record['name']}-{record['version']}-{record.get('build', '0')}"
        base = {"build": "0", "subdir": "linux-64", "url": f"{LINUX}/{name}.conda", "md5": A}
        write(f"{prefix}/conda-meta/{name}.json", json.dumps(base | record))
    write(f"{prefix}/conda-meta/history", "")
    write(f"{prefix}/conda-meta/cuvee.json", "{}")
    return write(f"{prefix}/conda-meta/state", "").parents[1]


def test_an_installed_environment_says_what_was_asked_for_and_what_forced_what(
    call: Call, write: Write
) -> None:
    old = conda_meta(
        write, "old",
        {"name": "top", "version": "1.0", "requested_spec": "top", "depends": ["low >=1,<2", "gone"]},
        {"name": "low", "version": "1.5", "requested_spec": "None"},
        {"name": "gone", "version": "1"},
        {"name": "free", "version": "1"},
        {"name": "same", "version": "1", "license": "MIT"},
    )  # fmt: skip
    new = conda_meta(
        write, "new",
        {"name": "top", "version": "2.0", "requested_specs": ["top >=2"], "depends": ["low >=2", "fresh"]},
        {"name": "low", "version": "2.0", "depends": ["fresh"]},
        {"name": "fresh", "version": "1"},
        {"name": "free", "version": "2"},
        {"name": "same", "version": "1", "license": "BSD-3-Clause"},
    )  # fmt: skip
    rows = {row["package"]: row for row in json.loads(call(old, new, "--json"))["changes"]}
    assert {name for name, row in rows.items() if row["requested"]} == {"top"}
    forced = {name: row["forced_by"] for name, row in rows.items()}
    assert forced == {
        "top": ["the version before depends on low >=1,<2, and low has changed"],
        "low": ["top depends on low >=2"],
        "gone": ["top no longer requires gone"],
        "fresh": ["top depends on fresh", "low depends on fresh, through top"],
        "free": [],
        "same": [],
    }
    assert rows["same"]["details"] == ["changed: license"]
    text = call(old, new)
    assert "because top depends on low >=2" in text
    assert "nothing requires it; the solver chose it" in text


def test_an_environment_against_its_list_of_urls(call: Call, write: Write) -> None:
    record: dict[str, object] = {"name": "a", "version": "1.0", "build": "h1_0", "md5": B}
    prefix = conda_meta(write, "prefix", record)
    listed = write("list.txt", explicit(f"a-1.0-h1_0.conda#{A}"))
    row = json.loads(call(listed, prefix, "--json"))["changes"][0]
    assert (row["kind"], row["details"]) == ("rebuilt", [f"archive {A[:12]} → {B[:12]}"])


def test_foreign_locks_are_read_whole(shared_data: Path, call: Call, tmp_path: Path) -> None:
    lock = shared_data / "locks" / "turtlesim-pixi.lock"
    assert "default (626 packages), noetic" in call(lock, lock, "--environment", "nothing", code=2)
    pangeo = shared_data / "locks" / "pangeo-notebook-conda-lock.yml"
    found = json.loads(call(lock, pangeo, "--platform", "osx-arm64", "--json"))
    assert found["platforms"] == ["osx-arm64"]
    assert {row["kind"] for row in found["changes"]} >= {"added", "removed", "upgraded", "downgraded"}


def test_the_workspace_beside_a_pixi_lock_says_what_is_asked_for(call: Call, write: Write) -> None:
    lock = (
        "version: 6\nenvironments:\n  default:\n    channels: [{{url: https://c.example.org/}}]\n"
        "    packages:\n"
        "      linux-64:\n      - conda: {url}/top-{v}-0.conda\n      - conda: {url}/low-{v}-0.conda\n"
        "packages:\n- conda: {url}/top-{v}-0.conda\n  sha256: {sha}\n  depends: [low {v}.*]\n"
        "- conda: {url}/low-{v}-0.conda\n  sha256: {sha}\n"
    )
    workspace = "[feature.x.target.linux-64.dependencies]\ntop = '*'\n[tool]\nx = 1\n"
    for side, version in (("old", "1"), ("new", "2")):
        write(f"{side}/pixi.lock", lock.format(url=LINUX, v=version, sha="abcd" * 16))
        write(f"{side}/pixi.toml", workspace)
    folders = [write(f"{side}/x", "").parent for side in ("old", "new")]
    rows = {row["package"]: row for row in json.loads(call(*folders, "--json"))["changes"]}
    assert {name: row["requested"] for name, row in rows.items()} == {"top": True, "low": False}
    assert rows["low"]["forced_by"] == ["top depends on low 2.*"]
    project = (
        "[project]\nname = 'p'\nrequires-python = '>=3.11'\ndependencies = ['other']\n"
        "optional-dependencies = {a = ['is it?', 'Low.']}\n"
        "[dependency-groups]\nt = [{include-group = 'u'}]\nu = ['Top[x] >=1; python_version > \"3\"']\n"
    )
    for side in ("old", "new"):
        (write(f"{side}/pixi.toml", "")).unlink()
        write(f"{side}/pyproject.toml", project)
    rows = {row["package"]: row for row in json.loads(call(*folders, "--json"))["changes"]}
    assert rows["low"]["requested"] is None, "a project that pixi does not read"
    for side in ("old", "new"):
        write(f"{side}/pyproject.toml", project + "[tool.pixi.feature.x.dependencies]\nother = '*'\n")
    rows = {row["package"]: row for row in json.loads(call(*folders, "--json"))["changes"]}
    assert rows["low"]["requested"] is False
    asked = frozenset({"other", "python", of_index("top"), of_index("other")})
    assert requested_names(folders[0] / "pixi.lock") == asked
    for name in ("pyproject.toml", "pixi.toml"):
        broken = write(f"new/{name}", "[x\n")
        assert str(broken) in call(*folders, code=4)


def test_manifests_are_compared_by_what_they_ask_for(call: Call, write: Write) -> None:
    base = (
        "manifest: 1\ndistribution: tiny\nversion: '2026.11.0'\ntitle: Tiny\nplatforms: {linux-64: {}}\n"
        "packages: {a: '==1.0', b: '>=2,<3', c: '>=1', d: '*', e: '1.2.*'}\n"
    )
    old = write("manifests/tiny/2026.11.0.yaml", base)
    new = write(
        "manifests/tiny/2026.11.1.yaml",
        "manifest: 1\ndistribution: tiny\nversion: '2026.11.1'\nbased-on: '2026.11.0'\n"
        "packages: {a: '==1.1', b: '>=1.9,<3', c: '<2', e: '1.3.*', f: '*'}\nsuites: [smoke]\n",
    )
    found = json.loads(call(old, new, "--json"))
    assert {row["package"]: row["kind"] for row in found["changes"]} == {
        "a": "upgraded", "b": "downgraded", "c": "metadata-changed", "e": "upgraded", "f": "added",
    }  # fmt: skip
    assert found["settings"] == [{"path": "suites", "before": "", "after": '["smoke"]'}]
    assert call(old, new).startswith("tiny-2026.11.0 → tiny-2026.11.1 on linux-64: 1 downgraded")
    listed = write("list.txt", OLD)
    assert "cuvee lock MANIFEST" in call(old, listed, code=2)


def test_platforms_that_only_one_side_has_are_told_and_not_listed(call: Call, write: Write) -> None:
    text = FORMS["conda-lock.yml"][0]
    old = write("old.yml", text)
    other = text.replace("linux-64", "win-64").split("package:\n")[1]
    new = write("new.yml", text + other)
    assert f"note: win-64 is only in {new}: 3 packages" in call(old, new)
    wrong = write("wrong.yml", text.replace("linux-64", "win-64"))
    assert "for linux-64" in call(old, wrong, code=2)
    listed = write("list.txt", FORMS["list.txt"][0])
    assert "--platform" in call(listed, new, code=2)
    assert "on win-64: no difference" in call(listed, new, "--platform", "win-64")


def test_tables_for_release_notes_are_tables(call: Call, write: Write) -> None:
    text = call(write("o|ld.txt", OLD), write("new.txt", NEW), "--markdown")
    markdown = pytest.importorskip("markdown_it", reason="needs markdown-it-py, which the docs extra brings")
    page = markdown.MarkdownIt("commonmark").enable("table").render(text)
    assert page.count("<table>") == 2
    assert "<td>a</td>\n<td>upgraded</td>\n<td>1.0</td>\n<td>1.1</td>\n<td>minor</td>" in page
    assert "<h3>Review these first</h3>" in page


def test_the_page_needs_nothing_and_escapes_what_comes_from_outside(call: Call, write: Write) -> None:
    old = write("<script>alert(1)</script>.txt".replace("/", "_"), OLD)
    page = call(old, write("new.txt", NEW), "--html")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"""(src|href)=""", page)
    assert "default-src 'none'" in page
    for name in EXPECTED:
        assert f'<th scope="row">{name}</th>' in page


def test_only_one_form_of_output(call: Call, write: Write) -> None:
    old = write("old.txt", OLD)
    assert "Only one of" in call(old, old, "--html", "--json", code=2)


HOSTILE = [
    ("list.txt", "a 1.0 0 x\nb\x1b[31m 1.0 0 x\n", ":2: 'b\\x1b[31m' is not a package name"),
    ("list.txt", "a 1.0 0 x\nb 1..0 0 x\n", ":2: b: '1..0' is not a version"),
    ("list.txt", "a 1.0 0 x\nb 1.0 (0) x\n", ":2: b: '(0)' is not a build string"),
    ("list.txt", "a 1.0 0 x\na 1.1 0 x\n", ": a is listed twice: a-1.0-0 and a-1.1-0"),
    ("list.txt", "only\n", ":1: 'only' is not a package with its version"),
    ("list.txt", "# nothing\n", ": it lists no package"),
    ("list.txt", "\x80", ""),
    ("urls.txt", "@EXPLICIT\nhttps://u:secret@x/y/a.conda\n", ":2: 'https://***@x/y/a.conda' is not the"),
    ("urls.txt", f"@EXPLICIT\n{LINUX}/a-1.0-0.conda#zz\n", ":2: 'zz' is neither an MD5 nor a SHA-256"),
    ("list.json", "[1]", ": item 1 has no name and version"),
    ("list.json", "{}", ":1: it is not a list"),
    ("list.json", "[\n{,}]", ":2: it is not JSON"),
    ("list.json", "[" * 200_000, "nested too deeply"),
    ("conda-lock.yml", "package: {}\n", ":1: package is not a list"),
    ("conda-lock.yml", "version: 4\npackage: []\n", ":1: only version 1 of conda-lock's format is supported"),
    ("conda-lock.yml", "package:\n- name: a\n", ":2: a package lacks version, manager, platform, url"),
    ("conda-lock.yml", "package: [\n", ":2: "),
    ("environment.yml", "dependencies:\n- a=1\n- b >=1,<\n", ":3: 'b >=1,<' is not a match spec"),
    ("environment.yml", "dependencies:\n  a: 1\n", ":2: dependencies is not a list"),
    ("other.yml", "x: 1\n", ":1: it has none of the keys"),
    ("deep.yml", "dependencies: " + "[" * 100_000, ":1: "),
    ("pixi.lock", "version: 6\nenvironments: " + "[" * 100_000, ": it is not a pixi.lock: it is nested too"),
    ("pixi.lock", "version: 6\nenvironments: {}\npackages: []\n", ": it has no environment"),
]


@pytest.mark.parametrize(("name", "text", "words"), HOSTILE)
def test_what_can_not_be_read_is_a_clear_error_with_its_line(
    name: str, text: str, words: str, call: Call, write: Write
) -> None:
    path = write(name, text)
    if text == "\x80":
        path.write_bytes(b"\x80")
        words = "is not UTF-8"
    said = call(path, path, code=4)
    assert words in said
    assert str(path) in said
    assert "secret" not in said
    assert "Traceback" not in said


def test_what_is_not_there_or_is_nothing_that_is_known(call: Call, tmp_path: Path) -> None:
    assert f"There is no {tmp_path / 'none'}" in call(tmp_path / "none", tmp_path, code=2)
    assert "neither lock/pixi.lock nor conda-meta" in call(tmp_path, tmp_path, code=4)
