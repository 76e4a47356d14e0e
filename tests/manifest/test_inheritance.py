"""Inheritance: mappings merge key by key, single values and lists replace, ``null`` takes away."""

import copy
import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.errors import ManifestError
from cuvee.manifest import Manifest, load_manifest
from cuvee.manifest.manifest_export import as_data

TODAY = dt.date(2026, 11, 22)
OWN = {"version", "based-on"}
Writer = Callable[..., Path]
Values = dict[str, Any]

NAMES = st.sampled_from(["python", "numpy", "scipy", "ruamel.yaml", "qt"])
VERSIONS = st.sampled_from(["*", "1.10", ">=2,<3", "3.11.*"])
LABELS = st.lists(st.sampled_from(["core", "test", "docs"]), unique=True)
PACKAGES = st.dictionaries(
    NAMES,
    VERSIONS
    | st.fixed_dictionaries(
        {}, optional={"version": VERSIONS, "owner": st.sampled_from(["ada", "bob"]), "groups": LABELS}
    ),
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["One", "Two", "Three: 3"]),
        "packages": PACKAGES,
        "constraints": st.dictionaries(st.sampled_from(["openssl", "zlib"]), VERSIONS),
        "channels": st.lists(st.sampled_from(["conda-forge", "other", "/srv/local"]), unique=True),
        "suites": LABELS,
        "support": st.fixed_dictionaries(
            {"track": st.sampled_from(["edge", "lts"])}, optional={"until": st.just("2030-01-01")}
        ),
        "interpreter": st.sampled_from(["host", None]),
        "platforms": st.dictionaries(
            st.sampled_from(["linux-64", "win-64"]),
            st.fixed_dictionaries(
                {},
                optional={
                    "floor": st.fixed_dictionaries(
                        {"archspec": st.sampled_from(["x86_64", "haswell", "zen"])}
                    )
                },
            ),
        ),
        "policy": st.fixed_dictionaries({}, optional={"patch": st.just({"allow": ["add"]})}),
        "installers": st.fixed_dictionaries(
            {}, optional={"formats": st.dictionaries(st.just("linux"), st.sampled_from([[], ["sh"]]))}
        ),
    },
)
ROOT: Values = {
    "title": "Root",
    "platforms": {"linux-64": {}},
    "packages": {"python": "3.11.*"},
    "owners": {"ada": {"contact": "a@example.org"}, "bob": {"contact": "b@example.org"}},
}


def merged(base: Any, child: Any) -> Any:
    """Merge plain values, naively: what the real merge is held against."""
    if not isinstance(child, Mapping):
        return copy.deepcopy(child)
    result = dict(base) if isinstance(base, Mapping) else {}
    for key, value in child.items():
        result[key] = merged(result.get(key), value)
    return result


def longhand(values: Values) -> Values:
    """Write each package and constraint as a mapping."""
    result = copy.deepcopy(values)
    for kind in ("packages", "constraints"):
        for name, value in result.get(kind, {}).items():
            if isinstance(value, str):
                result[kind][name] = {"version": value}
    return result


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Manifest]:
    """Return a function that writes manifests, each based on the one before, and loads the last."""
    folder = tmp_path_factory.mktemp("chain") / "starter"
    folder.mkdir()

    def load_chain(*links: Values) -> Manifest:
        for number, values in enumerate(links):
            head: Values = {"manifest": 1, "distribution": "starter", "version": f"2026.11.{number}"}
            if number:
                head["based-on"] = f"2026.11.{number - 1}"
            (folder / f"2026.11.{number}.yaml").write_text(
                yaml.safe_dump({**head, **values}, sort_keys=False)
            )
        return load_manifest(folder / f"2026.11.{len(links) - 1}.yaml", today=TODAY)

    return load_chain


def values(manifest: Manifest) -> Values:
    return {key: value for key, value in as_data(manifest).items() if key not in OWN}


@given(first=CHANGES)
@settings(max_examples=25)
def test_an_empty_child_is_its_base(chain: Callable[..., Manifest], first: Values) -> None:
    root = merged(longhand(ROOT), longhand(first))
    base, child = chain(root), chain(root, {})
    assert values(child) == values(base)
    own = {"manifest", "distribution", "version", "based-on"}
    assert {path: span for path, span in child.sources.items() if path not in own} == {
        path: span for path, span in base.sources.items() if path not in own
    }
    assert child.base is not None
    assert values(child.base) == values(base)


@given(first=CHANGES, second=CHANGES)
@settings(max_examples=30)
def test_a_chain_is_the_same_as_its_links_merged_in_any_grouping(
    chain: Callable[..., Manifest], first: Values, second: Values
) -> None:
    root, one, two = longhand(ROOT), longhand(first), longhand(second)
    expected = values(chain(merged(merged(root, one), two)))
    assert values(chain(ROOT, first, second)) == expected
    assert values(chain(ROOT, merged(one, two))) == expected
    assert values(chain(merged(root, one), second)) == expected


