"""The channel check gives one solve's answer for each record, and the least reason for each refusal."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channel_oracle import Entry, Oracle, entry, read_records, write_repodata
from cuvee.conda.package_record import Record
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.channel_check import pool_check
from cuvee.graph.channel_check.checkpoint import Checkpoint
from cuvee.graph.channel_check.class_table import build_class_table
from cuvee.graph.channel_check.installability import ClassConflict, Worker
from cuvee.graph.channel_check.model import CauseKind, PlatformResult
from cuvee.graph.channel_check.pool_check import check_pool
from cuvee.graph.solving.pool import Pool

GLIBC = VirtualPackage(name="__glibc", version="2.28")


def record(name: str, version: str = "1", build: str = "0", **more: tuple[str, ...]) -> Record:
    file_name = f"{name}-{version}-{build}.conda"
    return Record(name=name, version=version, build=build, url=file_name, **more)  # type: ignore[arg-type]


def checked(*records: Record, only_newest: bool = False) -> PlatformResult:
    return check_pool(Pool(records, [GLIBC]), "linux-64", only_newest=only_newest)


def refused(result: PlatformResult) -> list[str]:
    return [item.record.stem for item in result.not_installable]


def test_a_missing_version_explains_all_who_need_it_through_others() -> None:
    result = checked(
        record("icu", "58.2"),
        record("base", depends=("icu 54.*",)),
        *(record(f"r-{letter}", depends=("base",)) for letter in "abc"),
        record("fine", depends=("icu",)),
    )
    assert refused(result) == ["base-1-0", "r-a-1-0", "r-b-1-0", "r-c-1-0"]
    (cause,) = result.causes
    assert (cause.kind, cause.specs, cause.victims, cause.direct) == (CauseKind.MISSING, ("icu 54.*",), 4, 1)
    assert cause.sentence == "no record meets icu 54.*; there is 58.2"
    assert result.not_installable[1].reason == ("base",)
    assert result.not_installable[1].chain == ("r-a-1-0 needs base", "base-1-0 needs icu 54.*")
    assert (result.checked, result.installable) == (6, 2)


def test_a_conflict_is_the_least_set_of_its_dependencies() -> None:
    result = checked(
        record("py", "2"),
        record("py", "3"),
        record("old", depends=("py 2",)),
        record("more"),
        record("bad", depends=("more", "old", "py 3")),
        record("worse", depends=("bad", "more")),
    )
    assert refused(result) == ["bad-1-0", "worse-1-0"]
    (cause,) = result.causes
    assert (cause.kind, cause.specs, cause.victims) == (CauseKind.CONFLICT, ("old", "py 3"), 2)
    assert cause.sentence == "no records meet old, py 3 together"
    assert result.not_installable[0].reason == ("old", "py 3")


@pytest.mark.parametrize(
    ("records", "kind", "sentence"),
    [
        ([record("a", depends=("b",))], CauseKind.MISSING, "there is no b: b"),
        (
            [record("a", depends=("__glibc >=2.35",))],
            CauseKind.SYSTEM,
            "the system does not offer __glibc >=2.35",
        ),
        (
            [record("a", constrains=("__glibc >=2.35",))],
            CauseKind.SYSTEM,
            "the system does not offer __glibc >=2.35",
        ),
        ([record("a", constrains=("a >5",))], CauseKind.CONFLICT, "a cannot be installed together with a >5"),
        (
            [record("a", depends=("b",)), record("b", constrains=("a >5",))],
            CauseKind.CONFLICT,
            "a cannot be installed together with b",
        ),
        (
            [record("a", depends=("b",)), record("b", depends=("a >5",)), record("a", "6")],
            CauseKind.CONFLICT,
            "a cannot be installed together with b",
        ),
        (
            [record("a", depends=("b",), constrains=("c 2",)), record("b", depends=("c 1",)), record("c")],
            CauseKind.CONFLICT,
            "no records meet b, c 2 together",
        ),
    ],
)
def test_causes_have_words(records: list[Record], kind: CauseKind, sentence: str) -> None:
    result = checked(*records)
    assert refused(result) == ["a-1-0"]
    assert [(cause.kind, cause.sentence) for cause in result.causes] == [(kind, sentence)]


def test_a_spec_that_can_not_be_read_is_a_cause_with_its_words() -> None:
    result = checked(record("a", depends=("b >>>1 ~!",)), record("c", depends=("a",)))
    assert refused(result) == ["a-1-0", "c-1-0"]
    (cause,) = result.causes
    assert cause.kind is CauseKind.UNREADABLE
    assert cause.sentence.startswith("'b >>>1 ~!' cannot be read: unable to parse version spec")


def test_records_that_wait_for_each_other_are_explained_by_what_both_lack() -> None:
    result = checked(record("a", depends=("b",)), record("b", depends=("a", "x")))
    assert refused(result) == ["a-1-0", "b-1-0"]
    assert [(cause.specs, cause.victims) for cause in result.causes] == [(("x",), 2)]
    assert result.not_installable[0].chain == ("a-1-0 needs b", "b-1-0 needs x")


def test_the_newest_alone_are_asked_about_and_what_they_need_is_explained() -> None:
    result = checked(
        record("py", "2"),
        record("py", "3"),
        record("old", "1", depends=("py 2",)),
        record("lib", "1", depends=("old", "py 3")),
        record("lib", "2"),
        record("app", "1", depends=("nothing",)),
        record("app", "2", depends=("lib 1",)),
        only_newest=True,
    )
    assert (result.checked, result.newest) == (4, 4)
    assert refused(result) == ["app-2-0"]
    assert result.not_installable[0].chain == ("app-2-0 needs lib 1", "lib-1-0 needs old and py 3")
    assert [cause.specs for cause in result.causes] == [("old", "py 3")]


def test_newest_is_the_highest_version_and_build_number_in_all_its_variants() -> None:
    def build(version: str, build: str, number: int, *features: str) -> Record:
        return Record(
            name="a", version=version, build=build, build_number=number,
            url=f"a-{version}-{build}.conda", depends=("x",), track_features=features,
        )  # fmt: skip

    result = checked(
        build("1.10", "py38_1", 1), build("1.10", "py39_1", 1, "mkl"),
        build("1.10", "py39_0", 0), build("1.9", "py38_2", 2),
    )  # fmt: skip
    assert {item.record.build for item in result.not_installable if item.newest} == {"py38_1", "py39_1"}


def test_equal_metadata_is_one_class() -> None:
    pool = Pool(
        [
            record("a", "1", depends=("b >=1",)),
            record("a", "2", depends=("b",)),
            record("a", "3", depends=("b",)),
            record("b"),
            record("c", depends=("a 3",)),
        ]
    )
    table, class_records = build_class_table(pool)
    classes = [[pool[number].stem for number in numbers] for numbers in class_records.members]
    assert classes == [["a-3-0"], ["a-2-0", "a-1-0"], ["b-1-0"], ["c-1-0"]]
    assert class_records.clause_of["b"] == class_records.clause_of["b >=1"]
    assert len(table.clause_name) == 2


SPECS = [f"{name}{bound}" for name in "abcde" for bound in ("", " >1", " <2", " 1", " 2", " >=2,<3")]


@st.composite
def universes(draw: st.DrawFn) -> list[Entry]:
    specs = st.lists(st.sampled_from([*SPECS, "__glibc >=2.17", "__glibc >=3"]), max_size=3, unique=True)
    return [
        entry(name, version, depends=draw(specs), constrains=draw(st.one_of(st.just([]), specs)))
        for name in "abcde"
        for version in draw(st.sets(st.sampled_from("123"), min_size=1))
    ]


IN_A_CYCLE = [
    entry("a", "1", depends=["a >1"]),
    entry("a", "2", depends=["a", "d 2"]),
    entry("d", "2", depends=["a", "a <2"]),
]
"""If d 2 wanted nothing, a 2 could be installed: d 2 needs what cannot be installed because of d 2."""

SHUTS_ITSELF_OUT = [
    entry("c", "2", depends=["c"]),
    entry("c", "1", depends=["e 2"]),
    entry("e", "2", depends=["c 2", "e"], constrains=["e <2"]),
]
"""What c 1 needs is not the reason of e 2, which needs the same: an e 2 with no dependencies meets it."""


@settings(max_examples=25)
@example(IN_A_CYCLE, False)
@example(SHUTS_ITSELF_OUT, False)
@given(universes(), st.booleans())
def test_each_answer_is_that_of_one_rattler_solve(entries: list[Entry], only_newest: bool) -> None:
    with TemporaryDirectory() as folder:
        path = write_repodata(Path(folder), entries)
        pool = Pool(read_records(path), [GLIBC])
        oracle = Oracle([path], [GLIBC])
        result = check_pool(pool, "linux-64", only_newest=only_newest)
        bad = set(refused(result))
        for item in entries:
            stem = f"{item['name']}-{item['version']}-{item['build']}"
            if only_newest and item["version"] != max(
                e["version"] for e in entries if e["name"] == item["name"]
            ):
                assert stem not in bad
            else:
                assert (stem in bad) != oracle.solvable([f"{item['name']} =={item['version']}"]), stem
        for refusal in result.not_installable:
            if len(refusal.chain) > 1:
                (spec,) = refusal.reason
                met = [pool[number] for number in pool.matching(spec)]
                assert met
                assert not any(oracle.solvable([f"{one.name} =={one.version}"]) for one in met)
                continue
            assert_least(Path(folder) / "hollow", entries, refusal.record, refusal.reason)


def assert_least(folder: Path, entries: list[Entry], item: Record, reason: Sequence[str]) -> None:
    """Hold a reason to rattler, with a record that has no wishes of its own in the record's place."""
    hollow = [
        other | {"depends": [], "constrains": []}
        if (other["name"], other["version"]) == (item.name, item.version)
        else other
        for other in entries
    ]
    oracle = Oracle([write_repodata(folder, hollow)], [GLIBC])
    needs = [spec for spec in item.depends if spec in reason]
    allows = [spec for spec in item.constrains if spec in reason]
    itself = [f"{item.name} =={item.version}"]
    assert needs or allows
    assert not oracle.solvable([*needs, *itself], allows)
    present = itself if oracle.solvable(needs, allows) else []
    for spec in reason:
        left = [other for other in needs if other != spec] + present
        assert oracle.solvable(left, [other for other in allows if other != spec]), (item.stem, reason)


