"""Real builds of meta.yaml with conda-build, against a release's own channel and without a network.

conda-build is not on the Python index. Put one on PATH that conda has installed, or one of its public source.
"""

import datetime as dt
from pathlib import Path
from typing import Literal

import pytest

from cuvee.build.build_plan import BuildAction
from cuvee.build.kept_builds import BuildCache
from cuvee.build.model import BuiltPackage
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
  texts: {version: "*", owner: core}
wheels: [pip, setuptools]
recipes: [answer, hello, texts]
"""
PATCHED = """\
patched:
  texts:
    recipe: texts
    patches: [patches/added.patch, patches/changed.patch]
    fixes: [CVE-2026-12345]
    why: it is wrong
    author: Ada
    until: 2027-05-31
"""
ADDED = b"""\
diff --git a/text/one.txt b/text/one.txt
new file mode 100644
--- /dev/null
+++ b/text/one.txt
@@ -0,0 +1 @@
+added
"""
CHANGED = b"""\
--- a/text/two.txt
+++ b/text/two.txt
@@ -1,2 +1,2 @@
 one
-two
+zwei
--- a/text/three.txt
+++ /dev/null
@@ -1 +0,0 @@
-three
"""
TEXTS = """\
package:
  name: texts
  version: "1.0"
source:
  path: src
  patches:
    - own.patch
build:
  number: 3
  noarch: generic
  script:
    - mkdir -p $PREFIX/share/texts
    - cp one.txt $PREFIX/share/texts/top.txt
    - cp text/* $PREFIX/share/texts/
test:
  commands:
    - test -e $PREFIX/share/texts/two.txt
about:
  license: MIT
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
        for name, text in (("hello", HELLO), ("answer", ANSWER), ("texts", TEXTS)):
            (root / "recipes" / name).mkdir(parents=True)
            self.recipe(name).write_text(text, encoding="utf-8")
        sources = {
            "hello/src/hello.py": "ANSWER = 42\n",
            "hello/src/setup.py": (
                "from setuptools import setup\nsetup(name='hello', version='1.0', py_modules=['hello'])\n"
            ),
            "answer/src/answer.c": "const char *where(void) { return __FILE__; }\n",
            "texts/src/one.txt": "top\n",
            "texts/src/text/two.txt": "one\ntwo\n",
            "texts/src/text/three.txt": "three\n",
            "texts/own.patch": "--- a/one.txt\n+++ b/one.txt\n@@ -1 +1 @@\n-top\n+TOP\n",
        }
        for name, text in sources.items():
            (root / "recipes" / name).parent.mkdir(parents=True, exist_ok=True)
            (root / "recipes" / name).write_text(text, encoding="utf-8")
        self.manifest = root / "manifests" / "tiny" / "2026.11.0.yaml"
        self.manifest.parent.mkdir(parents=True)
        self.manifest.write_text(MANIFEST, encoding="utf-8")
        self.patched = self.manifest.with_name("2026.11.1.yaml")
        self.patched.write_text(MANIFEST.replace("2026.11.0", "2026.11.1") + PATCHED, encoding="utf-8")
        patches = self.manifest.with_name("patches")
        patches.mkdir()
        (patches / "added.patch").write_bytes(ADDED)
        (patches / "changed.patch").write_bytes(CHANGED)

    def recipe(self, name: str) -> Path:
        return self.root / "recipes" / name / "meta.yaml"

    def session(self, manifest: Path | None = None) -> Session:
        options = Options(dist=self.root / "dist", cache=self.root / "cache", now=NOW)
        manifest = manifest or self.manifest
        return Session(load_manifest(manifest, today=dt.date(2026, 11, 22)), options, Recorder())

    def build(self, manifest: Path | None = None) -> BuildResult:
        session = self.session(manifest)
        result = make_builds(session, make_channel(session))
        assert result is not None
        return result


def files_of(folder: Folder, package: BuiltPackage, part: Literal["info", "pkg"] = "pkg") -> dict[str, bytes]:
    found = {}
    for tar, member in members(BuildCache(folder.root / "cache").archive(package), part):
        stream = tar.extractfile(member)
        found[member.name] = stream.read() if stream is not None else b""
    return found


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
        ("texts", "noarch"),
    ]
    log = (folder.root / "dist" / "tiny-2026.11.0" / "builds" / built.packages[1].log).read_text()
    assert "import: 'hello'" in log
    channel = folder.root / "dist" / "tiny-2026.11.0" / "channel"
    for item in built.packages:
        assert read_index(channel / item.subdir / item.file_name).build == item.build


def test_it_saw_no_network_and_nothing_of_the_user(folder: Folder, built: BuildResult) -> None:
    found = files_of(folder, built.packages[0])
    assert found["share/home"] == b""
    assert found["share/epoch"] == b"1577836800\n"
    if built.isolated:
        assert found["share/net"] == b"1\n", "only loopback"
    assert b"/tmp/cuvee-build" not in found["lib/libanswer.so"]


def test_what_is_unchanged_comes_from_the_cache(folder: Folder, built: BuildResult) -> None:
    session = folder.session()
    plan = plan_builds(session, make_channel(session))
    assert {item.action for item in plan.builds} == {BuildAction.REUSE}


def test_patches_of_a_manifest_are_applied_as_they_say(folder: Folder, built: BuildResult) -> None:
    session = folder.session(folder.patched)
    plan = plan_builds(session, make_channel(session))
    assert [item.name for item in plan.to_build] == ["texts"]
    (before,) = (item for item in built.packages if item.name == "texts")
    (after,) = (item for item in folder.build(folder.patched).packages if item.name == "texts")
    assert after.key != before.key
    assert after.build == "patched_10003"
    channel = folder.root / "dist" / "tiny-2026.11.1" / "channel"
    assert read_index(channel / "noarch" / after.file_name).build_number == 10_003
    # GNU patch alone would be told to change the file one.txt at the top, which has no folder either.
    assert files_of(folder, before) == {
        "share/texts/top.txt": b"TOP\n",
        "share/texts/two.txt": b"one\ntwo\n",
        "share/texts/three.txt": b"three\n",
    }
    assert files_of(folder, after) == {
        "share/texts/top.txt": b"TOP\n",
        "share/texts/one.txt": b"added\n",
        "share/texts/two.txt": b"one\nzwei\n",
    }
    info = files_of(folder, after, "info")
    assert info["info/recipe/meta.yaml"] == TEXTS.encode()
    assert info["info/recipe/patched/files/patches/added.patch"] == ADDED
    (folder.patched.parent / "patches" / "changed.patch").write_bytes(CHANGED.replace(b"-two", b"-2"))
    with pytest.raises(BlockedError, match=r"hunk 1 of text/two\.txt"):
        folder.build(folder.patched)


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
