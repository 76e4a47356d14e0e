"""Real builds: what they may do, and what becomes of those that fail."""

from pathlib import Path

import pytest

from build_recipes import Builds, simple
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.conda.package_archive import members
from cuvee.conda.package_info import read_index
from cuvee.errors import BlockedError
from cuvee.integration.runners.isolation import strongest_isolation
from needed_programs import needs

pytest.importorskip("rattler_build", reason="needs py-rattler-build")
pytestmark = pytest.mark.real
isolated = pytest.mark.skipif(strongest_isolation() is None, reason="needs Linux namespaces")


def contents(builds: Builds, name: str) -> dict[str, bytes]:
    latest = builds.cache.latest(name, "noarch") or builds.cache.latest(name, "linux-64")
    assert latest is not None
    found = {}
    for tar, member in members(builds.cache.archive(latest.package), "pkg"):
        stream = tar.extractfile(member) if member.isreg() else None
        found[member.name] = stream.read() if stream is not None else b""
    return found


def refusal(builds: Builds, name: str) -> BlockedError:
    """Build, and return why that is refused; nothing of the package is kept but its log."""
    with pytest.raises(BlockedError) as caught:
        builds.build()
    assert builds.cache.latest(name, "noarch") is None
    assert not list((builds.root / "cache" / "builds").glob("*/*.conda"))
    assert list((builds.root / "logs").glob(f"{name}-*.log"))
    return caught.value


def test_the_environment_of_a_build_is_fixed(tmp_path: Path) -> None:
    script = (
        "mkdir -p $PREFIX/share; ls -A $HOME > $PREFIX/share/home; "
        "grep -c ':' /proc/net/dev > $PREFIX/share/net; "
        "echo $SOURCE_DATE_EPOCH $TZ $LC_ALL $PYTHONHASHSEED > $PREFIX/share/settings"
    )
    builds = Builds(tmp_path)
    builds.add("a", simple("a", script=script))
    builds.build()
    found = contents(builds, "a")
    assert found["share/home"] == b""
    assert found["share/settings"] == b"1577836800 UTC C.UTF-8 0\n"
    if strongest_isolation() is not None:
        assert found["share/net"] == b"1\n", "only loopback"