def test_what_is_finished_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool_check, "_PART", 2)
    records = [record("py", "2"), record("py", "3"), record("old", depends=("py 2",))]
    records += [record(f"bad{number}", depends=("old", "py 3")) for number in range(5)]
    pool = Pool(records, [GLIBC])
    checkpoint = Checkpoint(tmp_path, ["key"])
    whole = check_pool(pool, "linux-64", save=checkpoint.save)
    finished = checkpoint.load()
    assert len(finished) > 2
    assert len(whole.not_installable) == 5

    worked: list[int] = []
    work = Worker.work

    def spied(self: Worker, names: Sequence[int]) -> list[ClassConflict]:
        worked.append(len(names))
        return work(self, names)

    monkeypatch.setattr(Worker, "work", spied)
    assert check_pool(pool, "linux-64", finished=finished) == whole
    assert worked == []
    del finished[max(finished)]
    assert check_pool(pool, "linux-64", finished=finished) == whole
    assert len(worked) == 1


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b'{"channel-check-part": 1}',
        b'{"channel-check-part": 0, "conflicts": []}',
        b'{"channel-check-part": 1, "conflicts": [{"item": "a", "needs": []}]}',
        b'{"channel-check-part": 1, "conflicts": [{"item": 1, "needs": [0.5]}]}',
    ],
)
def test_a_damaged_checkpoint_is_done_again(tmp_path: Path, damage: bytes) -> None:
    checkpoint = Checkpoint(tmp_path, ["key"])
    checkpoint.save(0, [ClassConflict(item=1, needs=(2, 3))])
    checkpoint.save(1, [])
    assert checkpoint.load() == {0: (ClassConflict(item=1, needs=(2, 3)),), 1: ()}
    next(path for path in tmp_path.rglob("0.json")).write_bytes(damage)
    assert checkpoint.load() == {1: ()}
    assert Checkpoint(tmp_path, ["another"]).load() == {}


