"""Real builds for other platforms, with Debian's cross compilers; what runs under QEMU is tested there."""

from dataclasses import replace
from pathlib import Path

import pytest

from build_recipes import HOST, Builds, simple
from cuvee.build.cross_building import BuildTarget
from cuvee.conda.package_archive import member_data, members
from cuvee.errors import BlockedError
from cuvee.integration.runners.qemu import QemuRunner
from needed_programs import needs

pytest.importorskip("rattler_build", reason="needs py-rattler-build")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(HOST != "linux-64", reason="needs linux-64"),
]

CODE = '#include <stdio.h>\nint main(void) { printf("on %s\\n", MACHINE); return 0; }\n'
ANSWER = "int answer(void) { return 42; }\nconst char *where(void) { return __FILE__; }\n"


def recipe(builds: Builds, script: str, test: str) -> None:
    text = simple("a", script=script, test=test).replace("  noarch: generic\n", "")
    text = text.replace("  host: []", "  build: ['${{ compiler(\"c\") }}']")
    folder = builds.add("a", text.replace("build:", "source:\n  path: src\nbuild:", 1))
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src" / "main.c").write_text(CODE, encoding="utf-8")
    (folder / "src" / "answer.c").write_text(ANSWER, encoding="utf-8")


def files_of(builds: Builds, platform: str) -> dict[str, bytes]:
    latest = builds.cache.latest("a", platform)
    assert latest is not None
    archive = builds.cache.archive(latest.package)
    return {
        member.name: member_data(tar, member, 1 << 24)
        for tar, member in members(archive, "pkg")
        if member.isreg()
    }


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> BuildTarget:
    runner = QemuRunner(tmp_path_factory.mktemp("qemu"))
    refusal = runner.refusal("linux-aarch64")
    if refusal is not None:
        pytest.skip(f"needs QEMU for linux-aarch64: {refusal}")
    command, environment = runner.emulation()
    return BuildTarget(platform="linux-aarch64", command=command, environment=environment)


SCRIPT = (
    'mkdir -p $PREFIX/bin && $CC $CFLAGS $LDFLAGS -DMACHINE=\\"$HOST\\" -o $PREFIX/bin/a main.c && '
    "$PREFIX/bin/a > $PREFIX/said"
)


@needs("aarch64-linux-gnu-gcc", "qemu-aarch64-static")
def test_an_arm_program_is_compiled_here_and_tested_under_qemu(arm: BuildTarget, tmp_path: Path) -> None:
    builds = Builds(tmp_path, target=arm)
    recipe(builds, SCRIPT, "test \"$($PREFIX/bin/a)\" = 'on aarch64-linux-gnu'")
    (package,) = builds.build().packages
    assert (package.subdir, package.not_tested) == ("linux-aarch64", "")
    found = files_of(builds, "linux-aarch64")
    assert found["bin/a"][:20].hex() == "7f454c4602010100000000000000000003" + "00b700"
    assert found["said"] == b"on aarch64-linux-gnu\n", "builds may start what they have compiled"
    recipe(builds, SCRIPT, "$PREFIX/bin/a | grep -q x86")
    with pytest.raises(BlockedError, match="The test failed: a, "):
        builds.build()


@needs("aarch64-linux-gnu-gcc")
def test_what_cannot_be_tested_says_so(arm: BuildTarget, tmp_path: Path) -> None:
    target = replace(arm, command=(), environment={}, not_run="there is no emulator")
    builds = Builds(tmp_path, target=target)
    recipe(builds, "mkdir -p $PREFIX/lib && $CC -shared -o $PREFIX/lib/liba.so answer.c", "false")
    (package,) = builds.build().packages
    assert package.not_tested == "there is no emulator"
    (again,) = builds.build().packages
    assert (again.reused, again.not_tested) == (True, "there is no emulator")
    assert "was not tested: there is no emulator" in builds.cache.log(package).read_text(encoding="utf-8")


@needs("x86_64-w64-mingw32-gcc")
def test_a_library_for_windows_is_compiled_and_is_the_same_each_time(tmp_path: Path) -> None:
    builds = Builds(tmp_path, target=BuildTarget(platform="win-64", not_run="programs need Windows"))
    script = (
        "mkdir -p $PREFIX/Library/bin && $CC $CFLAGS $LDFLAGS -shared -o $PREFIX/Library/bin/a.dll answer.c"
    )
    recipe(builds, script, "exit 1")
    done = builds.build(check_reproducible=True)
    assert done.irreproducible == ()
    assert [(item.subdir, item.not_tested) for item in done.packages] == [("win-64", "programs need Windows")]
    data = files_of(builds, "win-64")["Library/bin/a.dll"]
    assert data[:2] == b"MZ"
    assert b"libgcc_s" not in data
