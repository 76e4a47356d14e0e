"""The parts that run on Windows, as far as they can be held to anything on Linux."""

import ast
import io
import json
import sys
from importlib.resources import files as resource_files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from constructing import BITMAP
from cuvee.errors import DocumentError, InternalError, ToolMissingError
from cuvee.installers.branding import Branding, read_branding
from cuvee.installers.jinja_templates import nsis_inner
from cuvee.installers.windows.nsis import compile_script, find_makensis
from cuvee.runtime.failure import InstallError
from cuvee.runtime.windows import exe_container, search_path, windows_log

folders = st.lists(st.text("abAB\\:. %", min_size=1, max_size=8).map(lambda name: f"C:\\{name}"), max_size=5)


def modules(package: str) -> dict[str, set[str]]:
    """What each module of a folder imports from elsewhere when it is imported."""
    found = {}
    for entry in resource_files(package).iterdir():
        if entry.name.endswith(".py"):
            imports = set[str]()
            for node in ast.walk(ast.parse(entry.read_text())):
                if isinstance(node, ast.Import):
                    imports.update(alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    imports.add(str(node.module))
            found[entry.name] = imports
    return found


def test_stage_0_has_what_they_import() -> None:
    carried = set().union(*modules("cuvee.runtime").values())
    # These stage 0 carries for every start of an interpreter.
    carried |= {"importlib", "traceback", "codecs", "runtime.windows.nsis_verbs"}
    for name, imports in modules("cuvee.runtime.windows").items():
        assert imports <= carried | {*sys.builtin_module_names, "winreg"}, name


def program(size: int = 9000, *, certificates: int = 0) -> bytearray:
    """A file that looks like a 64-bit program."""
    data = bytearray(number % 251 for number in range(size))
    data[:2] = b"MZ"
    data[0x3C:0x40] = (0x80).to_bytes(4, "little")
    data[0x98:0x9A] = (0x20B).to_bytes(2, "little")
    data[0x98 + 64 : 0x98 + 68] = bytes(4)
    data[0x98 + 144 : 0x98 + 152] = certificates.to_bytes(4, "little") + bytes(4)
    return data


def with_trailer(data: bytearray) -> bytearray:
    digest = exe_container.digest(io.BytesIO(data), len(data))
    return data + exe_container.pack(exe_container.ExeContainer(1, 1 << 33, 3), digest)


def test_the_container_is_found_before_and_after_signing(tmp_path: Path) -> None:
    path = tmp_path / "x.exe"
    data = with_trailer(program())
    path.write_bytes(data)
    assert exe_container.open_container(str(path)) == exe_container.ExeContainer(1, 1 << 33, 3)
    # Signing sets the checksum and the certificates' place, and puts the certificates at the end.
    data[0x98 + 64 : 0x98 + 68] = b"\1\2\3\4"
    data[0x98 + 144 : 0x98 + 152] = len(data).to_bytes(4, "little") + b"\x10\0\0\0"
    path.write_bytes(data + b"c" * 16)
    assert exe_container.open_container(str(path)) == exe_container.ExeContainer(1, 1 << 33, 3)


@given(st.integers(0, 9000 + exe_container.SIZE - 1), st.integers(0, 7))
def test_any_flipped_bit_is_found(tmp_path_factory: pytest.TempPathFactory, place: int, bit: int) -> None:
    ours = range(
        9000 + 16, 9000 + 40
    )  # numbers in the trailer: the manifest's own hash guards what they lead to
    free = (*range(0xD8, 0xDC), *range(0x98 + 144, 0x98 + 152), *ours, *range(9072, 9128))
    path = tmp_path_factory.getbasetemp() / "flipped.exe"
    data = with_trailer(program())
    data[place] ^= 1 << bit
    path.write_bytes(data)
    if place not in free:
        with pytest.raises(InstallError):
            exe_container.open_container(str(path))


def test_what_is_no_installer_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.exe"
    for data in (b"", b"MZ", bytes(5000), bytes(program()), bytes(with_trailer(program()))[:-1]):
        path.write_bytes(data)
        with pytest.raises(InstallError):
            exe_container.open_container(str(path))


@given(folders, folders)
def test_path_edits_are_undone(before: list[str], added: list[str]) -> None:
    value = ";".join(before)
    new = search_path.joined(value, added)
    assert new.split(";")[: len(added)] == added or not added
    mine = {search_path.plain(folder) for folder in added}
    others = [folder for folder in before if search_path.plain(folder) not in mine]
    assert search_path.without(new, added) == ";".join(others)


def test_path_keeps_what_it_does_not_know() -> None:
    value = r'%A%\bin;;"C:\with; semicolon";C:\Tiny\;c:/tiny;D:\x'
    assert search_path.without(value, [r"C:\Tiny"]) == r'%A%\bin;;"C:\with; semicolon";D:\x'
    assert search_path.joined("", [r"C:\Tiny"]) == r"C:\Tiny"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a $HOME", "a $$HOME"),
        ('say "hi"', r"say $\"hi$\""),
        ("one\r\ntwo", r"one$\r$\ntwo"),
        (r"C:\n", r"C:\n"),
    ],
)
def test_texts_are_quoted_for_nsis(text: str, quoted: str) -> None:
    assert nsis_inner(text) == quoted


