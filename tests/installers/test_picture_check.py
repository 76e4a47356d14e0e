"""Broken pictures are named before an installer is made of them."""

from pathlib import Path

import pytest

from constructing import BITMAP, ICON
from cuvee.errors import DocumentError
from cuvee.installers import picture_check
from cuvee.installers.branding import read_branding
from cuvee.installers.picture_check import picture_problem

PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
BROKEN = {
    "icon.ico": [
        (PNG, "it is a PNG, and not an icon"),
        (BITMAP, "it is a bitmap, and not an icon"),
        (b"", "it is another kind of file, and not an icon"),
        (b"\0\0\1\0\0\0", "it has no picture"),
        (ICON[:10], "it is cut off"),
        (ICON[:-1], "it is cut off"),
        (ICON.replace(b"\x28\0\0\0", b"\x29\0\0\0", 1), "its picture 1 is neither a bitmap nor a PNG"),
    ],
    "header.bmp": [
        (PNG, "it is a PNG, and not a bitmap"),
        (ICON, "it is an icon, and not a bitmap"),
        (b"\xff\xd8\xff\xe0", "it is a JPEG, and not a bitmap"),
        (b"BM", "it is cut off"),
        (BITMAP[:-1], "it is cut off"),
        (BITMAP[:14] + b"\x0c" + BITMAP[15:], "its header is not that of a Windows bitmap"),
    ],
}


@pytest.mark.parametrize(
    ("name", "data", "said"), [(name, data, said) for name, pairs in BROKEN.items() for data, said in pairs]
)
def test_a_broken_picture_of_the_branding_is_named(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(DocumentError, match=rf"{name} cannot be shown: {said}"):
        read_branding(tmp_path)


def test_good_pictures_are_taken(tmp_path: Path) -> None:
    (tmp_path / "icon.ico").write_bytes(ICON)
    (tmp_path / "welcome.bmp").write_bytes(BITMAP)
    branding = read_branding(tmp_path)
    assert (branding.icon, branding.welcome_picture) == (tmp_path / "icon.ico", tmp_path / "welcome.bmp")
    own = Path(picture_check.__file__).parent / "windows" / "pictures"
    found = [path for path in own.iterdir() if path.suffix in {".ico", ".bmp"}]
    assert len(found) == 3
    assert not any(map(picture_problem, found))


def test_a_huge_picture_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "header.bmp").open("wb") as stream:
        stream.truncate((16 << 20) + 1)
    assert picture_problem(tmp_path / "header.bmp") == "it has more than 16 MiB"


@pytest.mark.parametrize("stated", ["", "license: LICENSE.txt\n"])
@pytest.mark.parametrize("data", [b"\xff\xfeL\0", b"a\0b", "Käse".encode("latin-1")])
def test_a_licence_is_text(stated: str, data: bytes, tmp_path: Path) -> None:
    (tmp_path / "branding.yaml").write_text(f"publisher: Us\n{stated}")
    (tmp_path / "LICENSE.txt").write_bytes(data)
    with pytest.raises(DocumentError, match=r"LICENSE\.txt is not (UTF-8 )?text"):
        read_branding(tmp_path)
