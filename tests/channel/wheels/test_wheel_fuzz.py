"""Broken wheels end in cuvee's own errors, whatever is broken."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from cuvee.channel.wheels.convert import Conversion, convert
from cuvee.channel.wheels.planned_packages import inspect
from cuvee.channel.wheels.wheel_archive import open_wheel
from cuvee.errors import IntegrityError

MakeWheel = Callable[..., Path]
ROUNDS = 200


def refusal(path: Path, scratch: Path) -> str | None:
    """Use a wheel as an import does; give the message if it is refused."""
    conversion = Conversion(wheel=path.name, sha256="0" * 64, subdir="noarch", minor="3.11", depends=())
    try:
        inspect(path, file_name=path.name, sha256="0" * 64, url="")
        with open_wheel(path) as wheel:
            convert(wheel, conversion, scratch=scratch)
    except IntegrityError as error:
        return error.message
    return None


def repeatable() -> random.Random:
    return random.Random(20261122)  # noqa: S311  damage, not secrets


def flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    return data[:start] + data[start + chance.randrange(1, 60) :]


@pytest.mark.parametrize("damage", [flipped, cut])
def test_damaged_archives(
    make_wheel: MakeWheel, tmp_path: Path, damage: Callable[[bytes, random.Random], bytes]
) -> None:
    path = make_wheel(
        files={"demo/__init__.py": b"x = 1\n" * 50, "demo-1.0.data/scripts/run": b"#!python\n"},
        entry_points="[console_scripts]\ndemo = demo:main\n",
        metadata="Requires-Dist: six>=1; extra == 'a'\nLicense: BSD\n",
    )
    good, chance = path.read_bytes(), repeatable()
    refused = []
    for _ in range(ROUNDS):
        path.write_bytes(damage(good, chance))
        refused.append(refusal(path, tmp_path))
    told = [message for message in refused if message is not None]
    assert len(told) > ROUNDS // 2
    assert all(path.name in message for message in told)


@pytest.mark.parametrize("member", ["METADATA", "WHEEL", "entry_points.txt", "RECORD"])
def test_damaged_texts(make_wheel: MakeWheel, tmp_path: Path, member: str) -> None:
    """Texts whose checksums are right and whose content is not: somebody meant it."""
    texts = {
        "METADATA": "Metadata-Version: 2.4\nName: demo\nVersion: 1.0\nRequires-Dist: six>=1; extra == 'a'\n"
        "License-File: LICENSE\nProject-URL: Home, https://example.org\nRequires-Python: >=3.9\n\nText\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n",
        "entry_points.txt": "[console_scripts]\ndemo = demo:main\n",
        "RECORD": "demo/__init__.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0\n",
    }
    chance = repeatable()
    for _ in range(ROUNDS // 4):
        text = list(texts[member])
        for _ in range(chance.randrange(1, 6)):
            text[chance.randrange(len(text))] = chance.choice("\x00\n\r,:;=[]\"'%\\ \u2028é0a*<>~!|")
        changed = "".join(text)
        path = make_wheel(
            metadata=changed if member == "METADATA" and "Name:" in changed else "",
            entry_points=changed if member == "entry_points.txt" else "",
            record=changed if member == "RECORD" else None,
            raw_wheel=changed if member == "WHEEL" else None,
        )
        assert path.name in (refusal(path, tmp_path) or path.name)
