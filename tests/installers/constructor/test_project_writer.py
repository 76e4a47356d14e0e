"""The construct.yaml that each release carries."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructing import BITMAP, ICON
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.errors import DocumentError
from cuvee.files import sha256_bytes
from cuvee.image.settings import ByteCode, ExtraFile, Initialize, InstallerSettings
from cuvee.installers.branding import Branding
from cuvee.installers.constructor.project_reader import read_project
from cuvee.installers.constructor.project_writer import (
    ProjectInputs,
    construct_files,
    quoted,
    relative_channel,
    solving_environment,
)
from cuvee.installers.constructor.selectors import select
from cuvee.installers.constructor.yaml_document import read_document, read_yaml
from cuvee.lock.model import PlatformLock
from cuvee.platforms import DEFAULT_FLOOR, get

SOURCE = Path("construct.yaml")


def package(name: str, platform: str) -> LockedPackage:
    return LockedPackage(
        name=name,
        version="1!2.0",
        build="h1_0",
        build_number=0,
        platform=platform,
        subdir=platform,
        url=f"https://h/c/{platform}/{name}-1!2.0-h1_0.conda",
        channel="https://h/c",
        sha256=sha256_bytes(name.encode()),
    )


def construct(platform: str, *names: str, **changes: Any) -> ProjectInputs:
    floor = DEFAULT_FLOOR[get(platform).system]
    plain = ProjectInputs(
        lock=PlatformLock(
            platform=platform,
            packages=tuple(package(name, platform) for name in ("python", *names)),
            virtual_packages=virtual_packages(platform, floor),
        ),
        name="Tool",
        version="2026.11.0",
        channels=("conda-forge", "../../../channel"),
        requested=("python >=3.11",),
        formats=(),
        branding=Branding(),
        settings=InstallerSettings(),
    )
    return replace(plain, **changes)


@pytest.fixture
def rich(tmp_path: Path) -> tuple[Branding, InstallerSettings]:
    """Branding and settings with every value, some of them awkward."""
    file = tmp_path / "some file"
    file.write_bytes(b"\0data")
    icon, picture = tmp_path / "some.ico", tmp_path / "some.bmp"
    icon.write_bytes(ICON)
    picture.write_bytes(BITMAP)
    branding = Branding(
        license_text="© ACME \u2013 “all” rights # [linux]\n",
        publisher='The "A" & B: #1 [win]',
        identifier="org.acme.tool",
        welcome="Grüße\n\tund: {{ mehr }} 😀",
        icon=icon,
        welcome_picture=picture,
        header_picture=picture,
    )
    settings = InstallerSettings(
        pre_install="echo 'a # [win]'\n",
        post_install="#!/bin/sh\nexit 0\n",
        pre_uninstall="rem\n",
        script_environment={"WHO": "you # [osx]", "NONE": ""},
        condarc="channels:\n- a # [win]\n",
        extra_files=(ExtraFile(source=file, target="share/a b [1] # [win]", sha256=sha256_bytes(b"\0data")),),
        menu_packages=("spyder",),
        initialize=Initialize.YES,
        default_prefix="$HOME/tool",
        default_prefix_all_users="%ALLUSERSPROFILE%\\tool",
        bytecode=ByteCode.DESKTOP,
    )
    return branding, settings


@pytest.mark.parametrize("platform", ["linux-64", "osx-arm64", "win-64"])
def test_it_fits_constructors_schema(
    platform: str, rich: tuple[Branding, InstallerSettings], shared_data: Path, tmp_path: Path
) -> None:
    schema = json.loads((shared_data / "schemas" / "construct.schema.json").read_text(encoding="utf-8"))
    bare = construct(platform)
    full = construct(platform, "conda", branding=rich[0], settings=rich[1], formats=("sh",))
    for item in (bare, full):
        _write(construct_files(item), tmp_path)
        jsonschema.validate(read_document(tmp_path / "construct.yaml", platform, {}), schema)


@pytest.mark.parametrize("platform", ["linux-64", "osx-arm64", "win-64"])
def test_our_own_reader_finds_what_was_written(
    platform: str, rich: tuple[Branding, InstallerSettings], tmp_path: Path
) -> None:
    formats = {"linux-64": ("sh",), "osx-arm64": ("pkg", "sh"), "win-64": ("exe", "msi")}[platform]
    written = construct(platform, "conda", branding=rich[0], settings=rich[1], formats=formats)
    _write(construct_files(written), tmp_path)
    project = read_project(tmp_path, platform, environment={})
    branding, settings = written.branding, written.settings
    found = project.settings
    assert (project.name, project.version, project.formats) == ("Tool", "2026.11.0", formats)
    assert project.packages.specs == tuple(
        f"{item.name}==1!2.0=h1_0[sha256={item.sha256}]" for item in written.lock.packages
    )
    assert project.packages.requested == written.requested
    assert project.packages.channels == ("conda-forge", str((tmp_path / "../../../channel").resolve()))
    assert virtual_packages(platform, project.packages.floor) == written.lock.virtual_packages
    assert project.branding.publisher == branding.publisher
    assert project.branding.license_text == '(c) ACME - "all" rights # [linux]\n'
    if platform == "osx-arm64":
        assert project.branding.welcome == branding.welcome
    assert found.condarc == settings.condarc
    assert found.script_environment == {"INSTALLER_NAME": "Tool", **settings.script_environment}
    assert [(file.target, file.sha256) for file in found.extra_files] == [
        (file.target, file.sha256) for file in settings.extra_files
    ]
    assert found.menu_packages == settings.menu_packages
    assert found.initialize is settings.initialize
    assert found.default_prefix == settings.default_prefix
    assert found.pre_install == settings.pre_install
    assert found.post_install == settings.post_install
    assert found.pre_uninstall == settings.pre_uninstall
    assert found.bytecode is ByteCode.DESKTOP
    if platform == "win-64":
        assert found.register_python == settings.register_python
        assert found.default_prefix_all_users == settings.default_prefix_all_users
    assert project.outputs.hashes == ("sha256",)


@pytest.mark.parametrize("platform", ["linux-64", "win-64"])
def test_it_is_ascii_and_always_the_same(platform: str, rich: tuple[Branding, InstallerSettings]) -> None:
    item = construct(platform, branding=rich[0], settings=rich[1])
    files = construct_files(item)
    assert files == construct_files(item)
    assert files["construct.yaml"].isascii()
    assert files["LICENSE.txt"].isascii(), "constructor's .sh takes no other"


def test_what_constructor_has_no_key_for_is_in_a_file_of_our_own(tmp_path: Path) -> None:
    plain, lean = (
        construct_files(construct("linux-64", settings=InstallerSettings(bytecode=byte_code)))
        for byte_code in (ByteCode.INSTALLER, ByteCode.NONE)
    )
    assert "installer.yaml" not in plain
    assert lean["installer.yaml"] == b"bytecode: none\n"
    more = "#\n# Constructor has no key for what installer.yaml says; cuvee reads it.\n"
    assert lean["construct.yaml"].decode().replace(more, "") == plain["construct.yaml"].decode()

    _write(lean | {"installer.yaml": b"bytecode: {win: desktop}\n"}, tmp_path)
    for platform, expected in (("linux-64", ByteCode.INSTALLER), ("win-64", ByteCode.DESKTOP)):
        assert read_project(tmp_path, platform, environment={}).settings.bytecode is expected
    _write({"installer.yaml": b"initialize: yes\nbytecode: later\n"}, tmp_path)
    with pytest.raises(DocumentError) as caught:
        read_project(tmp_path, "linux-64", environment={})
    assert "beside construct.yaml only bytecode is read; initialize belongs there" in caught.value.message
    assert "later" in caught.value.message


def test_search_path_and_menus_are_left_alone_where_they_would_fail() -> None:
    text = construct_files(construct("linux-64", settings=InstallerSettings(menu_packages=())))[
        "construct.yaml"
    ]
    assert b"initialize_conda: false\n" in text, "constructor wants conda for it"
    assert b"menu_packages: []\n" in text


def test_the_floor_is_what_conda_is_told_of() -> None:
    assert solving_environment(construct("linux-64").lock) == {
        "CONDA_SUBDIR": "linux-64",
        "CONDA_ADD_PIP_AS_PYTHON_DEPENDENCY": "false",
        "CONDA_OVERRIDE_ARCHSPEC": "x86_64",
        "CONDA_OVERRIDE_GLIBC": "2.28",
        "CONDA_OVERRIDE_LINUX": "4.18",
    }
    text = construct_files(construct("linux-64"))["construct.yaml"].decode()
    assert "#     export CONDA_OVERRIDE_GLIBC=2.28\n" in text
    assert 'virtual_specs:\n  - "__glibc>=2.28"\n' in text
    assert "__linux" not in text


@given(text=st.text(max_size=80))  # a key of YAML must not be much longer
def test_any_text_comes_back_whatever_it_looks_like(text: str) -> None:
    """Not even a text that has a selector or a template in it is taken for one."""
    for line in (f"key: {quoted(text)}", f"- {quoted(text)}: {quoted(text)}"):
        selected = select(line, "linux-64", source=SOURCE)
        assert selected == f"{line}\n"
        found = read_yaml(selected, SOURCE)
        assert found == ({"key": text} if line.startswith("key") else [{text: text}])


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        ("conda-forge", "conda-forge"),
        ("https://h/c", "https://h/c"),
        ("/dist/tool/channel", "../../../channel"),
        ("/dist/tool/installers/constructor/linux-64/own", "./own"),
        ("/other", "../../../../../other"),
    ],
)
def test_folders_are_named_by_their_way(channel: str, name: str) -> None:
    assert relative_channel(channel, Path("/dist/tool/installers/constructor/linux-64")) == name


def _write(files: dict[str, bytes], folder: Path) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
