"""``installer.yaml``: what it may say, what it gives, and how it complains."""

import os
from pathlib import Path

import pytest
import yaml

from cuvee.errors import UsageError
from cuvee.files import sha256_bytes
from cuvee.image.settings import Initialize, InstallerSettings
from cuvee.installers.settings import _READERS, read_settings
from cuvee.runtime.scripts import _environment


def write(folder: Path, text: str, **files: str) -> Path:
    (folder / "installer.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content.encode())
    return folder


def test_none_gives_the_defaults(tmp_path: Path) -> None:
    assert read_settings(None, "linux") == read_settings(tmp_path, "win") == InstallerSettings()
    write(tmp_path, "# nothing\n")
    assert read_settings(tmp_path, "linux") == InstallerSettings()


def test_everything(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        pre_install: pre.sh
        post_install: {linux: post.sh, win: post.bat}
        pre_uninstall: {win: post.bat}
        script_environment: {SITE: north}
        condarc: {channels: [conda-forge], auto_activate_base: false}
        extra_files:
          - readme.txt
          - tool.sh: bin/tool
        menu_packages: [spyder, jupyterlab, spyder]
        initialize: yes
        register_python: false
        default_prefix: {linux: $HOME/tiny, win: '%LOCALAPPDATA%\\Tiny'}
        default_prefix_all_users: {linux: /opt/tiny}
        keep_installer: {linux: true}
        """,
        pre__sh="#!/bin/sh\nexit 0\n", post__sh="echo post\n", post__bat="@echo off\r\n",
        readme__txt="read me", tool__sh="#!/bin/sh\n",
    )  # fmt: skip
    (tmp_path / "tool.sh").chmod(0o755)
    linux, windows = read_settings(tmp_path, "linux"), read_settings(tmp_path, "win")
    assert linux.scripts == {"pre_install": "#!/bin/sh\nexit 0\n", "post_install": "echo post\n"}
    assert windows.scripts == {
        "pre_install": "#!/bin/sh\nexit 0\n",
        "post_install": "@echo off\r\n",
        "pre_uninstall": "@echo off\r\n",
    }
    assert linux.script_environment == {"SITE": "north"}
    assert linux.condarc is not None
    assert yaml.safe_load(linux.condarc) == {"channels": ["conda-forge"], "auto_activate_base": False}
    assert [(file.target, file.executable) for file in linux.extra_files] == [
        ("bin/tool", True),
        ("readme.txt", False),
    ]
    assert linux.extra_files[1].sha256 == sha256_bytes(b"read me")
    assert linux.menu_packages == ("jupyterlab", "spyder")
    assert (linux.initialize, linux.register_python) == (Initialize.YES, False)
    assert linux.default_prefix == "$HOME/tiny"
    assert windows.default_prefix == r"%LOCALAPPDATA%\Tiny"
    assert (linux.keep_installer, windows.keep_installer) == (True, False)
    assert (linux.default_prefix_all_users, windows.default_prefix_all_users) == ("/opt/tiny", "")


def test_menus_of_no_package(tmp_path: Path) -> None:
    assert read_settings(write(tmp_path, "menu_packages: []"), "linux").menu_packages == ()


@pytest.mark.parametrize(
    ("word", "wanted"), [("no", "no"), ("ask", "ask"), ("'yes'", "yes"), ("false", "no")]
)
def test_yes_and_no_are_words(word: str, wanted: str, tmp_path: Path) -> None:
    assert read_settings(write(tmp_path, f"initialize: {word}"), "linux").initialize.value == wanted


def test_every_problem_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        post_instal: x.sh
        pre_install: x.sh
        pre_uninstall: empty.sh
        condarc: "- a list"
        extra_files: {here.txt: ../there}
        menu_packages: all
        initialize: maybe
        register_python: 1
        default_prefix: "two\\nlines"
        script_environment: {"A B": c}
        """,
        empty__sh=" \n", here__txt="",
    )  # fmt: skip
    with pytest.raises(UsageError) as caught:
        read_settings(tmp_path, "linux")
    assert caught.value.message.replace(str(tmp_path), "…") == (
        "…/installer.yaml is wrong:\n"
        '  post_instal: there is no such key; did you mean "post_install"?\n'
        "  pre_install: x.sh is not there\n"
        "  pre_uninstall: empty.sh is empty\n"
        "  condarc: must be a mapping, or a text that is one\n"
        "  extra_files: ../there is no place below the prefix where a file may go\n"
        "  menu_packages: must be a list of packages' names\n"
        "  initialize: must be ask, yes or no\n"
        "  register_python: must be true or false\n"
        "  default_prefix: must be one line\n"
        "  script_environment: must map names of variables to texts"
    )
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    "target",
    [
        "conda-meta/cuvee",
        "conda-meta/x.json",
        "/etc/passwd",
        "a/../b",
        "c:/x",
        "a\\b",
        "conda-meta/history",
        ".cuvee/x",
        "",
        "a//b",
        "./a",
    ],
)
def test_places_outside(target: str, tmp_path: Path) -> None:
    write(tmp_path, yaml.safe_dump({"extra_files": [{"a": target}]}), a="x")
    with pytest.raises(UsageError, match="no place below the prefix"):
        read_settings(tmp_path, "linux")


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "\udcff"])
def test_no_mapping(text: str, tmp_path: Path) -> None:
    (tmp_path / "installer.yaml").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(UsageError, match=r"installer\.yaml"):
        read_settings(tmp_path, "linux")


def test_conda_s_own_places(tmp_path: Path) -> None:
    write(tmp_path, "extra_files: {a: conda-meta/pinned}", a="")
    assert [file.target for file in read_settings(tmp_path, "linux").extra_files] == ["conda-meta/pinned"]


def test_one_place_twice(tmp_path: Path) -> None:
    write(tmp_path, "extra_files: [{a: x/A}, {b: x/a}]", a="", b="")
    with pytest.raises(UsageError, match="named twice"):
        read_settings(tmp_path, "osx")


def test_the_reference_names_every_key() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "installer-settings.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    keys = [line.split("`")[1] for line in rows]
    assert keys[: len(_READERS)] == list(_READERS)
    told = set(_environment("pre_install", _Told(), "", "", ()))  # type: ignore[arg-type]
    assert set(keys[len(_READERS) :]) == told - set(os.environ)


class _Told:
    settings = InstallerSettings()
    distribution = version = platform = "x"
