"""What is shown of a manifest, read again, is the same manifest."""

import dataclasses
import datetime as dt
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from cuvee.manifest import Manifest, load_manifest
from cuvee.manifest.manifest_export import _text, as_data, as_json, as_yaml
from cuvee.manifest.model import Position

GOOD = Path(__file__).parent / "good"
TODAY = dt.date(2026, 11, 22)
Writer = Callable[..., Path]
NOWHERE = Position(file=Path("x"), line=1, column=1)


def without_places(manifest: Manifest) -> Manifest:
    """Return the manifest with everything that only says where it was stated made equal."""
    return dataclasses.replace(
        manifest,
        base=None,
        path=Path("x"),
        sources={},
        packages=tuple(dataclasses.replace(item, position=NOWHERE) for item in manifest.packages),
        constraints=tuple(dataclasses.replace(item, position=NOWHERE) for item in manifest.constraints),
        wheels=tuple(dataclasses.replace(item, position=NOWHERE) for item in manifest.wheels),
        patched=tuple(dataclasses.replace(item, position=NOWHERE) for item in manifest.patched),
        waivers=tuple(dataclasses.replace(item, position=NOWHERE) for item in manifest.waivers),
    )


def again(manifest: Manifest) -> Manifest:
    """Read what is shown in place of the manifest itself."""
    manifest.path.write_text(as_yaml(manifest))
    return load_manifest(manifest.path, today=TODAY)


@pytest.mark.parametrize("case", sorted(GOOD.glob("*.yaml")), ids=lambda case: case.stem)
def test_what_is_shown_evaluates_to_the_same(case: Path, repository: Path) -> None:
    path = repository / "manifests/starter/2026.11.0.yaml"
    shutil.copy(case, path)
    manifest = load_manifest(path, today=TODAY)
    read_again = again(manifest)
    assert without_places(read_again) == without_places(manifest)
    assert as_data(read_again) == as_data(manifest)


BASE = """\
platforms:
  linux-64: {floor: {glibc: "2.28"}}
  win-64: {absent: "no: not yet"}
packages:
  python: "3.11.*"
  numpy: {version: ">=2.4,<2.5", owner: numerics, groups: [core]}
  pywin32: {platforms: [win-64]}
owners: {numerics: {contact: n@example.org}}
channels: [./local]
exclude-newer: 2026-11-01
"""
CHANGE = """\
packages: {numpy: "2.4.3", scipy: {build: "*_0"}}
waivers:
  - {check: cycles, reason: known, author: Ada, expires: 2027-01-01}
"""
SHOWN = """\
# starter-2026.11.1, evaluated; based on starter-2026.11.0, whose values are filled in
manifest: 1                                              # 2026.11.1.yaml:1
distribution: starter                                    # 2026.11.1.yaml:2
version: "2026.11.1"                                     # 2026.11.1.yaml:3
title: Starter                                           # 2026.11.0.yaml:4
based-on: null
support: null                                            # default
platforms:
  linux-64:
    floor:
      glibc: "2.28"                                      # 2026.11.0.yaml:6
      linux: "4.18"                                      # default
  win-64:
    floor:
      win: "10"                                          # default
    absent: "no: not yet"                                # 2026.11.0.yaml:7
channels: [conda-forge]                                  # 2026.11.1.yaml:8
channel-url: null                                        # default
packages:
  numpy:
    version: "2.4.3"                                     # 2026.11.1.yaml:5
    owner: numerics                                      # 2026.11.0.yaml:10
    groups: [core]                                       # 2026.11.0.yaml:10
  python: "3.11.*"                                       # 2026.11.0.yaml:9
  pywin32:
    version: "*"                                         # default
    platforms: [win-64]                                  # 2026.11.0.yaml:11
  scipy:
    version: "*"                                         # default
    build: "*_0"                                         # 2026.11.1.yaml:5
constraints: {}                                          # default
wheels: []                                               # default
interpreter: null                                        # default
recipes: []                                              # default
patched: {}                                              # default
exclude-newer: "2026-11-02T00:00:00Z"                    # 2026.11.0.yaml:14
policy:
  licenses:
    allow: []                                            # default
    deny: []                                             # default
  patch:
    allow: [upgrade, rebuild]                            # default
  age:
    at-least: null                                       # default
    at-most: null                                        # default
  inclusion:
    binding: [solves, clobbers, licenses, name, errata]  # default
    most-packages: null                                  # default
    most-megabytes: null                                 # default
  platforms: null                                        # default
  approvals: null                                        # default
  checks: {}                                             # default
suites: []                                               # default
installers:
  formats:
    linux: [sh]                                          # default
    osx: []                                              # default
    win: []                                              # default
  branding: null                                         # default
  engine: cuvee                                          # default
  deltas: none                                           # default
owners:
  numerics:
    contact: n@example.org                               # 2026.11.0.yaml:12
    organisation: null                                   # default
    people: []                                           # default
    accepts: {}                                          # default
waivers:                                                 # 2026.11.1.yaml:7
  - check: cycles                                        # 2026.11.1.yaml:7
    reason: known                                        # 2026.11.1.yaml:7
    author: Ada                                          # 2026.11.1.yaml:7
    expires: "2027-01-01"                                # 2026.11.1.yaml:7
"""


def test_a_child_is_shown_with_its_base_filled_in(write: Writer) -> None:
    write(BASE)
    child = write(CHANGE + "channels: [conda-forge]\n", "2026.11.1", based_on="2026.11.0")
    manifest = load_manifest(child, today=TODAY)
    assert as_yaml(manifest) == SHOWN
    assert without_places(again(manifest)) == without_places(manifest)


def test_json_has_values_and_places(write: Writer) -> None:
    base = write(BASE)
    shown = as_json(load_manifest(write(CHANGE, "2026.11.1", based_on="2026.11.0"), today=TODAY))
    assert shown["values"]["packages"]["numpy"]["version"] == "2.4.3"
    assert shown["values"]["based-on"] == "2026.11.0"
    assert shown["sources"]["packages.numpy.owner"] == {"file": str(base), "line": 10, "column": 41}
    assert "interpreter" not in shown["sources"]


@given(
    text=st.text(
        st.characters(codec="utf-8", exclude_categories=["C"], exclude_characters="\u2028\u2029"), min_size=1
    )
    | st.sampled_from(
        ["yes", "3.10", "null", "a: b", "a #b", "- a", "2027-01-01", "~", "{a}", "*", "NO", "1e3", "a "]
    )
)
def test_any_text_that_is_shown_is_read_as_itself(text: str) -> None:
    assert yaml.safe_load(f"a: {_text(text)}  # comment") == {"a": text}
