"""What was built from recipes, on the page and in its twin."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cuvee.build.model import BuiltPackage, Irreproducible
from cuvee.channel.model import TestedWheel
from cuvee.files import write_text
from cuvee.release.record import BuildResult, Release
from cuvee.report.data_json import page_json
from cuvee.report.html import render
from cuvee.report.page import build_page


def package(name: str, wave: int, *, reused: bool = False) -> BuiltPackage:
    return BuiltPackage(
        recipe=f"{name}-recipe",
        name=name,
        version="1.0",
        build="0",
        subdir="linux-64",
        file_name=f"{name}-1.0-0.conda",
        sha256="ab" * 32,
        key=f"{wave}c" * 32,
        seconds=65.0,
        reused=reused,
        wave=wave,
    )


def built(sample: Release, folder: Path) -> Release:
    for name in ("liba", "b"):
        write_text(folder / "builds" / f"{name}-1.0-0@linux-64.log", f"=== build of {name} ===\n<script>\n")
    made = BuildResult(
        packages=(package("b", 2), package("liba", 1, reused=True), package("lost", 1)),
        irreproducible=(Irreproducible(package="b-1.0-0@linux-64", files=("lib/b.so",)),),
    )
    return replace(sample, built=made)


def test_builds_are_shown_in_their_waves_with_logs(sample: Release, tmp_path: Path) -> None:
    page = build_page(built(sample, tmp_path), tmp_path / "results")
    assert page.builds is not None
    assert [row.name for row in page.builds.rows] == ["liba", "lost", "b"]
    data: dict[str, Any] = json.loads(page_json(page))
    by_name = {row["name"]: row for row in data["builds"]["rows"]}
    assert by_name["b"]["log"]["text"] == "=== build of b ===\n<script>"
    assert by_name["b"]["log"]["path"] == "builds/b-1.0-0@linux-64.log"
    assert by_name["b"]["differing"] == ["lib/b.so"]
    assert "cannot be read" in by_name["lost"]["log"]["note"]
    text = render(page)
    assert "=== build of liba ===\n&lt;script&gt;" in text
    assert 'href="../builds/liba-1.0-0%40linux-64.log"' in text
    assert text.count("from the cache") == 1
    assert "<code>lib/b.so</code>" in text


def test_what_was_not_tested_is_said_and_patched_wheels_are_shown(sample: Release, tmp_path: Path) -> None:
    reason = "it needs Windows"
    patched = (
        TestedWheel(package="my-lib-1.0-py_1_patched_10000@noarch"),
        TestedWheel(package="other-1.0-py_1_patched_10000@noarch", not_tested="no machine"),
    )
    write_text(tmp_path / "builds" / f"{patched[0].package}.log", "=== test of my-lib ===\n")
    release = replace(built(sample, tmp_path), channel=replace(sample.channel, patched=patched))
    assert release.built is not None
    first, *others = release.built.packages
    release = replace(
        release, built=replace(release.built, packages=(replace(first, not_tested=reason), *others))
    )
    text = render(build_page(release, tmp_path / "results"))
    assert text.count('<td data-label="Tests">passed</td>') == 2
    assert f'<td data-label="Tests">not run: {reason}</td>' in text
    assert "=== test of my-lib ===" in text
    assert "<h3>my-lib</h3>" in text
    assert "is a wheel with patches: not tested: no machine." in text
    patched_only = build_page(replace(release, built=None), tmp_path / "results")
    assert patched_only.builds is not None
    assert not patched_only.builds.rows
    assert ">Patched</a>" in render(patched_only)


def test_a_release_without_recipes_has_no_such_part(
    sample: Release, read_page: Callable[[Release], Any]
) -> None:
    assert build_page(sample).builds is None
    assert "builds" not in read_page(sample).values("id")


def test_what_another_machine_has_built_says_so(sample: Release, tmp_path: Path) -> None:
    release = built(sample, tmp_path)
    assert release.built is not None
    elsewhere = replace(package("b", 0), subdir="osx-arm64", built_on="osx-arm64")
    release = replace(release, built=replace(release.built, packages=(elsewhere,)))
    page = build_page(release, tmp_path / "results")
    assert json.loads(page_json(page))["builds"]["rows"][0]["built_on"] == "osx-arm64"
    assert '<td data-label="Made">on another machine, osx-arm64</td>' in render(page)
