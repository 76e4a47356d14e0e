"""What every installer accepts is noted; a hash that differs is refused."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.channel.wheels.wheel_archive import open_wheel
from cuvee.errors import IntegrityError

MakeWheel = Callable[..., Path]
INIT = "demo/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n"
EVIL = INIT.replace("47DE", "57DE")
MD5 = "md5=1B2M2Y8AsgTpgAmY7PhCfg"


def noted(path: Path) -> list[str]:
    """Read a wheel as an import does, and return what is noted of it."""
    with open_wheel(path) as wheel:
        for member in wheel.members:
            wheel.read(member)
        return wheel.irregularities


def rewritten(make_wheel: MakeWheel, line: str) -> Path:
    """Make a wheel whose RECORD has other text for its one module."""
    with zipfile.ZipFile(make_wheel()) as archive:
        good = archive.read("demo-1.0.dist-info/RECORD").decode()
    original = INIT.replace("demo/__init__.py", '"demo/__init__.py"')
    assert original in good
    return make_wheel(record=good.replace(original, "") + line)


@pytest.mark.parametrize(
    ("line", "note"),
    [
        (INIT.replace("sha256", "SHA256"), "RECORD has SHA256= for demo/__init__.py, instead of sha256="),
        ("", "RECORD does not list demo/__init__.py"),
        (INIT + INIT, "RECORD lists demo/__init__.py twice"),
        (f"./{INIT}", "RECORD has './demo/__init__.py' for demo/__init__.py"),
        (INIT.replace("/", "\\"), r"RECORD has 'demo\\__init__.py' for demo/__init__.py"),
        (f"demo/,,\n{INIT}", "RECORD lists 'demo/', which is a folder"),
        (f"demo,,\n{INIT}", "RECORD lists 'demo', which is a folder"),
        (f"gone.py,sha256=abc,3\n{INIT}", "RECORD lists 'gone.py', which does not exist"),
        (f"/etc/passwd,sha256=abc,3\n{INIT}", "RECORD lists '/etc/passwd', which does not exist"),
        ("demo/__init__.py,,\n", "RECORD has no hash of demo/__init__.py that is known: ''"),
        ("demo/__init__.py\n", "RECORD has no hash of demo/__init__.py that is known: ''"),
        ("demo/__init__.py,crc=ab,0\n", "RECORD has no hash of demo/__init__.py that is known: 'crc=ab'"),
        (f"demo/__init__.py,{MD5},0\n", "RECORD has the weak hash md5 of demo/__init__.py"),
        (INIT.replace(",0", ",7"), "RECORD has the size '7' of demo/__init__.py, which has 0 bytes"),
        (f'{INIT}"demo', "RECORD lists 'demo', which is a folder"),
    ],
)
def test_a_record_that_every_installer_accepts_is_noted(make_wheel: MakeWheel, line: str, note: str) -> None:
    assert noted(rewritten(make_wheel, line)) == [note]


@pytest.mark.parametrize(
    "line",
    [
        EVIL,
        EVIL.replace("sha256", "SHA256"),
        INIT + EVIL,
        f"./{EVIL}",
        f"demo/__init__.py,{MD5.replace('1B2M', '2B2M')},0\n",
        "demo/__init__.py,sha256=a,0\n",
    ],
)
def test_a_hash_that_differs_is_refused_however_it_is_written(make_wheel: MakeWheel, line: str) -> None:
    with pytest.raises(IntegrityError, match=r"__init__\.py.*its hash is not the one in RECORD") as error:
        noted(rewritten(make_wheel, line))
    assert error.value.exit_code == 5


def test_a_good_wheel_has_nothing_to_note(make_wheel: MakeWheel) -> None:
    assert noted(make_wheel()) == []


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice(make_wheel: MakeWheel) -> None:
    equal = make_wheel(raw=lambda archive: archive.writestr("demo/__init__.py", b""))
    assert noted(equal) == ["It has demo/__init__.py twice, with the same content"]
    other = make_wheel(raw=lambda archive: archive.writestr("demo/__init__.py", b"other"))
    with pytest.raises(IntegrityError, match="twice, with different content"):
        noted(other)


def test_names_that_differ_only_by_case_are_left_to_the_checks(make_wheel: MakeWheel) -> None:
    assert noted(make_wheel(files={"demo/__init__.py": b"", "Demo/__init__.py": b"other"})) == []


@pytest.mark.parametrize("name", ["./demo/x.py", "demo//x.py", "demo/./x.py"])
def test_a_member_with_parts_that_mean_nothing(make_wheel: MakeWheel, name: str) -> None:
    path = make_wheel(raw=lambda archive: archive.writestr(name, b"x"))
    assert noted(path) == [f"It has {name!r} for demo/x.py", "RECORD does not list demo/x.py"]
    with open_wheel(path) as wheel:
        assert wheel.read("demo/x.py") == b"x"
    hostile = make_wheel(raw=lambda archive: archive.writestr(name.replace("x", "__init__"), b"other"))
    with pytest.raises(IntegrityError, match="twice, with different content"):
        noted(hostile)