def test_a_checkpoint_of_something_else_is_done_again() -> None:
    pool = Pool([record("a", depends=("b",)), record("b")], [GLIBC])
    strange = {0: [ClassConflict(item=10_000, needs=(3, 99_999))], 77: [ClassConflict(item=0, needs=(0,))]}
    strange[1] = [ClassConflict(item=-1, needs=(0,))]
    assert refused(check_pool(pool, "linux-64", finished=strange)) == []


@pytest.mark.parametrize(
    ("spec", "rattler"),
    [('zz[when="py >=3"]', True), ("py[extras=[x]]", True), ("zz[extras=[x]]", False)],
)
def test_conditions_and_extras_are_the_one_difference_from_rattler(
    tmp_path: Path, spec: str, rattler: bool
) -> None:
    """Rattler follows them; here a record that states one counts as unreadable, and the answer says so."""
    path = write_repodata(tmp_path, [entry("py", "2"), entry("a", depends=[spec])])
    assert Oracle([path]).solvable(["a"]) is rattler
    result = check_pool(Pool(read_records(path)), "linux-64")
    (refusal,) = result.not_installable
    assert (refusal.record.stem, refusal.reason) == ("a-1-0", (spec,))
    (cause,) = result.causes
    assert cause.kind is CauseKind.UNREADABLE
    assert "conditional and extra dependencies are not read yet" in cause.sentence
