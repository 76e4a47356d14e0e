"""``installer.yaml``: what it may say, what it gives, and how it complains."""

import os
from pathlib import Path

import pytest
import yaml

from cuvee.errors import DocumentError
from cuvee.files import sha256_bytes
from cuvee.image.settings import Initialize, InstallerSettings
from cuvee.installers.settings_reader import read_settings
from cuvee.runtime.install_scripts import script_environment


def write(folder: Path, text: str, **files: str) -> Path:
    (folder / "installer.yaml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content.encode())
    return folder


def test_none_gives_the_defaults(tmp_path: Path) -> None:
    assert read_settings(None)["linux"] == read_settings(tmp_path)["win"] == InstallerSettings()
    write(tmp_path, "# nothing\n")
    assert read_settings(tmp_path)["linux"] == InstallerSettings()


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
    linux, windows = read_settings(tmp_path)["linux"], read_settings(tmp_path)["win"]
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
    assert read_settings(write(tmp_path, "menu_packages: []"))["linux"].menu_packages == ()


@pytest.mark.parametrize(
    ("word", "wanted"), [("no", "no"), ("ask", "ask"), ("'yes'", "yes"), ("false", "no")]
)
def test_yes_and_no_are_words(word: str, wanted: str, tmp_path: Path) -> None:
    assert read_settings(write(tmp_path, f"initialize: {word}"))["linux"].initialize.value == wanted


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
    with pytest.raises(DocumentError, match="is not a path below the prefix"):
        read_settings(tmp_path)["linux"]


def test_conda_s_own_places(tmp_path: Path) -> None:
    write(tmp_path, "extra_files: {a: conda-meta/pinned}", a="")
    assert [file.target for file in read_settings(tmp_path)["linux"].extra_files] == ["conda-meta/pinned"]


def test_the_reference_names_every_variable() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "installer-settings.md"
    rows = [line for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    keys = {line.split("`")[1] for line in rows}
    told = set(script_environment("pre_install", _Told(), "", "", ()))  # type: ignore[arg-type]
    assert told - set(os.environ) <= keys


class _Told:
    settings = InstallerSettings()
    distribution = version = platform = "x"
