"""Why a dependency is missing, and what contradicts what."""

import pytest

from checked_sets import asked, finding, lock_of, manifest_of, only, package, results
from cuvee.conda.package_record import LockedPackage
from cuvee.graph import release_graph
from cuvee.graph.checks import Status
from cuvee.graph.checks.variants import variant
from cuvee.graph.findings import Verdict

LINUX = ("linux-64", "b")


@pytest.mark.parametrize(
    ("spec", "there", "kind", "words"),
    [
        ("b", [], "no-such-name", "there is no package of that name"),
        ("b >=2", [package("b")], "no-such-version", "no such version, the set has b-1.0-0"),
        ("b 1.0 mkl*", [package("b")], "no-such-build", "no such build, the set has b-1.0-0"),
        ("b", [package("b", platform="win-64")], "only-on-other-platforms", "b is only on win-64"),
    ],
)
def test_why_a_dependency_is_missing(spec: str, there: list[LockedPackage], kind: str, words: str) -> None:
    found = finding("closure", lock_of(package("a", depends=(spec,)), *there))
    assert (found.kind, found.cause) == (kind, f"No package of the set meets {spec!r}: {words}")
    assert found.verdict is Verdict.BLOCKED


@pytest.mark.parametrize(
    ("available", "kind", "words"),
    [
        ({LINUX: (package("b", "2.0"),)}, "not-locked", "a channel has b-2.0-0, which is not locked"),
        ({LINUX: (package("b", "1.0"),)}, "no-such-version", "no such version, channels have b-1.0-0"),
        (
            {LINUX: (package("b", "2.0", depends=("__glibc >=2.34",)),)},
            "only-outside-the-floor",
            "only builds beyond the floor do; b-2.0-0 needs __glibc >=2.34",
        ),
        ({("osx-64", "b"): (package("b", "2.0"),)}, "only-on-other-platforms", "b is only on osx-64"),
    ],
)
def test_channels_are_looked_at_where_they_are_known(
    available: dict[tuple[str, str], tuple[LockedPackage, ...]], kind: str, words: str
) -> None:
    found = finding("closure", lock_of(package("a", depends=("b >=2",))), available=available)
    assert (found.kind, found.cause) == (kind, f"No package of the set meets 'b >=2': {words}")


def test_a_noarch_record_is_checked_once_per_platform() -> None:
    lock = lock_of(
        *(
            package("a", platform=platform, subdir="noarch", noarch="python", depends=("gone", "here"))
            for platform in ("linux-64", "win-64")
        ),
        package("here"),
    )
    found = results(lock)["closure"].findings
    assert [(item.kind, item.victims) for item in found] == [
        ("no-such-name", ("a-1.0-0@linux-64", "a-1.0-0@win-64")),
        ("only-on-other-platforms", ("a-1.0-0@win-64",)),
    ]


def test_constrains_of_virtual_packages_hold_for_the_floor() -> None:
    found = finding("floor", lock_of(package("a", constrains=("__glibc >=2.34", "__cuda >=12"))))
    assert found.cause == "The floor __glibc 2.28 is outside of '__glibc >=2.34', which a constrains"


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        (package("b", "1 2"), "unreadable-record"),
        (package("b", build="a b"), "unreadable-record"),
        (package("b", build_number=-1), "unreadable-record"),
        (package("b b"), "unreadable-record"),
        (package("b", subdir="win-64"), "another-platform"),
        (package("b", depends=("c >=1,<",)), "unreadable-spec"),
        (package("b", constrains=("*",)), "unreadable-spec"),
        (package("b", depends=("c " + "(" * 9000 + ">1" + ")" * 9000,)), "unreadable-spec"),
    ],
)
def test_a_record_that_can_not_be_read_is_named_and_the_other_checks_run(
    broken: LockedPackage, kind: str
) -> None:
    found = results(lock_of(package("a", depends=("__glibc >=2.34", "b")), broken))
    assert only(found["metadata"]).kind == kind
    assert only(found["metadata"]).victims == (broken.identifier,)
    assert found["closure"].status is Status.SKIPPED
    assert found["licenses"].status is Status.PASS


def test_mutexes_differ_between_platforms_of_one_system_only() -> None:
    gnu, llvm = package("_openmp_mutex", "4.5", "2_gnu"), {"build": "2_kmp_llvm", "platform": "osx-64"}
    lock = lock_of(gnu, package("_openmp_mutex", "4.5", **llvm))
    assert not results(lock)["mutexes"].findings
    lock = lock_of(gnu, package("_openmp_mutex", "4.5", "2_kmp_llvm", platform="linux-aarch64"))
    assert finding("mutexes", lock).cause == (
        "_openmp_mutex selects different variants: 4.5 gnu on linux-64, 4.5 kmp_llvm on linux-aarch64"
    )


def test_a_dependency_on_another_variant_of_a_mutex_is_a_missing_build() -> None:
    lock = lock_of(
        package("a", depends=("_openmp_mutex * *_llvm",)), package("_openmp_mutex", "4.5", "2_gnu")
    )
    assert finding("closure", lock).kind == "no-such-build"


@pytest.mark.parametrize(
    ("build", "words"),
    [("2_kmp_llvm", "kmp_llvm"), ("21_linux64_openblas", "openblas"), ("h1234abc_0", ""), ("mkl", "mkl")],
)
def test_variants_are_what_is_neither_number_nor_hash_nor_platform(build: str, words: str) -> None:
    assert variant(build) == words


def test_track_features_are_told() -> None:
    found = finding("track-features", lock_of(package("a", track_features=("mkl", "old"))))
    assert found.cause == "a has the track features mkl, old"
    assert found.verdict is Verdict.INFO


def test_a_requirement_that_the_lock_does_not_meet_has_its_line() -> None:
    found = finding("closure", lock_of(package("a")), manifest_of(asked("a", ">=2")))
    assert (found.kind, found.evidence) == ("requirement", ("requested at tiny/2026.11.0.yaml:7:3",))


def test_what_platforms_ask_alike_is_matched_once() -> None:
    lock = lock_of(
        *(
            package(name, platform=platform, subdir="noarch", depends=("b >=1",))
            for platform in ("linux-64", "osx-64", "win-64")
            for name in "ab"
        )
    )
    release_graph.forget_matches()
    graph = release_graph.build_graph(manifest_of(), lock)
    assert sum(len(part.edges) for part in graph.platforms) == 6
    assert all(edge.satisfied for part in graph.platforms for edge in part.edges)
    assert release_graph._meets.cache_info().misses == 1


def test_parity_says_what_holds_an_older_version_back() -> None:
    lock = lock_of(
        package("a", "2.0"),
        package("a", "1.0", platform="osx-64"),
        package("b", depends=("a <2",), platform="osx-64"),
        package("b"),
        package("a", "1.5", platform="win-64"),
        package("b", platform="win-64"),
    )
    assert finding("parity", lock).evidence == (
        "osx-64 has 1.0: b depends on a <2",
        "win-64 has 1.5: nothing there excludes 2.0; channels may lack it",
    )
