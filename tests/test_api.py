"""The front door: few names, typed and documented, which cost nothing until they are used."""

import asyncio
import datetime as dt
import inspect
import sys
from pathlib import Path

import pytest

import cuvee
import tiny_index
from checked_sets import asked, lock_of, manifest_of, package
from cuvee import api, process
from cuvee.data_frames import Rows
from cuvee.errors import ToolMissingError, UsageError
from cuvee.graph.findings import Verdict
from cuvee.lock.pixi_lock import write_lock
from cuvee.release.record import ChannelResult, LockResult, Release, portable

NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)


def release(folder: Path, version: str = "1.0") -> Release:
    folder.mkdir(parents=True, exist_ok=True)
    lock = lock_of(package("app", version, depends=("base",)), package("base"))
    made = Release(
        manifest=portable(manifest_of(asked("app"))),
        channel=ChannelResult(stage="channel"),
        locked=LockResult(stage="lock", lock=lock),
        made_at=NOW,
        folder=folder,
    )
    made.save()
    return made


def test_the_public_names_are_those_of_the_module_and_nothing_else() -> None:
    assert dir(cuvee) == sorted([*cuvee.__all__, "__version__"])
    assert cuvee.__all__ == api.__all__
    for name in cuvee.__all__:
        assert getattr(cuvee, name) is getattr(api, name)
    with pytest.raises(AttributeError, match="no attribute 'cut'"):
        _ = cuvee.cut


def test_every_public_function_is_documented_and_typed() -> None:
    for name in cuvee.__all__:
        value = getattr(cuvee, name)
        assert inspect.getdoc(value), name
        if inspect.isfunction(value):
            hints = value.__annotations__
            assert set(inspect.signature(value).parameters) | {"return"} == set(hints), name


@pytest.mark.real
def test_importing_it_loads_nothing_heavy() -> None:
    heavy = {"rattler", "networkx", "pandas", "jinja2", "yaml", "cuvee.api"}
    code = f"import sys, cuvee; print(sorted({heavy!r} & set(sys.modules)))"
    done = process.run(process.Request(argv=(sys.executable, "-c", code)))
    assert done.stdout == "[]\n"


def test_a_release_is_opened_and_its_parts_are_tables(tmp_path: Path) -> None:
    release(tmp_path / "tiny-2026.11.0")
    opened = cuvee.Release.open(tmp_path / "tiny-2026.11.0")
    assert (opened.name, opened.verdict, opened.folder) == (
        "tiny-2026.11.0",
        Verdict.BLOCKED,  # it has nothing for win-64
        tmp_path / "tiny-2026.11.0",
    )
    assert list(opened.lock.to_frame()["name"]) == ["app", "base"]
    assert list(opened.graph.to_frame()["spec"]) == ["base"]
    assert opened.findings.to_frame().empty
    assert opened.artefacts.to_frame().empty


def test_graphs_and_reasons(tmp_path: Path) -> None:
    made = release(tmp_path / "tiny-2026.11.0")
    (answer,) = cuvee.why(made, "base")
    assert [chain.requirement.name for chain in answer.reasons] == ["app"]
    graph = cuvee.build_graph(made.manifest, made.lock)
    assert cuvee.why(graph, "base") == cuvee.why(made, "base")
    with pytest.raises(UsageError):
        cuvee.why(made, "bsae")
    with pytest.raises(TypeError, match="pass one"):
        cuvee.build_graph(made.manifest)


def test_releases_and_paths_are_compared(tmp_path: Path) -> None:
    old = release(tmp_path / "tiny-2026.11.0")
    new = release(tmp_path / "tiny-2026.11.1", "2.0")
    by_value, by_path = cuvee.diff(old, new), cuvee.diff(old.folder, str(new.folder))
    assert [row.package for row in by_value.changes] == [row.package for row in by_path.changes] == ["app"]
    assert list(by_value.to_frame()["package"]) == ["app"]


def test_a_lock_is_read_from_its_file_or_its_release(tmp_path: Path) -> None:
    lock = lock_of(package("a"))
    write_lock(lock, tmp_path / "lock" / "pixi.lock", channels=(), own_channel="https://example.org/own")
    assert cuvee.read_lock(tmp_path) == cuvee.read_lock(tmp_path / "lock" / "pixi.lock") == lock


def test_it_works_where_an_event_loop_is_running(tmp_path: Path) -> None:
    """As in Jupyter: https://github.com/ipython/ipykernel runs each cell inside a loop."""
    tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, ("a 1.0: b", "c 1.0")))

    async def cell() -> Rows[object]:
        return Rows(cuvee.check_channel(tmp_path / "channel", cache=tmp_path / "cache"))

    (result,) = asyncio.run(cell())
    assert result.not_installable  # type: ignore[attr-defined]


def test_without_pandas_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ToolMissingError, match="pandas is not installed") as caught:
        Rows([package("a")]).to_frame()
    assert "cuvee[notebook]" in str(caught.value.hint)
