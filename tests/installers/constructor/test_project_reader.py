"""What is read of a constructor project."""

import json
from pathlib import Path

import pytest

from constructing import BITMAP, HEAD, Read
from cuvee.conda.explicit_list import ExplicitArchive
from cuvee.errors import UsageError
from cuvee.image.settings import Initialize
from cuvee.installers.constructor.model import BuildOutputs, ChannelRemap

SHA = "a" * 64
MD5 = "b" * 32


def test_a_whole_project(read: Read, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    project = read(
        """\
name: My_Tool
version: "1.10"
company: ACME
reverse_domain_identifier: org.acme
channels:
  - ./own
  - conda-forge
channels_remap:
  - src: ./own
    dest: https://example.org/own/
specs:
  - python 3.11.*
  - numpy >=2  # [linux]
  - pywin32  # [win]
user_requested_specs:
  - python
exclude:
  - Tk
virtual_specs:
  - __glibc>=2.17
  - __cuda >=12.4,<13
license_file: LICENSE
pre_install: pre.sh
post_install: post.sh
pre_uninstall: bye.bat
script_env_variables:
  WHO: "you & me"
extra_files:
  - LICENSE
  - post.sh: share/scripts/post.sh
menu_packages:
  - spyder
  - console
write_condarc: true
conda_default_channels:
  - conda-forge
conda_channel_alias: https://example.org
initialize_conda: classic
initialize_by_default: true
default_prefix: $HOME/tool
build_outputs:
  - hash:
      algorithm:
        - sha256
        - md5
  - licenses:
      include_text: true
  - lockfile
  - pkgs_list
  - info_json: {}
freeze_base:
  conda:
    message: "frozen"
""",
        base="",
        LICENSE="Be kind.\n",
        pre__sh="true\n",
        post__sh="#!/bin/bash\ntrue\n",
    )
    own = str(tmp_path / "own")
    packages, settings = project.packages, project.settings
    assert (project.name, project.version, project.distribution) == ("My_Tool", "1.10", "my-tool")
    assert packages.channels == (own, "conda-forge", own)
    assert packages.remaps == (ChannelRemap(source=own, destination="https://example.org/own"),)
    assert packages.specs == ("python 3.11.*", "numpy >=2")
    assert packages.requested == ("python",)
    assert packages.exclude == ("tk",)
    assert packages.floor == {"glibc": "2.17", "linux": "4.18", "cuda": "12.4"}
    assert project.branding.license_text == "Be kind.\n"
    assert (project.branding.publisher, project.branding.identifier) == ("ACME", "org.acme.My-Tool")
    assert settings.scripts == {"pre_install": "true\n", "post_install": "#!/bin/bash\ntrue\n"}
    assert settings.script_environment == {"INSTALLER_NAME": "My_Tool", "WHO": "you & me"}
    assert [file.target for file in settings.extra_files] == ["LICENSE", "share/scripts/post.sh"]
    assert settings.menu_packages == ("console", "spyder")
    assert settings.initialize is Initialize.YES
    assert settings.default_prefix == "$HOME/tool"
    assert settings.condarc == (
        "default_channels:\n- conda-forge\nchannels:\n- ./own\n- conda-forge\n"
        "channel_alias: https://example.org\n"
    )
    assert json.loads(project.frozen) == {"message": "frozen"}
    assert project.outputs == BuildOutputs(
        hashes=("md5", "sha256"),
        info=True,
        package_list=True,
        lockfile=True,
        licenses=True,
        license_texts=True,
    )
    assert project.warnings == (
        "virtual_specs: __cuda >=12.4,<13: <13 is not checked, only the oldest version is",
        "pre_uninstall: bye.bat is left out, since it is for Windows",
    )


def test_everything_that_is_wrong_is_said_at_once(read: Read) -> None:
    with pytest.raises(UsageError) as caught:
        read(
            "licence_file: x\nlicense_file: gone\nversion: -1-\ninstaller_type: docker\n"
            "build_outputs:\n  - sbom\nextra_files:\n  - gone.txt\nexclude:\n  - a>1\n"
            "freeze_base:\n  pip: {}\ncondarc: 3\n",
            base="",
        )
    said = {line.strip() for line in caught.value.message.splitlines()[1:]}
    assert said == {
        'licence_file: there is no such key; did you mean "license_file"?',
        "condarc: must be a text, or a mapping",
        "installer_type: docker is not supported; use sh, and install it in a container",
        "name: is missing",
        "version: must be of letters, digits, ., _ and -, and not start or end with . or -",
        "exclude: a>1 is not a package's name",
        "channels: there is none, nor in channels_remap; a .condarc is not read",
        "extra_files: gone.txt is not a file",
        "freeze_base: only conda is supported, not pip",
        "license_file: there is no file gone",
        (
            "build_outputs: there is no output sbom; the outputs are "
            "hash, info.json, info_json, licenses, lockfile, pkgs_list"
        ),
    }


@pytest.mark.parametrize(
    ("text", "platform", "formats"),
    [
        ("", "linux-64", ("sh",)),
        ("", "osx-arm64", ("sh",)),
        ("", "win-64", ("exe",)),
        ("installer_type: all\n", "osx-64", ("sh", "pkg")),
        ("installer_type: all\n", "win-64", ("exe", "msi")),
        ("installer_type:\n  - msi\n  - exe\n", "win-64", ("msi", "exe")),
    ],
)
def test_formats_are_constructors(text: str, platform: str, formats: tuple[str, ...], read: Read) -> None:
    assert read(text, platform).formats == formats


def test_one_file_name_is_for_one_installer(read: Read) -> None:
    assert read("installer_filename: a.sh\n").file_name == "a.sh"
    both = read("installer_filename: a.exe\ninstaller_type: all\n", "win-64")
    assert both.file_name == ""
    assert "installer_filename: is for one installer, but there are several" in both.warnings
    for name in ("../a.sh", "/a.sh", ".a", r"b\a"):
        with pytest.raises(UsageError, match="without a folder"):
            read(f"installer_filename: {name}\n")


def test_a_number_as_version_is_read_as_constructor_reads_it(read: Read) -> None:
    project = read(base="name: x\nversion: 1.10\nchannels:\n  - a\n")
    assert project.version == "1.1"
    assert project.warnings == ("version: is a number in YAML, and read as 1.1; put it in quotes",)


def test_defaults_are_several_channels(read: Read) -> None:
    base = f"{HEAD}channels:\n  - defaults\n"
    assert [name.rpartition("/")[2] for name in read(base=base).packages.channels] == ["main", "r"]
    windows = read("", "win-64", base=base)
    assert [name.rpartition("/")[2] for name in windows.packages.channels] == ["main", "r", "msys2"]


def test_specs_may_be_in_a_file(read: Read) -> None:
    project = read(
        "specs: specs.txt\n", base=f"{HEAD}channels:\n  - a\n", specs__txt="python\n\nnumpy >=2 \n"
    )
    assert project.packages.specs == ("python", "numpy >=2")


def test_a_spec_may_be_an_address(read: Read) -> None:
    url = "https://h/own/linux-64/my-tool-1.0-h1_0.conda"
    project = read(f"  - {url}\n  - {url.replace('tool', 'lib')}#{MD5}\n  - my-tool >=1\n")
    assert project.packages.channels == ("conda-forge", "https://h/own")
    assert project.packages.specs == (
        "python",
        "https://h/own::my-tool[version='==1.0', build='h1_0']",
        f"https://h/own::my-lib[version='==1.0', build='h1_0', md5={MD5}]",
        "my-tool >=1",
    )


def test_an_environment_file_brings_its_channels_and_specs(read: Read) -> None:
    text = (
        "name: x\nchannels:\n  - own\n  - nodefaults\nvariables:\n  A: b\n"
        "dependencies:\n  - python=3.11\n  - own::tool\n  - pip:\n    - wheel\n"
    )
    project = read("environment_file: env.yml\n", env__yml=text)
    assert project.packages.channels == ("own",)
    assert project.packages.specs == ("python=3.11", "own::tool")
    assert project.warnings == (
        "environment_file: env.yml has a pip section, whose packages are left out, as in constructor",
        "environment_file: env.yml has variables, which are left out, as in constructor",
        "channels: those of env.yml are used instead, as in constructor",
    )


def test_an_explicit_list_is_not_solved(read: Read, tmp_path: Path) -> None:
    text = (
        "# platform: linux-64\n@EXPLICIT\n"
        f"https://h/c/noarch/a-1-0.conda#{MD5}\nhttps://h/c/linux-64/b-1-0.tar.bz2#sha256:{SHA}\n./c-1-0.conda\n"
    )
    project = read("environment_file: list.txt\n", list__txt=text)
    assert project.packages.specs == ()
    assert project.packages.archives == (
        ExplicitArchive(url="https://h/c/noarch/a-1-0.conda", md5=MD5),
        ExplicitArchive(url="https://h/c/linux-64/b-1-0.tar.bz2", sha256=SHA),
        ExplicitArchive(url=(tmp_path / "c-1-0.conda").as_uri()),
    )
    assert project.warnings == ("environment_file: c-1-0.conda has no hash, so it is not checked",)
    with pytest.raises(UsageError, match=r"list\.txt is for linux-64"):
        read("environment_file: list.txt\n", "win-64", list__txt=text)
    with pytest.raises(UsageError, match="neither an MD5 nor a SHA-256"):
        read("environment_file: list.txt\n", list__txt="@EXPLICIT\nhttps://h/c/noarch/a-1-0.conda#12\n")


def test_a_list_of_specs_is_solved(read: Read) -> None:
    project = read("environment_file: list.txt\n", list__txt="# mine\npython\nnumpy\n")
    assert project.packages.specs == ("python", "numpy")


def test_an_environment_is_a_folder_with_records(read: Read, tmp_path: Path) -> None:
    meta = tmp_path / "env" / "conda-meta"
    meta.mkdir(parents=True)
    record = {"url": "https://h/c/noarch/a-1-0.conda", "md5": MD5, "sha256": SHA}
    (meta / "a-1-0.json").write_text(json.dumps(record), encoding="utf-8")
    assert read("environment: ./env\n").packages.archives == (
        ExplicitArchive(url="https://h/c/noarch/a-1-0.conda", md5=MD5, sha256=SHA),
    )
    with pytest.raises(UsageError, match="give its folder"):
        read("environment: base\n")
    (meta / "b-1-0.json").write_text("{}", encoding="utf-8")
    with pytest.raises(UsageError, match=r"b-1-0\.json does not have the URL"):
        read("environment: ./env\n")


@pytest.mark.parametrize(
    ("spec", "platform", "floor"),
    [
        ("__glibc>=2.17", "linux-64", {"glibc": "2.17"}),
        ("__glibc >=2.34", "linux-64", {"glibc": "2.34"}),
        ("__osx>=12.3", "osx-arm64", {"osx": "12.3"}),
        ("__win>=11", "win-64", {"win": "11"}),
        ("__archspec=1=x86_64_v3", "linux-64", {"archspec": "x86_64_v3"}),
        ("__archspec 1 x86_64_v2", "linux-64", {"archspec": "x86_64_v2"}),
        ("__unix", "linux-64", {}),
    ],
)
def test_virtual_specs_are_the_floor(spec: str, platform: str, floor: dict[str, str], read: Read) -> None:
    project = read(f'virtual_specs:\n  - "{spec}"\n', platform)
    assert project.packages.floor == {**read("", platform).packages.floor, **floor}
    assert not project.warnings


def test_virtual_specs_of_elsewhere_are_named(read: Read) -> None:
    (warning,) = read('virtual_specs:\n  - "__osx>=11"\n').warnings
    assert warning.startswith("virtual_specs: __osx>=11 is not checked")


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("", Initialize.ASK),
        ("initialize_conda: false\n", Initialize.NO),
        ("initialize_conda: true\n", Initialize.ASK),
        ("initialize_by_default: true\n", Initialize.YES),
        ("initialize_conda: false\ninitialize_by_default: true\n", Initialize.NO),
    ],
)
def test_the_search_path(text: str, choice: Initialize, read: Read) -> None:
    assert read(text).settings.initialize is choice


