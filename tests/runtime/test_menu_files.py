"""Menu files of both forms: what is read from them, and the entries of Linux' menus."""

import configparser
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from cuvee.image.settings import InstallerSettings
from cuvee.runtime import desktop_entries, menu_files, outside_files
from cuvee.runtime.payload_manifest import (
    Frame,
    PayloadFile,
    PayloadManifest,
    PayloadPackage,
    PayloadSettings,
)
from cuvee.runtime.prefix_state import InstalledRelease, OutsideFiles, PrefixState
from cuvee.runtime.windows import start_menu
from needed_programs import HANGING, needed
from tiny_release import settings_json

SECOND: dict[str, Any] = {
    "$id": "https://schemas.conda.io/menuinst-1.schema.json",
    "menu_name": "{{ DISTRIBUTION_NAME }} programs",
    "menu_items": [
        {
            "name": {"target_environment_is_base": "Käse {{ PY_VER }}", "target_environment_is_not_base": ""},
            "description": "Cuts;\ncheese",
            "command": ["{{ PYTHON }}", "-c", "print('it''s $HOME', 100 % 7)", "%F", "a b"],
            "icon": "{{ MENU_DIR }}/cheese.{{ ICON_EXT }}",
            "working_dir": "{{ HOME }}",
            "terminal": True,
            "platforms": {
                "linux": {"Categories": ["Science", "Math"], "MimeType": ["text/x-cheese"], "NoDisplay": 0},
                "win": {
                    "command": ["{{ PYTHONW }}", "{{ SCRIPTS_DIR }}/cheese"],
                    "desktop": True,
                    "terminal": False,
                },
            },
        },
        {
            "name": "Plain",
            "description": None,
            "command": ["{{ BIN_DIR }}/tool", "%u", "50%", "back\\slash", "%i"],
            "activate": False,
            "platforms": {"linux": {}},
        },
    ],
}  # fmt: skip
FIRST = {
    "menu_name": "${DISTRIBUTION_NAME}",
    "menu_items": [
        {
            "name": "Notebook (${ENV_NAME})",
            "pywscript": "${PYTHON_SCRIPTS}/nb.py",
            "scriptargument": "${USERPROFILE}",
            "icon": "${MENU_DIR}/nb.ico",
            "desktop": False,
        },
        {"name": "Shell", "script": "${PREFIX}/Scripts/sh.exe", "scriptarguments": ["-x", "y z"]},
        {"name": "Docs", "webbrowser": "https://example.org/a"},
    ],
}  # fmt: skip


