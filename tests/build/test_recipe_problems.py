"""What is wrong with a recipe is said at once, with its line, before anything is fetched or built."""

from pathlib import Path

import pytest

from build_recipes import HOST, simple, write_recipe
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.build.recipe_files import find_recipe
from cuvee.build.recipes import engines, read_recipes
from cuvee.errors import DocumentError, ToolMissingError

pytest.importorskip("rattler_build", reason="needs py-rattler-build")

SHA = "0" * 64
BAD = {
    "syntax": ("package:\n  name: [a\n", "recipe.yaml:3:1: this list is not closed"),
    "name": ("package:\n  name: foo bar\n  version: 1\n", "'foo bar' is not a valid package name"),
    "undefined": (
        "package:\n  name: foo\n  version: ${{ nope }}\n",
        "recipe.yaml:3:13: undefined value: ${{ nope }}",
    ),
    "no-hash": (
        simple("a").replace("build:", "source:\n  url: https://example.org/a.tgz\nbuild:", 1),
        "recipe.yaml:5:8: this source has no SHA-256",
    ),
    "md5": (
        simple("a").replace("build:", f"source:\n  url: https://example.org/a\n  md5: {'0' * 32}\nbuild:", 1),
        "recipe.yaml:5:8: this source has no SHA-256",
    ),
    "git": (
        simple("a").replace("build:", "source:\n  git: https://example.org/a\n  tag: v1\nbuild:", 1),
        "a source in git has no SHA-256",
    ),
    "outside": (
        simple("a").replace("build:", "source:\n  path: ../b\nbuild:", 1),
        "recipe.yaml:5:9: this source is outside of the recipe's folder",
    ),
    "absolute": (
        simple("a").replace("build:", "source:\n  path: /etc\nbuild:", 1),
        "this source is outside of the recipe's folder",
    ),
    "file-name": (
        simple("a").replace("build:", f"source:\n  url: https://example.org/\n  sha256: {SHA}\nbuild:", 1),
        "this source has no file name",
    ),
    "no-tests": (simple("a").split("tests:")[0], "a has no tests, and only tested packages enter a release"),
    "list": ("- a\n", "its top is not a mapping"),
    "empty": ("", "recipe.yaml"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_recipe_with_a_problem_is_refused_with_its_place(tmp_path: Path, name: str) -> None:
    text, expected = BAD[name]
    recipe = find_recipe(write_recipe(tmp_path / "a", text))
    with pytest.raises(DocumentError) as caught:
        RattlerEngine().render(recipe, HOST, {})
    assert expected in caught.value.message
    assert str(recipe.file) in caught.value.message


def test_all_problems_of_sources_are_shown_at_once(tmp_path: Path) -> None:
    text = simple("a").replace(
        "build:",
        "source:\n  - url: https://example.org/a.tgz\n  - path: ../b\n  - git: https://example.org/a\nbuild:",
        1,
    )
    with pytest.raises(DocumentError, match=r"^3 problems in "):
        RattlerEngine().render(find_recipe(write_recipe(tmp_path / "a", text)), HOST, {})


def test_the_problems_of_all_recipes_are_shown_before_any_work(tmp_path: Path) -> None:
    folders = [
        write_recipe(tmp_path / "a", BAD["syntax"][0]),
        write_recipe(tmp_path / "b", BAD["name"][0]),
        tmp_path / "c",
    ]
    (tmp_path / "c").mkdir()
    with pytest.raises(DocumentError) as caught:
        read_recipes(folders, engines())
    for part in ("this list is not closed", "foo bar", "has neither recipe.yaml nor meta.yaml"):
        assert part in caught.value.message


def test_a_folder_has_one_recipe(tmp_path: Path) -> None:
    write_recipe(tmp_path / "a", simple("a"), meta_yaml="package: {}")
    with pytest.raises(DocumentError, match=r"has recipe.yaml and meta.yaml"):
        find_recipe(tmp_path / "a")


def test_a_link_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    write_recipe(tmp_path / "a", simple("a"))
    (tmp_path / "secret").write_text("x", encoding="utf-8")
    (tmp_path / "a" / "build.sh").symlink_to(tmp_path / "secret")
    with pytest.raises(DocumentError, match="leads out of its recipe's folder"):
        find_recipe(tmp_path / "a")


def test_every_file_of_a_recipe_changes_its_digest(tmp_path: Path) -> None:
    folder = write_recipe(tmp_path / "a", simple("a"), fix_patch="one")
    before = find_recipe(folder).digest
    (folder / "fix.patch").write_text("two", encoding="utf-8")
    changed = find_recipe(folder).digest
    (folder / "fix.patch").rename(folder / "other.patch")
    renamed = find_recipe(folder).digest
    (folder / "other.patch").chmod(0o755)
    assert len({before, changed, renamed, find_recipe(folder).digest}) == 4
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "a.pyc").write_bytes(b"x")
    assert find_recipe(folder).digest != before


def test_a_missing_engine_is_said_with_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuvee.build.rattler_engine.find_spec", lambda _: None)
    with pytest.raises(ToolMissingError) as caught:
        RattlerEngine().check()
    assert "pip install" in (caught.value.hint or "")


def test_rendering_uses_the_versions_of_the_release_as_variant(tmp_path: Path) -> None:
    text = simple("a", host=["python", "numpy"], run=["python"]).replace("  noarch: generic\n", "")
    recipe = find_recipe(write_recipe(tmp_path / "a", text))
    (one,) = RattlerEngine().render(recipe, HOST, {"python": "3.11.7", "numpy": "2.4.6", "scipy": "1.17.0"})
    (other,) = RattlerEngine().render(recipe, HOST, {"python": "3.12.1", "numpy": "2.4.6"})
    assert one.variant == {"numpy": "2.4.6", "python": "3.11.7", "target_platform": HOST}
    assert one.build.startswith("np24py311")
    assert one.build != other.build
    assert (one.subdir, one.host_specs, one.tests) == (HOST, ("python", "numpy"), 1)


def test_a_selector_decides_by_the_platform(tmp_path: Path) -> None:
    text = simple("a", host=["x"]).replace("host: [x]", "host:\n    - if: win\n      then: y\n      else: z")
    recipe = find_recipe(write_recipe(tmp_path / "a", text.replace("  noarch: generic\n", "")))
    engine = RattlerEngine()
    assert [engine.render(recipe, name, {})[0].host_specs for name in ("win-64", "linux-64")] == [
        ("y",),
        ("z",),
    ]


def test_what_is_skipped_on_a_platform_makes_nothing(tmp_path: Path) -> None:
    recipe = find_recipe(
        write_recipe(tmp_path / "a", simple("a").replace("  noarch: generic", "  skip: [win]"))
    )
    assert RattlerEngine().render(recipe, "win-64", {}) == ()
    assert len(RattlerEngine().render(recipe, "linux-64", {})) == 1