@pytest.mark.parametrize(
    ("stated", "platform", "prefix"),
    [
        ("", "linux-64", "$HOME/tool"),
        ("", "win-64", r"%USERPROFILE%\Tool"),
        ("/opt/tool", "linux-64", "/opt/tool"),
        ("~/tool v1", "osx-arm64", "$HOME/tool v1"),
        ("${HOME:-/opt}/x", "linux-64", "$HOME/x"),
        ("%LOCALAPPDATA%/x", "win-64", "%LOCALAPPDATA%/x"),
    ],
)
def test_the_default_place_is_constructors(stated: str, platform: str, prefix: str, read: Read) -> None:
    project = read(f'default_prefix: "{stated}"\n' if stated else "", platform)
    assert project.settings.default_prefix == prefix
    assert not project.warnings


def test_a_default_place_that_depends_on_more_is_named(read: Read) -> None:
    project = read("default_prefix: ${PWD}/tool\ndefault_prefix_all_users: x\n")
    assert project.settings.default_prefix == "$HOME/tool"
    assert project.settings.default_prefix_all_users == ""
    assert project.warnings == (
        "default_prefix: ${PWD}/tool has other variables than $HOME, so $HOME/tool is used",
    )


@pytest.mark.parametrize(
    ("text", "registered"),
    [
        ("", False),
        ("register_python_default: true\n", True),
        ("register_python: false\nregister_python_default: true\n", False),
    ],
)
def test_python_is_registered_as_constructor_would(text: str, *, registered: bool, read: Read) -> None:
    assert read(text, "win-64").settings.register_python == registered