def manifest(platform: str, *paths: str, packages: list[str] | None = None) -> PayloadManifest:
    value = settings_json(InstallerSettings()) | {"menu_packages": packages}
    frame = Frame(0, 0, 0, "", [PayloadFile(path, 0o644, 0, 0, "plain", "") for path in paths])
    python = PayloadPackage("python", "3.12.4", "0", platform, "", [], [])
    fields = dict.fromkeys(PayloadManifest._fields) | {
        "distribution": "tiny",
        "platform": platform,
        "settings": PayloadSettings(*(value[name] for name in PayloadSettings._fields)),
        "packages": [python, PayloadPackage("cheese", "1", "0", platform, "", [frame], [])],
        "extras": [],
        "records": [],
        "stage0": [],
        "folders": [],
    }
    return PayloadManifest(**fields)


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", "/home/me")
    place = tmp_path / "pre fix"
    (place / "Menu").mkdir(parents=True)
    for name, value in (("second", SECOND), ("first", FIRST)):
        (place / "Menu" / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    (place / "Menu" / "broken.json").write_text("{", encoding="utf-8")
    (place / "Menu" / "odd.json").write_text('{"menu_name": 1, "menu_items": [{"platforms": {"linux": {}}}]}')
    return place


def test_second_form_on_linux(prefix: Path) -> None:
    tiny = manifest("linux-64", "Menu/second.json", "Menu/first.json")
    first, second = menu_files.menu_entries(str(prefix), tiny)
    assert (first.name, first.menu, first.terminal) == ("Käse 3.12", "Tiny programs", True)
    assert first.command[0] == f"{prefix}/bin/python"
    assert (first.icon, first.working_dir) == (f"{prefix}/Menu/cheese.png", "/home/me")
    assert first.details == {
        "Categories": ["Science", "Math"],
        "MimeType": ["text/x-cheese"],
        "NoDisplay": 0,
    }
    assert (second.name, second.activate) == ("Plain", False)


def test_both_forms_on_windows(prefix: Path) -> None:
    tiny = manifest("win-64", "Menu/second.json", "Menu/first.json")
    found = menu_files.menu_entries("C:\\Tiny", tiny, at=str(prefix))
    assert [(one.name, one.command, one.terminal) for one in found] == [
        ("Notebook (Tiny)", ["C:\\Tiny\\pythonw.exe", "C:\\Tiny\\Scripts\\nb.py", "/home/me"], False),
        ("Shell", ["C:\\Tiny\\Scripts\\sh.exe", "-x", "y z"], True),
        ("Docs", ["C:\\Tiny\\pythonw.exe", "-m", "webbrowser", "-t", "https://example.org/a"], False),
        ("Käse 3.12", ["C:\\Tiny\\pythonw.exe", "C:\\Tiny\\Scripts/cheese"], False),
    ]
    assert found[0].icon == "C:\\Tiny\\Menu\\nb.ico"
    assert [one.details for one in found] == [{"desktop": False}, {}, {}, {"desktop": True}]


def test_what_can_not_be_understood_is_named(prefix: Path) -> None:
    tiny = manifest("linux-64", "Menu/broken.json", "Menu/odd.json", "Menu/second.json", "Menu/gone.json")
    assert len(menu_files.menu_entries(str(prefix), tiny)) == 2
    told = menu_files.problems(str(prefix), tiny)
    assert [line.split(" ")[0] for line in told] == ["Menu/broken.json", "Menu/gone.json", "Menu/odd.json"]


@pytest.mark.parametrize(("packages", "count"), [(None, 2), (["cheese"], 2), (["other"], 0), ([], 0)])
def test_packages_can_be_chosen(packages: list[str] | None, count: int, prefix: Path) -> None:
    tiny = manifest("linux-64", "Menu/second.json", "share/Menu/x.json", packages=packages)
    assert len(menu_files.menu_entries(str(prefix), tiny)) == count


def read(text: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read_string(text)
    return parser["Desktop Entry"]


def test_entries(prefix: Path) -> None:
    planned = desktop_entries.planned(str(prefix), manifest("linux-64", "Menu/second.json"), "/apps")
    assert [path.partition("-")[0] for path in planned] == ["/apps/tiny"] * 2
    assert [path.rpartition("-")[2] for path in planned] == ["12.desktop", "plain.desktop"]
    first, second = (read(text) for text in planned.values())
    assert (first["Name"], first["Comment"]) == ("Käse 3.12", "Cuts;\\ncheese")
    assert (first["Categories"], first["Terminal"]) == ("Science;Math;", "true")
    assert first["Exec"].endswith(" sh %F")
    assert second["Exec"] == f'"{prefix}/bin/tool" %u "50%%" "back\\\\\\\\slash"'
    assert first["X-Cuvee-Prefix"] == str(prefix)
    assert desktop_entries.planned(str(prefix), manifest("osx-64", "Menu/second.json"), "/apps") == {}
    release = manifest("linux-64", "Menu/second.json")
    again = desktop_entries.planned("/else", release, "/apps", at=str(prefix))
    assert not set(planned) & set(again)


def test_entries_of_all_users_name_nobody_s_home(prefix: Path) -> None:
    value = json.loads(json.dumps(SECOND))
    value["menu_items"][1]["command"] += ["{{ HOME }}/notes", "{{ PERSONALDIR }}"]
    (prefix / "Menu" / "second.json").write_text(json.dumps(value), encoding="utf-8")
    tiny = manifest("linux-64", "Menu/second.json")
    shared = desktop_entries.planned(str(prefix), tiny, "/usr/local/share/applications")
    assert "/home/me" not in "".join(shared.values())
    first, *_ = (read(text) for text in shared.values())
    assert "Path" not in first
    mine = desktop_entries.planned(str(prefix), tiny, "/home/me/.local/share/applications")
    assert [read(text).get("Path") for text in mine.values()] == ["/home/me", None]


def test_shortcuts_of_all_users_name_nobody_s_home(prefix: Path) -> None:
    (prefix / "pythonw.exe").touch()
    tiny = manifest("win-64", "Menu/first.json", "Menu/second.json")
    for shared, home in ((True, "%USERPROFILE%"), (False, "/home/me")):
        found = start_menu.planned(str(prefix), tiny, ["C:\\Menu"], shared=shared)
        (notebook,) = (link for path, link in found.items() if "Notebook" in path)
        assert notebook["arguments"].endswith(start_menu.quoted(home))
    assert start_menu.quoted("%USERPROFILE%") == '"%USERPROFILE%"'


def test_where_entries_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert desktop_entries.menu_folder({"HOME": "/h"}) == "/h/.local/share/applications"
    assert desktop_entries.menu_folder({"HOME": "/h", "XDG_DATA_HOME": "/d"}) == "/d/applications"
    assert desktop_entries.menu_folder({}) == ""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    assert desktop_entries.menu_folder({"HOME": "/root"}) == "/usr/local/share/applications"


def test_only_one_s_own_is_removed(tmp_path: Path) -> None:
    place = tmp_path / "apps" / "x.desktop"
    place.parent.mkdir()
    place.write_bytes(b"[Desktop Entry]\nX-Cuvee-Prefix=/opt/a\n")
    desktop_entries.remove(str(place), "/opt/b")
    assert place.exists()
    desktop_entries.remove(str(place), "/opt/a")
    desktop_entries.remove(str(place), "/opt/a")
    assert list(place.parent.iterdir()) == []


@pytest.mark.real
def test_entries_are_valid(prefix: Path, tmp_path: Path) -> None:
    validate = needed("desktop-file-validate")
    planned = desktop_entries.planned(str(prefix), manifest("linux-64", "Menu/second.json"), str(tmp_path))
    for path, text in planned.items():
        Path(path).write_bytes(text.encode())
        done = subprocess.run([validate, path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.real
def test_entries_start_what_they_name(prefix: Path, tmp_path: Path) -> None:
    """As GLib reads them, which the desktops use."""
    gio = needed("gio")
    out = tmp_path / "out"
    (prefix / "bin").mkdir()
    tool = prefix / "bin" / "python"
    tool.write_text(
        f'#!/bin/sh\nprintf \'<%s>\' "$CONDA_PREFIX" "$MADE" "$@" >{out}.part\nmv {out}.part {out}\n'
    )
    tool.chmod(0o755)
    activate = prefix / "etc" / "conda" / "activate.d"
    activate.mkdir(parents=True)
    (activate / "a.sh").write_text("MADE=activated; export MADE\n")
    value = json.loads(json.dumps(SECOND))
    value["menu_items"][0] |= {"terminal": False, "working_dir": None, "precommand": "MADE=\"$MADE 'twice'\""}
    (prefix / "Menu" / "second.json").write_text(json.dumps(value), encoding="utf-8")
    release = manifest("linux-64", "Menu/second.json")
    ((path, text), *_) = desktop_entries.planned(str(prefix), release, str(tmp_path)).items()
    Path(path).write_bytes(text.encode())
    file = tmp_path / "a cheese.txt"
    file.write_text("")
    done = subprocess.run(
        [gio, "launch", path, file], capture_output=True, text=True, check=False, timeout=HANGING
    )
    assert done.returncode == 0, done.stderr
    _wait_for(out)
    assert out.read_text() == (
        f"<{prefix}><activated 'twice'><-c><print('it''s $HOME', 100 % 7)><{file}><a b>"
    )


@pytest.mark.real
def test_an_entry_of_all_users_has_the_home_of_whoever_starts_it(prefix: Path, tmp_path: Path) -> None:
    gio = needed("gio")
    out, home = tmp_path / "out", tmp_path / "a home's $place"
    home.mkdir()
    (prefix / "bin").mkdir()
    tool = prefix / "bin" / "tool"
    tool.write_text(f'#!/bin/sh\nprintf \'<%s>\' "$PWD" "$@" >{out}.part\nmv {out}.part {out}\n')
    tool.chmod(0o755)
    value = json.loads(json.dumps(SECOND))
    item = value["menu_items"][1]
    item |= {"command": ["{{ BIN_DIR }}/tool", "{{ HOME }}/it's", "$HOME"], "working_dir": "{{ HOME }}"}
    value["menu_items"] = [item]
    (prefix / "Menu" / "second.json").write_text(json.dumps(value), encoding="utf-8")
    release = manifest("linux-64", "Menu/second.json")
    ((_, text),) = desktop_entries.planned(str(prefix), release, "/usr/local/share/applications").items()
    path = tmp_path / "shared.desktop"
    path.write_text(text, encoding="utf-8")
    environment = {**os.environ, "HOME": str(home)}
    done = subprocess.run(
        [gio, "launch", path], capture_output=True, text=True, check=False, timeout=HANGING, env=environment
    )
    assert done.returncode == 0, done.stderr
    _wait_for(out)
    assert out.read_text() == f"<{home}><{home}/it's><$HOME>"


def _wait_for(path: Path) -> None:
    """gio does not wait for what it has started."""
    done = subprocess.run(
        [
            "/bin/sh",
            "-c",
            'n=0; while [ ! -e "$0" ] && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done',
            path,
        ],
        check=False,
    )
    assert done.returncode == 0


def test_what_can_not_be_written_is_told(prefix: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is no UTF-8, and a folder that is a file."""
    value = json.loads(json.dumps(SECOND))
    value["menu_items"][0]["description"] = "\ud800"
    (prefix / "Menu" / "second.json").write_text(json.dumps(value), encoding="utf-8")
    (prefix / "file").write_text("")
    tiny = manifest("linux-64", "Menu/second.json", "Menu/broken.json")
    for folder in (prefix / "applications", prefix / "file" / "applications"):
        state = PrefixState(str(prefix), "", [], 0, {}, {}, outside=OutsideFiles(str(folder)))
        outside_files.apply(InstalledRelease(str(prefix), "", tiny, state))
    told = capsys.readouterr().err.splitlines()
    assert [line.startswith("Warning: ") for line in told] == [True] * 5
    assert sum("was left as it was" in line for line in told) == 3
    assert [path.name.rpartition("-")[2] for path in (prefix / "applications").iterdir()] == ["plain.desktop"]
