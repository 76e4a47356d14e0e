"""Patches of a manifest on recipes: other builds, which say so, and only of what needs them."""

import datetime as dt
import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from build_recipes import HOST, Builds, simple
from cuvee.build.model import Output
from cuvee.build.patched_recipes import check_patches, patched_outputs
from cuvee.build.recipe_files import find_recipe
from cuvee.channel.patches.patch_files import PatchFile, PatchSet
from cuvee.conda.package_archive import read_info_files
from cuvee.conda.package_info import read_index
from cuvee.errors import BlockedError, DocumentError
from cuvee.files import sha256_bytes
from cuvee.manifest.model import PatchedPackage, Position

pytest.importorskip("rattler_build", reason="needs py-rattler-build")

PATCH = b"--- a/text.txt\n+++ b/text.txt\n@@ -1,2 +1,2 @@\n one\n-two\n+zwei\n"
STATED = PatchedPackage(
    name="core",
    recipe="core",
    patches=("patches/one.patch",),
    fixes=("CVE-2026-12345",),
    why="it is wrong",
    author="Ada",
    until=dt.date(2027, 5, 31),
    position=Position(file=Path("m.yaml"), line=9, column=3),
)


def patch_set(data: bytes = PATCH, **stated: object) -> PatchSet:
    return PatchSet(
        package=replace(STATED, **stated),  # type: ignore[arg-type]
        patches=(PatchFile(name="patches/one.patch", data=data),),
    )


def recipe(name: str, sources: str) -> str:
    script = "mkdir -p $PREFIX/share && cp text.txt $PREFIX/share/"
    return simple(name, script=script).replace("build:\n", f"source: {sources}\nbuild:\n")


class PatchedBuilds(Builds):
    """Builds in which the recipe ``core`` may have patches."""

    patches: PatchSet | None = None

    def outputs(self) -> list[Output]:
        found: list[Output] = []
        for folder in sorted(self.recipes.iterdir()):
            outputs = self.engine.render(find_recipe(folder), HOST, {})
            is_patched = self.patches is not None and folder.name == "core"
            found += patched_outputs(outputs, self.patches) if is_patched and self.patches else outputs
        return found


def output_of(builds: PatchedBuilds, name: str) -> Output:
    return next(item for item in builds.outputs() if item.name == name)


@pytest.fixture
def builds(tmp_path: Path) -> PatchedBuilds:
    made = PatchedBuilds(tmp_path)
    made.add("core", recipe("core", "{path: text}"))
    (tmp_path / "recipes/core/text").mkdir()
    (tmp_path / "recipes/core/text/text.txt").write_text("one\ntwo\n")
    return made


def test_a_patched_build_is_preferred_to_the_recipes_own(builds: PatchedBuilds) -> None:
    plain = output_of(builds, "core")
    builds.patches = patch_set(revision=2)
    patched = output_of(builds, "core")
    document = json.loads(patched.document)
    assert patched.version == plain.version
    assert patched.build == plain.build.removesuffix("_0") + "_patched_20000"
    assert (document["build"]["number"], document["build"]["string"]) == (20_000, patched.build)
    assert document["source"][0]["patches"] == ["cuvee-patched/patches/one.patch"]
    assert patched.recipe.digest == plain.recipe.digest


def test_what_cannot_be_patched_is_refused_with_its_line(builds: PatchedBuilds) -> None:
    builds.patches = patch_set(name="other")
    with pytest.raises(DocumentError, match=r"m\.yaml:9:3: core makes core, not other"):
        builds.outputs()
    builds.patches = patch_set()
    builds.add("core", recipe("core", "[{path: text}, {path: text, target_directory: x}]"))
    with pytest.raises(DocumentError, match="has 2 sources"):
        builds.outputs()


def archive(tmp_path: Path, content: bytes, *, top: str) -> Path:
    path = tmp_path / "core-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(f"{top}text.txt")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return path


@pytest.mark.parametrize("top", ["", "core-1.0/", "./"])
def test_patches_must_apply_exactly_to_a_source(builds: PatchedBuilds, tmp_path: Path, top: str) -> None:
    good = archive(tmp_path, b"one\ntwo\n", top=top)
    sha256 = sha256_bytes(good.read_bytes())
    builds.add("core", recipe("core", f"{{url: https://example.org/core-1.0.tar.gz, sha256: {sha256}}}"))
    builds.patches = patch_set()
    output = output_of(builds, "core")
    check_patches(output, {sha256: good})
    other = archive(tmp_path, b"ONE\ntwo\n", top=top)
    with pytest.raises(BlockedError) as caught:
        check_patches(output, {sha256: other})
    assert "patches/one.patch does not apply to the source of core" in caught.value.message
    assert "hunk 1 of text.txt" in caught.value.message


@pytest.mark.real
def test_only_the_patched_package_and_what_needs_it_is_built_again(
    builds: PatchedBuilds, tmp_path: Path
) -> None:
    builds.add("lib", simple("lib", host=["core"]))
    builds.add("other")
    builds.build()
    builds.patches = patch_set()
    reasons = {item.name: item.reason for item in builds.plan().to_build}
    assert reasons.keys() == {"core", "lib"}
    assert "its patches have changed: with patches/one.patch" in reasons["core"]
    assert reasons["lib"] == "it needs core, which is built"
    done = builds.build()
    assert {item.name for item in done.packages if not item.reused} == {"core", "lib"}
    core = next(item for item in done.packages if item.name == "core")
    path = builds.cache.archive(core)
    assert read_index(path).build_number == 10_000
    info = read_info_files(path, ("recipe/patched/files/patches/one.patch", "recipe/patched/patched.json"))
    assert info["recipe/patched/files/patches/one.patch"] == PATCH
    assert builds.plan().to_build == ()
    builds.patches = None
    assert all(item.reused for item in builds.build().packages), "the release before has what it had"
    builds.patches = patch_set(PATCH.replace(b"-two", b"-2"))
    with pytest.raises(BlockedError, match=r"hunk 1 of text\.txt"):
        builds.build()
