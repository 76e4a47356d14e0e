"""How far checks go into archives: not at all, as far as they are at hand, or to the last one."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from checked_sets import lock_of, manifest_of, package
from cuvee.channel.inspection import ArchiveContents
from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.conda.package_archive import archive_hashes
from cuvee.errors import SourceUnreachableError
from cuvee.graph.checks import ARCHIVE_CHECKS, CheckOutcome, Status
from cuvee.graph.findings import Finding
from cuvee.lock.model import Lock
from cuvee.progress import SILENT
from cuvee.release.check_stage import ArchiveAccess, read_archives, run_selected
from cuvee.release.record import ChannelResult, LockResult
from cuvee.release.session import Options, Session


@pytest.fixture
def session(tmp_path: Path) -> Session:
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    options = Options(dist=tmp_path / "dist", cache=tmp_path / "cache", now=now)
    session = Session(manifest_of(), options, SILENT)
    session.workspace.folder.mkdir(parents=True)
    return session


@pytest.fixture
def lock(session: Session) -> Lock:
    content = PackageContent(
        name="a",
        version="1.0",
        build="0",
        subdir="linux-64",
        timestamp=0,
        files=(PackageFile(path="share/a", content=b"a"),),
    )
    path = write_package(content, session.workspace.channel / "linux-64")
    sha256, md5, size = archive_hashes(path)
    return lock_of(replace(package("a"), sha256=sha256, md5=md5, size=size, timestamp=0, license=None))


def archive(session: Session) -> Path:
    return session.workspace.channel / "linux-64" / "a-1.0-0.conda"


def look(session: Session, lock: Lock, access: ArchiveAccess) -> ArchiveContents | None:
    found = read_archives(session, lock, access)
    if found is None:
        return None
    facts = found["a-1.0-0@linux-64"]
    assert isinstance(facts, ArchiveContents)
    return facts


def checked(session: Session, lock: Lock, access: ArchiveAccess) -> tuple[CheckOutcome, ...]:
    """What the checks find, as a new run would."""
    fresh = Session(session.manifest, session.options, SILENT)
    left_out = {"licenses"}  # so that nothing is written
    locked = LockResult(lock=lock)
    return run_selected(fresh, ChannelResult(), locked, access=access, left_out=left_out).outcomes


def _findings(session: Session, lock: Lock) -> tuple[Finding, ...]:
    """What the check of archives finds; all other checks must have run."""
    results = checked(session, lock, ArchiveAccess.FETCH)
    assert {item.status for item in results if item.identifier in {"closure", "timestamps"}} == {Status.PASS}
    return next(item.findings for item in results if item.identifier == "archives")


def test_what_is_at_hand_is_opened(session: Session, lock: Lock) -> None:
    facts = look(session, lock, ArchiveAccess.AT_HAND)
    assert facts is not None
    assert [file.path for file in facts.files] == ["share/a"]
    assert look(session, lock, ArchiveAccess.REQUIRE) == facts
    assert look(session, lock, ArchiveAccess.NONE) is None


def test_what_is_missing_is_not_fetched_unless_asked_for(session: Session, lock: Lock) -> None:
    archive(session).unlink()
    assert look(session, lock, ArchiveAccess.AT_HAND) is None
    with pytest.raises(SourceUnreachableError):
        look(session, lock, ArchiveAccess.REQUIRE)


def test_an_archive_that_is_gone_or_another_is_a_finding_to_those_who_ask(
    session: Session, lock: Lock
) -> None:
    archive(session).write_bytes(b"another")
    (changed,) = _findings(session, lock)
    archive(session).unlink()
    (gone,) = _findings(session, lock)
    assert changed.cause == gone.cause == "The archive of a-1.0-0 cannot be read"
    assert changed.evidence[0].startswith("a-1.0-0.conda is not what the lock names")
    assert gone.evidence[0].startswith("The archive of a-1.0-0@linux-64 is missing")
    assert gone.victims == ("a-1.0-0@linux-64",)


def test_what_was_read_once_needs_no_archive(session: Session, lock: Lock) -> None:
    facts = look(session, lock, ArchiveAccess.AT_HAND)
    archive(session).unlink()
    assert facts is not None
    assert look(session, lock, ArchiveAccess.AT_HAND) == look(session, lock, ArchiveAccess.REQUIRE) == facts


def test_all_platforms_or_none(session: Session, lock: Lock) -> None:
    other = package("b", platform="win-64")
    both = Lock(platforms=(*lock.platforms, *lock_of(other).platforms))
    assert look(session, both, ArchiveAccess.AT_HAND) is None


def test_the_check_stage_runs_what_it_has_facts_for(session: Session, lock: Lock) -> None:
    session.workspace.lock_file.parent.mkdir()
    session.workspace.lock_file.write_text("", encoding="utf-8")

    def statuses(results: tuple[CheckOutcome, ...]) -> set[Status]:
        known = {check.identifier for check in ARCHIVE_CHECKS} - {"system-floor"}
        return {result.status for result in results if result.identifier in known}

    assert statuses(checked(session, lock, ArchiveAccess.AT_HAND)) == {Status.PASS}
    assert statuses(checked(session, lock, ArchiveAccess.NONE)) <= {Status.SKIPPED}