def test_a_package_whose_tests_fail_is_not_kept(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    builds.add("a", simple("a", test="echo something is wrong; false"))
    error = refusal(builds, "a")
    assert error.message.startswith("The test failed: a, ")
    assert "something is wrong" in error.message
    assert f"All of the log is {tmp_path / 'logs'}" in (error.hint or "")


def test_a_build_that_fails_shows_the_end_of_its_log(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    builds.add("a", simple("a", script="echo this is it; exit 3"))
    error = refusal(builds, "a")
    assert error.message.startswith("The build failed: a, ")
    assert "this is it" in error.message


def test_all_failures_of_a_wave_are_told_and_the_others_are_kept(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    builds.add("a", simple("a", script="echo one; false"))
    builds.add("b", simple("b", script="echo two; false"))
    builds.add("c")
    with pytest.raises(BlockedError) as caught:
        builds.build()
    assert "The build failed: a, " in caught.value.message
    assert "The build failed: b, " in caught.value.message
    assert builds.cache.latest("c", "noarch") is not None


@isolated
def test_a_build_that_needs_the_network_is_told_that_it_has_none(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    builds.add("a", simple("a", script="exec 3<>/dev/tcp/192.0.2.1/80"))
    error = refusal(builds, "a")
    assert "Network is unreachable" in error.message
    assert (error.hint or "").startswith("Builds have no network")


@isolated
def test_a_build_cannot_write_outside_its_folder(tmp_path: Path) -> None:
    target = tmp_path / "outside"
    builds = Builds(tmp_path)
    builds.add("a", simple("a", script="echo x > /etc/cuvee-was-here"))
    assert "Read-only file system" in refusal(builds, "a").message
    assert not Path("/etc/cuvee-was-here").exists()
    assert not target.exists()


def test_a_build_that_hangs_is_ended(tmp_path: Path) -> None:
    builds = Builds(tmp_path, engine=RattlerEngine(seconds=4))
    builds.add("a", simple("a", script="tail -f /dev/null"))
    assert refusal(builds, "a").message.startswith("The build did not end within 4 seconds: a, ")


def test_a_patch_that_does_not_apply_is_named(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    text = simple("a").replace("build:", "source:\n  path: src\n  patches: [fix.patch]\nbuild:", 1)
    patch = "--- a/hello.txt\n+++ b/hello.txt\n@@ -1,1 +1,1 @@\n-not what is there\n+other\n"
    folder = builds.add("a", text, fix_patch=patch)
    (folder / "src").mkdir()
    (folder / "src" / "hello.txt").write_text("hello\n", encoding="utf-8")
    error = refusal(builds, "a")
    assert "fix.patch" in error.message


def test_two_builds_that_differ_are_told_with_their_files(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    share = "$PREFIX/share"
    script = f"mkdir -p {share}; cat /proc/sys/kernel/random/uuid > {share}/id; echo 1 > {share}/one"
    builds.add("differs", simple("differs", script=script))
    builds.add("same")
    done = builds.build(check_reproducible=True)
    (found,) = done.irreproducible
    assert found.package.startswith("differs-1.0-")
    assert found.files == ("share/id",)
    assert [item.name for item in done.packages] == ["differs", "same"]


def test_each_output_of_a_recipe_is_a_package_of_its_own(tmp_path: Path) -> None:
    outputs = "".join(
        f"""
  - package: {{name: {name}}}
    build:
      noarch: generic
      script: mkdir -p $PREFIX/share && echo {name} > $PREFIX/share/{name}
    requirements:
      run: [{needs}]
    tests:
      - script: test -e $PREFIX/share/{name}
    about: {{license: MIT}}"""
        for name, needs in (
            ("one", ""),
            ("two", ""),
            ("three", "\"${{ pin_subpackage('one', exact=True) }}\""),
        )
    )
    builds = Builds(tmp_path)
    builds.add("many", f"recipe: {{name: many, version: '1.0'}}\noutputs:{outputs}\n")
    assert [item.name for item in builds.build().packages] == ["one", "two", "three"]
    for name in ("one", "two", "three"):
        assert contents(builds, name) == {f"share/{name}": f"{name}\n".encode()}
    assert all(item.reused for item in builds.build().packages)


@needs("gcc")
def test_a_library_is_compiled_by_the_compiler_of_this_machine(tmp_path: Path) -> None:
    builds = Builds(tmp_path)
    text = simple(
        "a",
        script="mkdir -p $PREFIX/lib && $CC $CFLAGS $LDFLAGS -g -shared -o $PREFIX/lib/libanswer.so answer.c",
        test="test -e $PREFIX/lib/libanswer.so",
    )
    text = text.replace("  noarch: generic\n", "")
    text = text.replace("  host: []", "  build: ['${{ compiler(\"c\") }}']")
    folder = builds.add("a", text.replace("build:", "source:\n  path: src\nbuild:", 1))
    (folder / "src").mkdir()
    code = "#include <assert.h>\nconst char *where(void) { return __FILE__; }\nvoid f(int x) { assert(x); }\n"
    (folder / "src" / "answer.c").write_text(code, encoding="utf-8")
    done = builds.build(check_reproducible=True)
    assert done.irreproducible == ()
    (package,) = done.packages
    latest = builds.cache.latest("a", package.subdir)
    assert latest is not None
    assert any(name.startswith("gcc ") for name in latest.parts.build_environment)
    assert b"/tmp/cuvee-build" not in contents(builds, "a")["lib/libanswer.so"]
    assert any(spec.startswith("__glibc >=2.") for spec in read_index(builds.cache.archive(package)).depends)
