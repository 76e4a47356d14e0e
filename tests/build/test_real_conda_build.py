"""Real builds of meta.yaml with conda-build, against a release's own channel and without a network.

conda-build is not on the Python index. Put one on PATH that conda has installed, or one of its public source.
"""

import datetime as dt
from pathlib import Path

import pytest

from cuvee.build.build_plan import BuildAction
from cuvee.build.kept_builds import BuildCache
from cuvee.conda.package_archive import members
from cuvee.conda.package_info import read_index
from cuvee.errors import BlockedError, DocumentError
from cuvee.manifest import load_manifest
from cuvee.platforms import host
from cuvee.release.build_stage import make_builds, plan_builds
from cuvee.release.channel_stage import make_channel
from cuvee.release.record import BuildResult
from cuvee.release.session import Options, Session
from needed_programs import needs
from tiny_distribution import NOW, Recorder

_HERE = host()
pytestmark = [
    pytest.mark.real,
    needs("conda-build", "gcc"),
    pytest.mark.skipif(_HERE is None or _HERE.name != "linux-64", reason="needs linux-64"),
]

MANIFEST = """\
manifest: 1
distribution: tiny
version: "2026.11.0"
title: Tiny
platforms:
  linux-64: {floor: {glibc: "2.40"}}
interpreter: host
exclude-newer: 2026-11-20T00:00:00Z
owners:
  core: {contact: core@example.org}
packages:
  python: {version: ">=3.11", owner: core}
  hello: {version: "*", owner: core}
  answer: {version: "*", owner: core}
wheels: [pip, setuptools]
recipes: [answer, hello]
"""
HELLO = """\
{% set version = "1.0" %}
package:
  name: hello
  version: {{ version }}
source:
  path: src
build:
  noarch: python
  script: "{{ PYTHON }} -m pip install . --no-deps --no-build-isolation"
requirements:
  host:
    - python
    - pip
    - setuptools
  run:
    - python
test:
  imports:
    - hello
  commands:
    - python -c "import hello; assert hello.ANSWER == 42"
about:
  license: MIT
"""
ANSWER = """\
package:
  name: answer
  version: "1.0"
source:
  path: src
build:
  script:
    - mkdir -p $PREFIX/lib $PREFIX/share
    - $CC $CFLAGS $LDFLAGS -g -shared -o $PREFIX/lib/libanswer.so answer.c
    - ls -A $HOME > $PREFIX/share/home
    - grep -c ':' /proc/net/dev > $PREFIX/share/net
    - echo $SOURCE_DATE_EPOCH > $PREFIX/share/epoch
requirements:
  build:
    - {{ compiler('c') }}
test:
  commands:
    - test -e $PREFIX/lib/libanswer.so
about:
  license: MIT
"""


class Folder:
    """A distribution with two recipes for conda-build."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in (("hello", HELLO), ("answer", ANSWER)):
            (root / "recipes" / name / "src").mkdir(parents=True)
            self.recipe(name).write_text(text, encoding="utf-8")
        sources = {
            "hello/src/hello.py": "ANSWER = 42\n",
            "hello/src/setup.py": (
                "from setuptools import setup\nsetup(name='hello', version='1.0', py_modules=['hello'])\n"
            ),
            "answer/src/answer.c": "const char *where(void) { return __FILE__; }\n",
        }
        for name, text in sources.items():
            (root / "recipes" / name).write_text(text, encoding="utf-8")
        self.manifest = root / "manifests" / "tiny" / "2026.11.0.yaml"
        self.manifest.parent.mkdir(parents=True)
        self.manifest.write_text(MANIFEST, encoding="utf-8")

    def recipe(self, name: str) -> Path:
        return self.root / "recipes" / name / "meta.yaml"

    def session(self) -> Session:
        options = Options(dist=self.root / "dist", cache=self.root / "cache", now=NOW)
        return Session(load_manifest(self.manifest, today=dt.date(2026, 11, 22)), options, Recorder())

    def build(self) -> BuildResult:
        session = self.session()
        result = make_builds(session, make_channel(session))
        assert result is not None
        return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return Folder(tmp_path_factory.mktemp("meta"))


@pytest.fixture(scope="module")
def built(folder: Folder) -> BuildResult:
    return folder.build()


def test_what_meta_yaml_makes_is_built_and_tested(folder: Folder, built: BuildResult) -> None:
    assert [(item.name, item.subdir) for item in built.packages] == [
        ("answer", "linux-64"),
        ("hello", "noarch"),
    ]
    log = (folder.root / "dist" / "tiny-2026.11.0" / "builds" / built.packages[1].log).read_text()
    assert "import: 'hello'" in log
    channel = folder.root / "dist" / "tiny-2026.11.0" / "channel"
    for item in built.packages:
        assert read_index(channel / item.subdir / item.file_name).build == item.build


def test_it_saw_no_network_and_nothing_of_the_user(folder: Folder, built: BuildResult) -> None:
    archive = BuildCache(folder.root / "cache").archive(built.packages[0])
    found = {}
    for tar, member in members(archive, "pkg"):
        stream = tar.extractfile(member)
        found[member.name] = stream.read() if stream is not None else b""
    assert found["share/home"] == b""
    assert found["share/epoch"] == b"1577836800\n"
    if built.isolated:
        assert found["share/net"] == b"1\n", "only loopback"
    assert b"/tmp/cuvee-build" not in found["lib/libanswer.so"]


def test_what_is_unchanged_comes_from_the_cache(folder: Folder, built: BuildResult) -> None:
    session = folder.session()
    plan = plan_builds(session, make_channel(session))
    assert {item.action for item in plan.builds} == {BuildAction.REUSE}


def test_a_failing_test_blocks_with_its_log(folder: Folder, built: BuildResult) -> None:
    path = folder.recipe("answer")
    path.write_text(ANSWER.replace("libanswer.so\nabout", "libother.so\nabout"), encoding="utf-8")
    with pytest.raises(BlockedError) as caught:
        folder.build()
    assert caught.value.message.startswith("The test failed: answer, ")
    assert "TESTS FAILED" in caught.value.message


def test_what_is_no_recipe_is_told_with_its_line(folder: Folder, built: BuildResult) -> None:
    path = folder.recipe("answer")
    path.write_text(ANSWER.replace("{{ compiler('c') }}", "{{ compiler('c' }}"), encoding="utf-8")
    line = ANSWER.splitlines().index("    - {{ compiler('c') }}") + 1
    with pytest.raises(DocumentError) as caught:
        folder.build()
    assert f"{path}:{line}:" in caught.value.message