@given(first=CHANGES, second=CHANGES)
@settings(max_examples=25)
def test_each_value_stands_on_the_line_that_its_source_names(
    chain: Callable[..., Manifest], first: Values, second: Values
) -> None:
    manifest = chain(ROOT, first, second)
    data = as_data(manifest)
    for path, span in manifest.sources.items():
        line = span.file.read_text().splitlines()[span.line - 1]
        value = lookup(data, path)
        if isinstance(value, str):
            assert value in line, path
        elif isinstance(value, dict):
            assert path.rsplit(".", 1)[-1].removeprefix("yaml") in line, path
        elif isinstance(value, list) and value:
            assert str(value[0]) in line, path


def lookup(data: Any, path: str) -> Any:
    """Return the value at a dotted path, though a name may have dots too."""
    if not path:
        return data
    if isinstance(data, list):
        head, _, rest = path.partition(".")
        return lookup(data[int(head)], rest)
    name = next(key for key in sorted(data, key=len, reverse=True) if f"{path}.".startswith(f"{key}."))
    return lookup(data[name], path[len(name) + 1 :])


BASE = """\
platforms: {linux-64: {}, win-64: {}}
packages:
  python: "3.11.*"
  numpy: {version: ">=2.4,<2.5", owner: numerics, groups: [core]}
constraints: {openssl: ">=3"}
owners: {numerics: {contact: n@example.org}}
support: {track: stable, until: 2027-11-30}
channels: [conda-forge]
interpreter: host
"""


def test_the_short_form_changes_the_version_and_keeps_the_rest(write: Writer) -> None:
    base = write(BASE)
    child = write('packages: {NumPy: "==2.4.3"}\n', "2026.11.1", based_on="2026.11.0")
    manifest = load_manifest(child, today=TODAY)
    numpy = manifest.packages[0]
    assert (numpy.version, numpy.owner, numpy.groups) == ("==2.4.3", "numerics", ("core",))
    assert (numpy.position.file, numpy.position.line) == (child, 5)
    assert manifest.packages[1].position.file == base
    assert manifest.sources["packages.numpy.owner"].file == base
    assert manifest.base is not None
    assert manifest.base.packages[0].version == ">=2.4,<2.5"


def test_null_takes_away(write: Writer) -> None:
    write(BASE)
    body = (
        "packages: {numpy: null}\nconstraints: null\nsupport: {until: null}\nchannels: \ninterpreter: null\n"
    )
    manifest = load_manifest(write(body, "2026.11.1", based_on="2026.11.0"), today=TODAY)
    assert [package.name for package in manifest.packages] == ["python"]
    assert manifest.constraints == ()
    assert manifest.support is not None
    assert manifest.support.until is None
    assert manifest.channels == ()
    assert manifest.interpreter is None
    assert "packages.numpy.version" not in manifest.sources


def test_what_was_taken_away_can_be_stated_again_and_starts_afresh(write: Writer) -> None:
    write(BASE)
    write("packages: {numpy: null}\n", "2026.11.1", based_on="2026.11.0")
    last = write("packages: {numpy: {groups: [new]}}\n", "2026.11.2", based_on="2026.11.1")
    numpy = load_manifest(last, today=TODAY).packages[0]
    assert (numpy.version, numpy.owner, numpy.groups) == ("*", None, ("new",))


def test_removing_the_owner_of_a_package_shows_in_the_base(write: Writer) -> None:
    base = write(BASE)
    child = write("owners: {numerics: null}\n", "2026.11.1", based_on="2026.11.0")
    with pytest.raises(ManifestError, match='the owner "numerics" is not declared') as caught:
        load_manifest(child, today=TODAY)
    assert f"{base}:8:" in caught.value.message


def test_an_inherited_waiver_that_ended_need_not_be_inherited(write: Writer) -> None:
    write(BASE + "waivers: [{check: age, reason: r, author: a, expires: 2026-11-01}]\n")
    with pytest.raises(ManifestError, match=r"it is inherited: state waivers in 2026.11.1.yaml without it"):
        load_manifest(write("", "2026.11.1", based_on="2026.11.0"), today=TODAY)
    assert load_manifest(write("waivers: []\n", "2026.11.1", based_on="2026.11.0"), today=TODAY).waivers == ()


def test_a_long_chain_is_read(chain: Callable[..., Manifest]) -> None:
    manifest = chain(ROOT, *[{"suites": [f"s{number}"]} for number in range(1, 300)])
    assert manifest.suites == ("s299",)