def test_a_condarc_of_ones_own_comes_first(read: Read) -> None:
    text = "write_condarc: true\ncondarc:\n  solver: libmamba\n  channels:\n    - b\n"
    assert read(text).settings.condarc == "solver: libmamba\nchannels:\n- b\n"
    assert read("condarc: 'a: b'\n").settings.condarc == "a: b\n"
    assert read().settings.condarc is None


def test_mirrors_are_for_mamba(read: Read) -> None:
    text = "write_condarc: true\nmirrored_channels:\n  a:\n    - https://m\n"
    (warning,) = read(text).warnings
    assert warning.startswith("mirrored_channels: only mamba supports mirrors")
    base = f"{HEAD}channels:\n  - a\nspecs:\n  - mamba >=2\n"
    assert "mirrored_channels" in (read(text, base=base).settings.condarc or "")


def test_scripts_are_for_their_system(read: Read) -> None:
    linux = read("pre_uninstall: gone.bat\n")
    assert linux.settings.pre_uninstall == ""
    assert linux.warnings == ("pre_uninstall: gone.bat is left out, since it is for Windows",)
    for platform in ("linux-64", "osx-arm64"):
        assert read("pre_uninstall: bye.sh\n", platform, bye__sh="true\n").settings.pre_uninstall == "true\n"
    windows = read("pre_uninstall: bye.bat\n", "win-64", bye__bat="rem\n")
    assert windows.settings.pre_uninstall == "rem\n"
    with pytest.raises(UsageError, match=r"Windows runs a \.bat"):
        read("post_install: post.sh\n", "win-64", post__sh="true\n")


