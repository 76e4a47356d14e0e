import pytest

from cuvee.channel.wheels.wheel_archive import WheelName
from cuvee.channel.wheels.wheel_tags import (
    best,
    is_pure,
    lowest_python,
    minor_of,
    supported_tags,
    system_depends,
)


def wheel(tags: str) -> WheelName:
    return WheelName.parse(f"demo-1.0-{tags}.whl")


def chosen(platform: str, floor: dict[str, str], *tags: str) -> str | None:
    found = best(map(wheel, tags), supported_tags(platform, "3.11.7", floor))
    return found.file_name.removeprefix("demo-1.0-").removesuffix(".whl") if found else None


LINUX = ("py3-none-any", "cp37-abi3-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_28_x86_64")


def test_the_most_specific_wheel_wins() -> None:
    assert chosen("linux-64", {"glibc": "2.28"}, *LINUX) == LINUX[2]
    assert chosen("linux-64", {"glibc": "2.17"}, *LINUX) == LINUX[1]
    assert chosen("linux-aarch64", {"glibc": "2.28"}, *LINUX) == LINUX[0]
    assert chosen("win-64", {}, "cp311-cp311-win_amd64", "py3-none-any") == "cp311-cp311-win_amd64"
    assert chosen("osx-arm64", {"osx": "11.0"}, "cp311-cp311-macosx_12_0_arm64") is None
    assert chosen("osx-arm64", {"osx": "12.0"}, "cp311-cp311-macosx_12_0_arm64") is not None
    assert chosen("osx-64", {"osx": "11.0"}, "cp311-cp311-macosx_10_9_universal2") is not None


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("py3-none-any", "1-py3-none-any"), "1-py3-none-any"),
        (("10-py3-none-any", "2-py3-none-any", "py3-none-any"), "10-py3-none-any"),
        (("1a-py3-none-any", "1b-py3-none-any", "1-py3-none-any"), "1b-py3-none-any"),
        (("7-py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"), "cp311-cp311-manylinux_2_17_x86_64"),
    ],
)
def test_of_equal_tags_the_highest_build_wins(tags: tuple[str, ...], expected: str) -> None:
    assert chosen("linux-64", {"glibc": "2.28"}, *tags) == expected
    assert chosen("linux-64", {"glibc": "2.28"}, *reversed(tags)) == expected


@pytest.mark.parametrize("tags", ["cp312-cp312-manylinux_2_17_x86_64", "cp311-cp311-musllinux_1_2_x86_64"])
def test_foreign_wheels_are_not_chosen(tags: str) -> None:
    assert chosen("linux-64", {"glibc": "2.28"}, tags) is None


@pytest.mark.parametrize(
    ("tags", "platform", "expected"),
    [
        ("cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64", "linux-64", ("__glibc >=2.27",)),
        ("cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64", "linux-64", ("__glibc >=2.17",)),
        ("cp37-abi3-manylinux1_x86_64.manylinux_2_28_x86_64", "linux-64", ("__glibc >=2.5",)),
        ("cp311-cp311-macosx_11_0_arm64", "osx-arm64", ("__osx >=11.0",)),
        ("cp311-cp311-win_amd64", "win-64", ()),
        ("py3-none-any", "linux-64", ()),
    ],
)
def test_platform_tags_become_floors(tags: str, platform: str, expected: tuple[str, ...]) -> None:
    assert system_depends(wheel(tags), platform) == expected


def test_pure_tags() -> None:
    assert is_pure(wheel("py2.py3-none-any"))
    assert not is_pure(wheel("py3-none-win_amd64"))
    assert not is_pure(wheel("cp311-cp311-any"))
    assert (minor_of(wheel("cp311-none-any")), minor_of(wheel("py3-none-any"))) == ("3.11", None)
    assert lowest_python(wheel("py310-none-any")) == "3.10"
    assert lowest_python(wheel("py39.py310-none-any")) == "3.9"
    assert lowest_python(wheel("py3.py310-none-any")) is None