def test_the_log_has_whole_lines_and_a_twin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    made = windows_log.WindowsLog(str(tmp_path / "new" / "install.log"))
    made.listen()
    sys.stdout.write("one ")
    sys.stdout.write("line\ntwo\n")
    made.close("install", 5, {"version": "1"})
    lines = [line[20:] for line in (tmp_path / "new" / "install.log").read_text().splitlines()]
    assert lines[:2] == ["one line", "two"]
    twin = json.loads((tmp_path / "new" / "install.json").read_text())
    assert (twin["verb"], twin["exit_code"], twin["version"]) == ("install", 5, "1")


def test_logs_of_all_users_are_where_only_administrators_write() -> None:
    environment = {"SystemRoot": "/win", "LOCALAPPDATA": "/local"}
    assert windows_log.folder(environment, "Tiny", machine=True) == "/win/Logs/Tiny"
    assert windows_log.folder(environment, "Tiny", machine=False) == "/local/Tiny"


def test_branding(tmp_path: Path) -> None:
    assert read_branding(None) == Branding()
    assert read_branding(tmp_path) == Branding()
    (tmp_path / "branding.yaml").write_text("license: L.txt\npublisher: Us\n", encoding="utf-8")
    with pytest.raises(DocumentError, match=r"there is no file L\.txt"):
        read_branding(tmp_path)
    (tmp_path / "L.txt").write_text("Käse", encoding="utf-8")
    (tmp_path / "header.bmp").write_bytes(BITMAP)
    branding = read_branding(tmp_path)
    assert (branding.license_text, branding.publisher, branding.icon) == ("Käse", "Us", None)
    assert branding.header_picture == tmp_path / "header.bmp"
    for bad in ("- a\n", "publisher: [a]\n", "a: b: c\n"):
        (tmp_path / "branding.yaml").write_text(bad)
        with pytest.raises(DocumentError):
            read_branding(tmp_path)


def fake(folder: Path, script: str) -> None:
    path = folder / "makensis"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@pytest.mark.real
def test_the_compiler_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match="makensis is not installed"):
        find_makensis()
    fake(tmp_path, "echo v3.06")
    with pytest.raises(ToolMissingError, match=r"3\.06, which is too old"):
        find_makensis()
    fake(tmp_path, '[ "$1" = -VERSION ] && echo v3.11-1 || { echo "bad script"; exit 1; }')
    found = find_makensis()
    assert found == str(tmp_path / "makensis")
    with pytest.raises(InternalError, match="bad script"):
        compile_script(found, tmp_path / "x.nsi")
    fake(tmp_path, '[ "$1" = -VERSION ] && echo v3.08 || { echo "no stub amd64-unicode"; exit 1; }')
    with pytest.raises(ToolMissingError, match="64-bit"):
        compile_script(find_makensis(), tmp_path / "x.nsi")
