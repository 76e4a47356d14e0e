import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cuvee.channel.package_writer import write_package
from cuvee.channel.repodata_writer import record_of
from cuvee.channel.wheels import WheelRequest, gathering, package_cache
from cuvee.channel.wheels.model import ResolutionTarget
from cuvee.conda.package_info import read_index
from cuvee.errors import BlockedError, IntegrityError, ManifestError, SourceUnreachableError
from played_imports import PLATFORMS, World, everywhere, pin, request

MakeWheel = Callable[..., Path]


def test_an_import(world: World, make_wheel: MakeWheel) -> None:
    app = pin(make_wheel("app-1.0-py3-none-any.whl", metadata="Requires-Dist: lib>=2\n"))
    linux = pin(make_wheel("lib-2.0-cp311-cp311-manylinux_2_17_x86_64.whl", pure=False))
    windows = pin(make_wheel("lib-2.0-cp311-cp311-win_amd64.whl", pure=False))
    world.pinned = {"linux-64": [app, linux], "win-64": [app, windows]}
    packages = world.run(request("app"))
    assert [(one.name, one.subdir, one.platforms) for one in packages] == [
        ("app", "noarch", PLATFORMS),
        ("lib", "linux-64", ("linux-64",)),
        ("lib", "win-64", ("win-64",)),
    ]
    assert world.files() == sorted(f"{one.subdir}/{one.archive.name}" for one in packages)
    assert packages[0].wheel == "app-1.0-py3-none-any.whl"
    assert packages[0].archive == world.channel / "noarch" / f"app-1.0-{packages[0].build}.conda"


def test_platforms_without_byte_code_are_named(world: World, make_wheel: MakeWheel) -> None:
    world.pinned = everywhere(pin(make_wheel("app-1.0-py3-none-any.whl")))
    world.run(request("app"))
    assert world.notes.warnings == []
    world.pinned["win-64"] = [pin(make_wheel("lib-2.0-cp311-cp311-win_amd64.whl", pure=False))]
    world.run(request("app"))
    (warning,) = world.notes.warnings
    assert warning.startswith("win-64: the packages that are made of wheels have no byte code")


