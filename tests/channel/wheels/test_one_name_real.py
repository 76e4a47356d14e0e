"""A project has one name in a set, whatever the channel, the index and the manifest call it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from cuvee.errors import ManifestError
from cuvee.lock.model import Lock
from cuvee.release.channel_stage import make_channel
from cuvee.release.lock_stage import make_lock
from tiny_distribution import Distribution, Recorder
from tiny_index import Entry, write_index

pytestmark = pytest.mark.real

MakeWheel = Callable[..., Path]
MANIFEST = """\
manifest: 1
distribution: tiny
version: "2026.11.0"
title: Tiny
platforms: {{linux-64: {{floor: {{glibc: "2.99"}}}}}}
channels: [{channel}]
interpreter: host
packages: {{python: ">=3.11", {packages}}}
wheels: [{wheels}]
installers: {{formats: {{linux: [], win: [], osx: []}}}}
"""


class World:
    def __init__(self, folder: Path, make_wheel: MakeWheel) -> None:
        self.folder, self.make_wheel = folder, make_wheel
        self.channel = folder / "conda"
        write_index(self.channel, [])

    def wheel(self, file_name: str, metadata: str = "") -> None:
        path = self.make_wheel(file_name, metadata=metadata)
        project = canonicalize_name(file_name.split("-", maxsplit=1)[0])
        page = self.folder / "simple" / project / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        with page.open("a") as stream:
            stream.write(f'<a href="{path.as_uri()}">{path.name}</a>\n')

    def lock(self, packages: str, wheels: str) -> Lock:
        made = Distribution(root=self.folder, recorder=Recorder())
        text = MANIFEST.format(channel=self.channel, packages=packages, wheels=wheels)
        session = made.session(made.write(text))
        with session.workspace.locked():
            return make_lock(session, make_channel(session)).lock


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for all tests here, so that the interpreter is packed once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def world(tmp_path: Path, cache: Path, make_wheel: MakeWheel, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "cache").symlink_to(cache)
    monkeypatch.setenv("UV_DEFAULT_INDEX", (tmp_path / "simple").as_uri())
    monkeypatch.setenv("UV_NO_CACHE", "1")
    return World(tmp_path, make_wheel)


def names(lock: Lock) -> set[str]:
    return {package.name for package in lock.platforms[0].packages} - {"python"}


def test_what_a_channel_carries_is_not_imported_under_another_name(world: World) -> None:
    write_index(world.channel, [Entry(name="typing_extensions", version="4.12.2")])
    world.wheel("pydantic-2.0-py3-none-any.whl", "Requires-Dist: typing-extensions>=4\n")
    world.wheel("typing_extensions-4.15.0-py3-none-any.whl")
    lock = world.lock('pydantic: "*"', "pydantic, typing_extensions")
    assert names(lock) == {"pydantic", "typing_extensions"}
    assert {package.version for package in lock.platforms[0].packages if "typing" in package.name} == {
        "4.12.2"
    }


def test_a_name_in_both_lists_is_one_project(world: World) -> None:
    world.wheel("zope_interface-7.2-py3-none-any.whl")
    world.wheel("ruamel.yaml-0.18.0-py3-none-any.whl", "Requires-Dist: Zope-Interface\n")
    world.wheel("typing_extensions-4.15.0-py3-none-any.whl")
    world.wheel("flask_sqlalchemy-3.1.1-py3-none-any.whl")
    asked = ["zope.interface", "ruamel.yaml", "typing_extensions", "Flask_SQLAlchemy"]
    lock = world.lock(", ".join(f'{name}: "*"' for name in asked), ", ".join(asked))
    assert names(lock) == {name.lower() for name in asked}


def test_a_name_that_the_channel_spells_otherwise_is_told(world: World) -> None:
    write_index(world.channel, [Entry(name="typing_extensions", version="4.12.2")])
    with pytest.raises(ManifestError, match="have this project as typing_extensions, not as typing-ext"):
        world.lock('typing-extensions: "*"', "typing-extensions")
