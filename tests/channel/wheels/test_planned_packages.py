from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from cuvee.channel.wheels.planned_packages import InspectedWheel, PlannedPackage, inspect, plan
from cuvee.errors import IntegrityError

MakeWheel = Callable[..., Path]
ALL = ("linux-64", "linux-aarch64", "osx-arm64", "win-64")
MINORS = dict.fromkeys(ALL, "3.11")


def wheel(path: Path, sha256: str = "a" * 64) -> InspectedWheel:
    return inspect(path, file_name=path.name, sha256=sha256, url="https://example.org/")


def planned(
    wheels: dict[str, InspectedWheel], needs: Mapping[str, tuple[str, ...]] | None = None
) -> list[PlannedPackage]:
    return list(plan(wheels, needs or dict.fromkeys(wheels, ("six",)), MINORS, "launcher"))


def summary(packages: list[PlannedPackage]) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    return [(one.conversion.subdir, one.conversion.depends, one.platforms) for one in packages]


@pytest.fixture
def pure(make_wheel: MakeWheel) -> InspectedWheel:
    return wheel(make_wheel(metadata="Requires-Python: >=3.9\n"))


def test_one_package_where_all_platforms_need_the_same(pure: InspectedWheel) -> None:
    assert summary(planned(dict.fromkeys(ALL, pure))) == [("noarch", ("python >=3.9", "six"), ALL)]


def test_one_package_for_each_system_where_systems_differ(pure: InspectedWheel) -> None:
    needs = dict.fromkeys(ALL, ("six",)) | {"win-64": ("colorama", "six")}
    packages = planned(dict.fromkeys(ALL, pure), needs)
    assert summary(packages) == [
        ("noarch", ("__unix", "python >=3.9", "six"), ALL[:3]),
        ("noarch", ("__win", "colorama", "python >=3.9", "six"), ALL[3:]),
    ]
    assert len({one.conversion.build for one in packages}) == 2


def test_systems_that_no_virtual_package_joins_are_kept_apart(pure: InspectedWheel) -> None:
    needs = dict.fromkeys(ALL, ("six",)) | {"osx-arm64": ("appnope",)}
    assert summary(planned(dict.fromkeys(ALL, pure), needs)) == [
        ("noarch", ("__linux", "python >=3.9", "six"), ("linux-64", "linux-aarch64")),
        ("noarch", ("__win", "python >=3.9", "six"), ("win-64",)),
        ("noarch", ("__osx", "appnope", "python >=3.9"), ("osx-arm64",)),
    ]


def test_platform_packages_where_needs_differ_within_a_system(pure: InspectedWheel) -> None:
    needs = dict.fromkeys(ALL, ("six",)) | {"linux-aarch64": ("arm",)}
    packages = planned(dict.fromkeys(ALL, pure), needs)
    assert [one.conversion.subdir for one in packages] == list(ALL)
    assert packages[1].conversion.depends == ("arm", "python >=3.11,<3.12.0a0")


def test_a_project_of_one_platform_alone_is_noarch_without_conditions(pure: InspectedWheel) -> None:
    assert summary(planned({"win-64": pure})) == [("noarch", ("python >=3.9", "six"), ("win-64",))]


def test_a_pure_wheel_that_only_some_chose_is_not_offered_to_the_others(
    make_wheel: MakeWheel, pure: InspectedWheel
) -> None:
    native = wheel(make_wheel("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", pure=False), "b" * 64)
    packages = planned({"linux-64": native, "linux-aarch64": pure})
    assert summary(packages) == [
        ("linux-64", ("__glibc >=2.17", "python >=3.11,<3.12.0a0", "six"), ("linux-64",)),
        ("linux-aarch64", ("python >=3.11,<3.12.0a0", "six"), ("linux-aarch64",)),
    ]


def test_wheels_that_are_not_portable(make_wheel: MakeWheel) -> None:
    assert not wheel(make_wheel(pure=False)).is_portable
    headers = {"demo-1.0.data/headers/x.h": b""}
    assert not wheel(make_wheel(files=headers)).is_portable


def test_the_launcher_matters_only_where_it_is_used(make_wheel: MakeWheel) -> None:
    points = "[console_scripts]\nx = a:b\n"
    native = wheel(make_wheel("demo-1.0-cp311-cp311-win_amd64.whl", pure=False, entry_points=points))
    assert planned({"win-64": native})[0].conversion.launcher == "launcher"
    plain = wheel(make_wheel("demo-1.0-cp311-cp311-win_amd64.whl", pure=False))
    assert planned({"win-64": plain})[0].conversion.launcher is None


@pytest.mark.parametrize(
    ("tags", "python"),
    [
        ("py310-none-any", "python >=3.10,>=3.9"),
        ("py38-none-any", "python >=3.9"),
        ("cp311-none-any", "python >=3.11,<3.12.0a0"),
        ("py2.py3-none-any", "python >=3.9"),
    ],
)
def test_tags_bound_python_too(make_wheel: MakeWheel, tags: str, python: str) -> None:
    path = make_wheel(f"demo-1.0-{tags}.whl", metadata="Requires-Python: >=3.9\n")
    assert planned({"linux-64": wheel(path)})[0].conversion.depends[0] == python


def test_metadata_of_another_project_is_refused(make_wheel: MakeWheel) -> None:
    path = make_wheel(metadata="Metadata-Version: 2.4\nName: other\nVersion: 1.0\n")
    with pytest.raises(IntegrityError, match=r"says that it is other 1\.0"):
        wheel(path)