def test_a_second_import_converts_nothing(
    world: World, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = pin(make_wheel())
    world.pinned = everywhere(wheel)
    first = world.run(request("demo"))
    bytes_before = first[0].archive.read_bytes()
    monkeypatch.setattr(package_cache, "convert", lambda *_, **__: pytest.fail("converted again"))
    assert world.run(request("demo")) == first
    assert world.notes.finished[-1] == ("Convert wheels", "0 made, 1 from the cache")
    first[0].archive.unlink()
    assert world.run(request("demo"))[0].archive.read_bytes() == bytes_before


def test_a_damaged_package_in_the_cache_is_made_again(world: World, make_wheel: MakeWheel) -> None:
    world.pinned = everywhere(pin(make_wheel()))
    (package,) = world.run(request("demo"))
    good = package.archive.read_bytes()
    (kept,) = (world.cache / "imported").rglob("*.conda")
    kept.write_bytes(b"damaged")  # and with it the hard link in the channel
    assert world.run(request("demo"))[0].archive.read_bytes() == good


def test_what_repodata_says_of_a_package_is_kept_with_it(
    world: World, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.pinned = everywhere(pin(make_wheel()))
    (package,) = world.run(request("demo"))
    said = record_of(package.archive)
    assert package.record == said
    (path,) = (world.cache / "imported").glob("*/package.json")
    whole = path.read_text()
    old = {name: value for name, value in json.loads(whole).items() if name in {"archive", "sha256"}}
    for text in (json.dumps(old), whole.replace("python", "pythom")):
        path.write_text(text)
        assert world.run(request("demo"))[0].record == said
        assert path.read_text() == whole
    monkeypatch.setattr(package_cache, "record_of", lambda _: pytest.fail("read again"))
    assert world.run(request("demo"))[0].record == said


def test_without_hard_links_packages_are_copied(
    world: World, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    world.pinned = everywhere(pin(make_wheel()))
    (package,) = world.run(request("demo"))
    (kept,) = (world.cache / "imported").rglob("*.conda")
    assert package.archive.read_bytes() == kept.read_bytes()
    assert not package.archive.samefile(kept)


def test_one_bad_wheel_and_nothing_is_imported(world: World, make_wheel: MakeWheel) -> None:
    good, bad = pin(make_wheel()), make_wheel("bad-1.0-py3-none-any.whl")
    promised = pin(bad)
    bad.write_bytes(bad.read_bytes()[:-1] + b"!")
    world.pinned = everywhere(good, promised)
    with pytest.raises(IntegrityError, match=r"bad-1\.0"):
        world.run(request("demo"), request("bad"))
    assert world.files() == []


def test_a_hostile_wheel_and_nothing_is_imported(world: World, make_wheel: MakeWheel) -> None:
    """Seen only while converting: the member list is fine, the target of one member is not."""
    hostile = pin(make_wheel("bad-1.0-py3-none-any.whl", {"bad-1.0.data/data/conda-meta/history": b""}))
    world.pinned = everywhere(pin(make_wheel()), hostile)
    with pytest.raises(IntegrityError, match="belongs to conda"):
        world.run(request("demo"))
    assert world.files() == []


def test_an_interruption_leaves_nothing_half_done(
    world: World, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    world.pinned = everywhere(pin(make_wheel()))
    monkeypatch.setattr(package_cache, "write_package", interrupt)
    with pytest.raises(KeyboardInterrupt):
        world.run(request("demo"))
    assert world.files() == []
    assert list((world.cache / "imported").rglob("*")) == []
    monkeypatch.setattr(package_cache, "write_package", write_package)
    assert len(world.run(request("demo"))) == 1


def test_what_another_channel_carries_is_not_imported(world: World, make_wheel: MakeWheel) -> None:
    app = pin(make_wheel("app-1.0-py3-none-any.whl", metadata="Requires-Dist: demo\n"))
    world.pinned = everywhere(app, pin(make_wheel()))
    assert [one.name for one in world.run(request("app"), carried=["demo"])] == ["app"]


def test_extras_that_the_manifest_asks_for(world: World, make_wheel: MakeWheel) -> None:
    demo = pin(make_wheel(metadata="Requires-Dist: six; extra == 'old'\n"))
    world.pinned = everywhere(demo, pin(make_wheel("six-1.17.0-py3-none-any.whl")))
    bound = WheelRequest(name="demo", platforms=PLATFORMS, position="m.yaml:9:3", constraint=True)
    plain, asked = world.run(request("demo"), bound), world.run(request("demo", "old"), bound)
    assert plain[0].build != asked[0].build


def test_an_extra_that_an_old_wheel_does_not_list(world: World, make_wheel: MakeWheel) -> None:
    """What it is for is asked of the platforms that are made, not of the one that makes them."""
    demo = pin(make_wheel(metadata="Requires-Dist: six; extra == 'old' and sys_platform == 'win32'\n"))
    world.pinned = everywhere(demo, pin(make_wheel("six-1.17.0-py3-none-any.whl")))
    assert world.run(request("demo", "old"))
    only_linux = replace(request("demo", "old"), platforms=("linux-64",))
    with pytest.raises(ManifestError, match="has no extra 'old'"):
        world.run(only_linux)


def test_an_extra_that_the_project_does_not_have(world: World, make_wheel: MakeWheel) -> None:
    """uv ignores it with a warning, and the release lacks what somebody wanted."""
    lines = "Provides-Extra: Data_Frame\nRequires-Dist: six; extra == 'data-frame'\n"
    world.pinned = everywhere(pin(make_wheel(metadata=lines)), pin(make_wheel("six-1.17.0-py3-none-any.whl")))
    assert world.run(request("demo", "data.frame"))
    wrong = replace(request("demo", "dataframes", "x"), extras_position="m.yaml:7:5")
    with pytest.raises(ManifestError) as caught:
        world.run(wrong, request("six", "y"))
    assert str(caught.value).splitlines() == [
        "m.yaml:7:5: demo 1.0 has no extra 'dataframes': did you mean \"data-frame\"?",
        "m.yaml:7:5: demo 1.0 has no extra 'x': it has data-frame",
        "m.yaml:3:3: six 1.17.0 has no extra 'y': it has none",
    ]


def test_a_source_that_is_gone_tells_what_is_cached(world: World, make_wheel: MakeWheel) -> None:
    world.pinned = everywhere(pin(make_wheel()))
    world.run(request("demo"))
    other = make_wheel("other-1.0-py3-none-any.whl")
    world.pinned = everywhere(*world.pinned["linux-64"], pin(other))
    other.unlink()
    with pytest.raises(SourceUnreachableError, match=r"cached already: 1 of the 2 .*; not other"):
        world.run(request("demo"), request("other"))


def test_platforms_that_fail_alike_are_told_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object, target: ResolutionTarget) -> None:
        raise BlockedError(f"nothing for {target.platform}", hint="look")

    monkeypatch.setattr(gathering, "resolve", refuse)
    with pytest.raises(BlockedError, match=r"^nothing for linux-64, win-64$") as error:
        world.run(request("demo"))
    assert error.value.hint == "look"


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ("Requires-Dist: lib<3\n", "Requires-Dist has 'lib', the index does not; .*lacks 'lib<3'"),
        ("", "Requires-Dist has 'lib'"),
        ("Requires-Dist: lib\nRequires-Python: >=3.11\n", "Requires-Python is not stated, .* >=3.11"),
        ("Name: other\nRequires-Dist: lib\n", "Name is app, the index states other"),
    ],
)
def test_metadata_that_are_not_those_of_the_index(
    world: World, make_wheel: MakeWheel, stated: str, why: str
) -> None:
    wheel = make_wheel("app-1.0-py3-none-any.whl", metadata="Requires-Dist: lib\n")
    header = "Metadata-Version: 2.4\nVersion: 1.0\n" + ("" if "Name:" in stated else "Name: app\n")
    wheel.with_name(f"{wheel.name}.metadata").write_text(header + stated)
    world.pinned = everywhere(pin(wheel), pin(make_wheel("lib-2.0-py3-none-any.whl")))
    with pytest.raises(IntegrityError, match=rf"^app-1\.0-py3-none-any\.whl: its METADATA is not .*{why}"):
        world.run(request("app"))
    assert world.files() == []


def test_metadata_of_the_index_that_say_the_same(world: World, make_wheel: MakeWheel) -> None:
    wheel = make_wheel("app-1.0-py3-none-any.whl", metadata="Requires-Dist: lib>=1,<3\nSummary: x\n")
    stated = wheel.with_name(f"{wheel.name}.metadata")
    stated.write_text("Metadata-Version: 2.1\nName: App\nVersion: 1.0.0\nRequires-Dist: lib (<3,>=1)\n")
    world.pinned = everywhere(pin(wheel), pin(make_wheel("lib-2.0-py3-none-any.whl")))
    assert len(world.run(request("app"))) == 2
    note = dict(world.notes.finished)["Fetch wheels"]
    assert note.endswith("; 2 in all, 1 compared with the index's metadata")


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ("Requires-Dist: lib>=3\n", "requires lib>=3, not 2.0"),
        ("Requires-Dist: gone\n", "requires gone, which was not resolved"),
        ("Requires-Python: >=3.12\n", "requires Python >=3.12, not 3.11.7"),
    ],
)
def test_a_wheel_that_was_not_resolved_like_this(
    world: World, make_wheel: MakeWheel, metadata: str, why: str
) -> None:
    app = pin(make_wheel("app-1.0-py3-none-any.whl", metadata=metadata))
    world.pinned = everywhere(app, pin(make_wheel("lib-2.0-py3-none-any.whl")))
    with pytest.raises(IntegrityError, match=f"^The wheel of app 1.0 is not the one .*{why}"):
        world.run(request("app"))
    assert world.files() == []