def test_pictures_are_shown_where_they_can_be(read: Read, tmp_path: Path) -> None:
    (tmp_path / "w.bmp").write_bytes(BITMAP)
    text = "welcome_image: w.bmp\nicon_image: i.png\n"
    windows = read(text, "win-64", i__png="x")
    assert windows.branding.welcome_picture is not None
    assert windows.warnings == ("icon_image: i.png is left out: give it as .ico",)
    assert read(text, "linux-64").warnings == ()
    assert read(f"{text}installer_type: pkg\n", "osx-64").warnings == (
        "icon_image: a .pkg shows no pictures",
        "welcome_image: a .pkg shows no pictures",
    )


def test_a_broken_picture_of_a_project_is_named(read: Read, tmp_path: Path) -> None:
    (tmp_path / "own.ico").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "own.bmp").write_bytes(b"BM")
    with pytest.raises(UsageError) as caught:
        read("icon_image: own.ico\nwelcome_image: own.bmp\n", "win-64")
    assert "icon_image: own.ico cannot be shown: it is a PNG, and not an icon" in caught.value.message
    assert "welcome_image: own.bmp cannot be shown: it is cut off" in caught.value.message
    assert read("icon_image: own.ico\n", "linux-64").branding.icon is None


def test_rich_texts_are_shown_plain(read: Read) -> None:
    text = "license_file: l.rtf\nwelcome_file: w.html\n"
    branding = read(
        text, "win-64", l__rtf=r"{\rtf1 Be {\b kind}.\par}", w__html="<p>Hello<br>you</p>"
    ).branding
    assert (branding.license_text, branding.welcome) == ("Be kind.\n", "Hello\nyou\n")


def test_pages_of_constructors_own_are_not_shown(read: Read) -> None:
    with pytest.raises(UsageError, match=r"l\.nsi is NSIS code for constructor"):
        read("license_file: l.nsi\n", l__nsi="x")
    welcome = read("welcome_file: w.nsi\nwelcome_text: Hello\n", "win-64", w__nsi="x")
    assert welcome.branding.welcome == "Hello"
    assert "welcome_file: pages cannot be added, so w.nsi is left out" in welcome.warnings


@pytest.mark.parametrize("target", ["../up", "/root", "a/../../b", ".cuvee/x", "conda-meta/history", ""])
def test_extra_files_stay_below_the_prefix(target: str, read: Read) -> None:
    with pytest.raises(UsageError, match="extra_files"):
        read(f"extra_files:\n  - a.txt: '{target}'\n", a__txt="x")
