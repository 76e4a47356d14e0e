"""``cuvee diff RELEASE PREFIX``: what somebody changed in an installation, with conda or without."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.cli.main import run

Call = Callable[..., str]
SITE = "lib/python3.12/site-packages"
URL = "https://conda.anaconda.org/conda-forge/noarch/six-1.16.0-py_0.conda"
FILES = {
    f"{SITE}/six.py": "VERSION = '1.16.0'\n",
    f"{SITE}/six-1.16.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: six\nVersion: 1.16.0\n",
    "bin/tool": "#!/opt/x/bin/python\n",
}


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    def calling(*arguments: str | Path, code: int = 0) -> str:
        assert run(["diff", *map(str, arguments)]) == code
        said = capsys.readouterr()
        return said.err if code else said.out

    return calling


def record(files: dict[str, str], **changes: object) -> dict[str, object]:
    entries: list[dict[str, object]] = [
        {"_path": path, "path_type": "hardlink", "sha256": hashlib.sha256(text.encode()).hexdigest()}
        for path, text in files.items()
    ]
    entries[-1] |= {
        "sha256": "0" * 64,
        "sha256_in_prefix": entries[-1]["sha256"],
        "prefix_placeholder": "/placeholder",
    }
    entries.append({"_path": f"{SITE}/__pycache__/six.cpython-312.pyc", "path_type": "pyc_file"})
    entries.append({"_path": "lib/link", "path_type": "softlink", "sha256": "1" * 64})
    entries.append({"_path": "../outside", "path_type": "hardlink", "sha256": "2" * 64})
    return {
        "name": "six", "version": "1.16.0", "build": "py_0", "build_number": 0, "subdir": "noarch",
        "url": URL, "sha256": "a" * 64, "depends": [], "files": list(files),
        "paths_data": {"paths_version": 1, "paths": entries},
    } | changes  # fmt: skip


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    made = tmp_path / "prefix"
    for path, text in FILES.items():
        (made / path).parent.mkdir(parents=True, exist_ok=True)
        (made / path).write_text(text)
    (made / "lib" / "link").symlink_to("nowhere")
    (made / "conda-meta").mkdir()
    (made / "conda-meta" / "six-1.16.0-py_0.json").write_text(json.dumps(record(FILES)))
    return made


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / "list.txt"
    path.write_text(f"@EXPLICIT\n{URL}#sha256:{'a' * 64}\n")
    return path


def found(text: str) -> dict[str, tuple[str, list[str]]]:
    return {row["package"]: (row["kind"], row["details"]) for row in json.loads(text)["changes"]}


def test_an_untouched_environment_does_not_differ_and_what_was_looked_at_is_said(
    call: Call, lock: Path, prefix: Path
) -> None:
    text = call(lock, prefix)
    assert "no difference" in text
    assert "3 files were compared with the hashes of their packages' records, and 1 without a hash" in text
    assert "files that no record states were not looked at" in text


@pytest.mark.parametrize("path", FILES)
def test_an_edited_file_is_a_difference(path: str, call: Call, lock: Path, prefix: Path) -> None:
    with (prefix / path).open("a") as stream:
        stream.write("\n")
    assert found(call(lock, prefix, "--json"))["six"] == (
        "files-changed", [f"in {prefix}: 1 file changed: {path}"]
    )  # fmt: skip
    text = call(lock, prefix)
    assert text.index("Review these first") < text.rindex("files changed")


def test_files_that_are_gone_or_something_else_are_differences(call: Call, lock: Path, prefix: Path) -> None:
    (prefix / "bin" / "tool").unlink()
    (prefix / "lib" / "link").unlink()
    (prefix / "lib" / "link").write_text("")
    (prefix / SITE / "six.py").unlink()
    (prefix / SITE / "six.py").symlink_to("/dev/null")
    _, (what,) = found(call(lock, prefix, "--json"))["six"]
    assert "1 file missing: bin/tool" in what
    assert "1 file replaced by something else: lib/link" in what
    assert f"1 file replaced by a link: {SITE}/six.py" in what


def test_what_pip_replaced_and_what_pip_added_are_differences(call: Call, lock: Path, prefix: Path) -> None:
    old = prefix / SITE / "six-1.16.0.dist-info"
    (old / "METADATA").unlink()
    old.rmdir()
    for name, version in (("six", "1.17.0"), ("My_Tool", "2.0"), ("odd", "not a version")):
        folder = prefix / SITE / f"{name}-{version}.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (prefix / SITE / "~ix-1.0.dist-info").mkdir()
    rows = found(call(lock, prefix, "--json"))
    assert rows["six"][0] == "files-changed"
    assert {name: kind for name, (kind, _) in rows.items() if name != "six"} == {
        "six (pypi)": "added", "my-tool (pypi)": "added", "odd (pypi)": "added"
    }  # fmt: skip
    text = call(lock, prefix)
    assert "1.17.0" in text
    assert "version unknown" in text


def test_old_records_have_no_hashes_and_only_missing_files_are_seen(
    call: Call, lock: Path, prefix: Path
) -> None:
    meta = prefix / "conda-meta" / "six-1.16.0-py_0.json"
    meta.write_text(json.dumps(record(FILES, paths_data=None)))
    (prefix / SITE / "six.py").write_text("changed")
    assert "0 files were compared with the hashes of their packages' records, and 3 without" in call(
        lock, prefix
    )
    (prefix / SITE / "six.py").unlink()
    assert "1 file missing" in found(call(lock, prefix, "--json"))["six"][1][0]


def test_two_environments_are_each_held_against_their_own_records(call: Call, prefix: Path) -> None:
    (prefix / "bin" / "tool").write_text("edited")
    assert found(call(prefix, prefix / "conda-meta", "--json")) == {
        "six": ("files-changed", [f"in {prefix / 'conda-meta'}: 1 file changed: bin/tool"])
    }


def test_a_path_that_two_packages_claim_may_have_the_content_of_either(
    call: Call, lock: Path, prefix: Path
) -> None:
    other = record({"bin/tool": "other\n"}, name="other")
    (prefix / "conda-meta" / "other-1.16.0-py_0.json").write_text(json.dumps(other))
    assert set(found(call(lock, prefix, "--json"))) == {"other"}, "which is added, and has no changed file"
    (prefix / "bin" / "tool").write_text("third")
    kinds = [row["kind"] for row in json.loads(call(lock, prefix, "--json"))["changes"]]
    assert sorted(kinds) == ["added", "files-changed", "files-changed"]