def test_what_is_imported_depends_on_the_name_that_the_channel_has(
    world: World, make_wheel: MakeWheel
) -> None:
    app = pin(make_wheel("app-1.0-py3-none-any.whl", metadata="Requires-Dist: Typing-Extensions>=4\n"))
    extensions = pin(make_wheel("typing_extensions-4.15.0-py3-none-any.whl"))
    world.pinned = everywhere(app, extensions)
    (package,) = world.run(request("app"), carried=["typing_extensions", "python"])
    assert package.name == "app"
    assert set(read_index(package.archive).depends) == {"python", "typing_extensions >=4"}


def test_what_is_imported_has_the_name_of_the_manifest(world: World, make_wheel: MakeWheel) -> None:
    interface = pin(make_wheel("zope_interface-7.2-py3-none-any.whl"))
    needs = "Requires-Dist: zope.interface\n"
    component = pin(make_wheel("zope_component-6.0-py3-none-any.whl", metadata=needs))
    world.pinned = everywhere(interface, component)
    asked = replace(request("zope-interface"), conda_name="zope.interface")
    packages = world.run(asked, request("zope-component"))
    assert [one.name for one in packages] == ["zope-component", "zope.interface"]
    assert "zope.interface" in read_index(packages[0].archive).depends
    assert packages[1].archive.name.startswith("zope.interface-7.2-py_")
