from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.specifiers import Specifier, SpecifierSet
from packaging.version import Version
from rattler import Version as CondaVersion
from rattler import VersionSpec

from cuvee.channel.wheels.version_specs import DIFFERENCES, admits, conda_spec, pep440_specifiers
from cuvee.errors import ManifestError

numbers = st.integers(min_value=0, max_value=3)


@st.composite
def versions(draw: st.DrawFn, *, plain: bool = False) -> str:
    """Texts of PEP 440 versions from a small world, so that they often meet."""
    epoch = draw(st.sampled_from(["", "", "", "1!"]))
    release = ".".join(map(str, draw(st.lists(numbers, min_size=1, max_size=3))))
    if plain:
        return f"{epoch}{release}"
    pre = draw(st.sampled_from(["", "", "a0", "a1", "b2", "rc1"]))
    post = draw(st.sampled_from(["", "", "", ".post0", ".post1"]))
    dev = draw(st.sampled_from(["", "", "", ".dev0", ".dev2"]))
    return f"{epoch}{release}{pre}{post}{dev}"


@st.composite
def specifiers(draw: st.DrawFn) -> str:
    operator = draw(st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~=", "===", "==*", "!=*"]))
    if operator.endswith("*"):
        return f"{operator[:2]}{draw(versions(plain=True))}.*"
    text = draw(versions())
    if operator == "~=" and len(Version(text).release) == 1:
        return f">={text}"
    return f"{operator}{text}"


candidates = st.builds(str.__add__, versions(), st.sampled_from(["", "", "", "+cpu", "+2"]))


def trimmed(version: Version) -> tuple[int, ...]:
    release = version.release
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    return release


def same_release(one: Version, other: Version) -> bool:
    return one.epoch == other.epoch and trimmed(one) == trimmed(other)


def is_decorated(version: Version) -> bool:
    return version.is_prerelease or version.is_postrelease


def other_zeros(spec: Version, version: Version) -> bool:
    return (
        same_release(spec, version)
        and spec.release != version.release
        and (is_decorated(spec) or is_decorated(version))
    )


def deep_post(spec: Version, version: Version) -> bool:
    """Whether one is a post release, and the other has more numbers: 1.0.post1 and 1.0.0.1."""
    for one, other in ((spec, version), (version, spec)):
        length = len(one.release)
        if one.is_postrelease and one.epoch == other.epoch and other.release[:length] == one.release:
            return True
    return False


JUDGES: dict[str, Callable[[Specifier, Version, Version], bool]] = {
    "local": lambda _, spec, version: version.local is not None and same_release(spec, version),
    "dev": lambda _, spec, version: (
        (spec.is_devrelease or version.is_devrelease) and same_release(spec, version)
    ),
    "zeros": lambda _, spec, version: other_zeros(spec, version),
    "deep-post": lambda _, spec, version: deep_post(spec, version),
    "below-post": lambda one, spec, version: (
        one.operator == "<" and spec.is_postrelease and version.is_prerelease and same_release(spec, version)
    ),
    "arbitrary": lambda one, _, __: one.operator == "===",
}


def test_each_difference_has_a_judge() -> None:
    assert JUDGES.keys() == DIFFERENCES.keys()


def documented(one: Specifier, version: Version) -> bool:
    spec = Version(one.version.removesuffix(".*"))
    return any(judge(one, spec, version) for judge in JUDGES.values())


@settings(max_examples=800)
@given(specifiers(), candidates)
def test_a_translated_spec_means_the_same(text: str, version: str) -> None:
    one, candidate = Specifier(text), Version(version)
    if documented(one, candidate):
        return
    expected = one.contains(candidate, prereleases=True)
    spec = conda_spec(SpecifierSet(text))
    assert VersionSpec(spec).matches(CondaVersion(str(candidate))) == expected, spec


@settings(max_examples=200)
@given(st.lists(specifiers(), min_size=1, max_size=3), candidates)
def test_what_was_resolved_is_always_admitted(texts: list[str], version: str) -> None:
    bounds, candidate = SpecifierSet(",".join(texts)), Version(version)
    if bounds.contains(candidate, prereleases=True):
        assert admits(conda_spec(bounds, candidate), candidate)


@pytest.mark.parametrize(
    ("pep440", "conda"),
    [
        ("", "*"),
        (">=1.23,<3", ">=1.23,<3a0"),
        ("<2.0", "<2a0"),
        ("<2.0rc1", "<2.0rc1"),
        ("<3.0.dev0", "<3a0"),
        (">=2.0.0.dev0", ">=2a0"),
        ("~=1.4.2", ">=1.4.2,1.4.*"),
        ("~=1!1.4", ">=1!1.4,1!1.*"),
        ("==1.*", "1.*"),
        ("!=1.5.*,>=1", ">=1,!=1.5.*"),
        ("===2.0", "==2.0"),
        ("==2.4+cu118", "==2.4+cu118"),
        (">1.0", ">1.0,!=1.0.post.*"),
        (">1.0.post1", ">1.0.post1"),
        ("==2.04", "==2.4"),
    ],
)
def test_specs_read_as_people_write_them(pep440: str, conda: str) -> None:
    assert conda_spec(SpecifierSet(pep440)) == conda


def test_a_resolved_local_version_is_added() -> None:
    assert conda_spec(SpecifierSet("==2.4"), Version("2.4+cpu")) == "==2.4|==2.4+cpu"
    assert conda_spec(SpecifierSet("==2.4"), Version("2.4")) == "==2.4"
    assert conda_spec(SpecifierSet(">=2.0"), Version("2.4+cpu")) == ">=2.0"


@pytest.mark.parametrize(
    ("conda", "pep440"),
    [
        ("*", ""),
        ("2.4.*", "==2.4.*"),
        ("=2.4", "==2.4.*"),
        ("=2.4.*", "==2.4.*"),
        ("2.4*", "==2.4.*"),
        ("2.4.1", "==2.4.1"),
        ("==2.4.1", "==2.4.1"),
        (">=2.4,<2.5", "<2.5,>=2.4"),
        (">=2.4, <2.5.0a0", "<2.5.0,>=2.4"),
        ("<3.0.dev0", "<3.0"),
        ("<3.0rc1", "<3.0rc1"),
        (">=2.4.*", ">=2.4"),
        ("!=2.4.1,!=2.3.*", "!=2.3.*,!=2.4.1"),
        ("~=2.4.1", "~=2.4.1"),
        ("1!2.0.*", "==1!2.0.*"),
    ],
)
def test_a_manifests_spec_becomes_pep440(conda: str, pep440: str) -> None:
    assert pep440_specifiers(conda, position="m.yaml:1:1") == SpecifierSet(pep440)


@pytest.mark.parametrize(
    "spec", ["1.0|2.0", "^1.*$", "(>=1,<2)", "abc", ">1.0.*", "=>1", "1.0_x", "~=1.0rc1"]
)
def test_what_an_index_can_not_be_asked_names_the_line(spec: str) -> None:
    with pytest.raises(ManifestError, match=r"^m\.yaml:7:3: .*cannot be requested"):
        pep440_specifiers(spec, position="m.yaml:7:3")


@settings(max_examples=300)
@given(specifiers().filter(lambda text: not text.startswith("===")), candidates)
def test_a_manifests_spec_asks_for_nothing_that_conda_refuses(text: str, version: str) -> None:
    """What uv may choose for a conda spec, the solver must accept; that it chooses less is no harm."""
    candidate = Version(version)
    if documented(Specifier(text), candidate) or (text.startswith("~=") and is_decorated(Version(text[2:]))):
        return
    if pep440_specifiers(text, position="-").contains(candidate, prereleases=True):
        # rattler's match specs read ==1.* as 1.*, its bare version specs do not
        assert admits(text.removeprefix("==") if text.endswith(".*") else text, candidate)
