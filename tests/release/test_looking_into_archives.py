"""How far checks go into archives: not at all, as far as they are at hand, or to the last one."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from checked_sets import lock_of, manifest_of, package
from cuvee.channel.inspection import ArchiveContents
from cuvee.channel.package_writer import PackageContent, PackageFile, archive_hashes, write_package
from cuvee.errors import SourceUnreachableError
from cuvee.graph.checks import ARCHIVE_CHECKS, CheckOutcome, Status
from cuvee.graph.findings import Finding
from cuvee.lock.model import Lock
from cuvee.release.artefacts import Archives
from cuvee.release.context import Context
from cuvee.release.facts import Look, look_into
from cuvee.release.packages import check_stage
from cuvee.release.workspace import Workspace


@pytest.fixture
def context(tmp_path: Path) -> Context:
    workspace = Workspace(tmp_path / "dist" / "tiny-2026.11.0", tmp_path / "cache")
    workspace.folder.mkdir(parents=True)
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    return Context(manifest=manifest_of(), workspace=workspace, platforms=("linux-64",), now=now)


@pytest.fixture
def lock(context: Context) -> Lock:
    content = PackageContent(
        name="a",
        version="1.0",
        build="0",
        subdir="linux-64",
        timestamp=0,
        files=(PackageFile(path="share/a", content=b"a"),),
    )
    path = write_package(content, context.workspace.channel / "linux-64")
    sha256, md5, size = archive_hashes(path)
    return lock_of(replace(package("a"), sha256=sha256, md5=md5, size=size, timestamp=0, license=None))


def archive(context: Context) -> Path:
    return context.workspace.channel / "linux-64" / "a-1.0-0.conda"


def look(context: Context, lock: Lock, how: Look) -> ArchiveContents | None:
    found = look_into(context, lock, Archives(context), how)
    if found is None:
        return None
    facts = found["a-1.0-0@linux-64"]
    assert isinstance(facts, ArchiveContents)
    return facts


def _findings(context: Context, lock: Lock) -> tuple[Finding, ...]:
    """What the check of archives finds; all other checks must have run."""
    facts = look_into(context, lock, Archives(context), Look.FETCH, strict=False)
    results = check_stage(context, lock, (), facts=facts, left_out={"licenses"})
    assert {item.status for item in results if item.identifier in {"closure", "timestamps"}} == {Status.PASS}
    return next(item.findings for item in results if item.identifier == "archives")


def test_what_is_at_hand_is_opened(context: Context, lock: Lock) -> None:
    facts = look(context, lock, Look.AT_HAND)
    assert facts is not None
    assert [file.path for file in facts.files] == ["share/a"]
    assert look(context, lock, Look.FETCH) == facts
    assert look(context, lock, Look.NOT) is None


def test_what_is_missing_is_not_fetched_unless_asked_for(context: Context, lock: Lock) -> None:
    archive(context).unlink()
    assert look(context, lock, Look.AT_HAND) is None
    with pytest.raises(SourceUnreachableError):
        look(context, lock, Look.FETCH)


def test_an_archive_that_is_gone_or_another_is_a_finding_to_those_who_ask(
    context: Context, lock: Lock
) -> None:
    archive(context).write_bytes(b"another")
    (changed,) = _findings(context, lock)
    archive(context).unlink()
    (gone,) = _findings(context, lock)
    assert changed.cause == gone.cause == "The archive of a-1.0-0 can not be read"
    assert changed.evidence[0].startswith("a-1.0-0.conda is not what the lock names")
    assert gone.evidence[0].startswith("The archive of a-1.0-0@linux-64 is gone")
    assert gone.victims == ("a-1.0-0@linux-64",)


def test_what_was_read_once_needs_no_archive(context: Context, lock: Lock) -> None:
    facts = look(context, lock, Look.AT_HAND)
    archive(context).unlink()
    assert facts is not None
    assert look(context, lock, Look.AT_HAND) == look(context, lock, Look.FETCH) == facts


def test_all_platforms_or_none(context: Context, lock: Lock) -> None:
    other = package("b", platform="win-64")
    both = Lock(platforms=(*lock.platforms, *lock_of(other).platforms))
    assert look(context, both, Look.AT_HAND) is None


def test_the_check_stage_runs_what_it_has_facts_for(context: Context, lock: Lock) -> None:
    context.workspace.lock_file.parent.mkdir()
    context.workspace.lock_file.write_text("", encoding="utf-8")

    def statuses(results: tuple[CheckOutcome, ...]) -> set[Status]:
        known = {check.identifier for check in ARCHIVE_CHECKS} - {"system-floor"}
        return {result.status for result in results if result.identifier in known}

    facts = look_into(context, lock, Archives(context), Look.AT_HAND)
    left_out = {"licenses"}  # so that nothing is written
    assert statuses(check_stage(context, lock, (), facts=facts, left_out=left_out)) == {Status.PASS}
    assert statuses(check_stage(context, lock, (), left_out=left_out)) == {Status.SKIPPED}
