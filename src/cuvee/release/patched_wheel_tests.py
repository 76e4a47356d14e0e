"""Patched wheels are tested by themselves, in fresh environments, before their packages enter the channel."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from time import monotonic

from packaging.utils import canonicalize_name

from cuvee.build.archive_tests import run_archive_tests
from cuvee.build.build_journal import BuildJournal
from cuvee.build.cross_building import BuildTarget
from cuvee.build.environments import link_or_copy
from cuvee.build.fixed_folder import fixed_folder
from cuvee.build.rattler_engine import RattlerEngine
from cuvee.channel.connection import connect
from cuvee.channel.model import TestedWheel
from cuvee.channel.wheels.model import ImportedPackage
from cuvee.conda.package_record import LockedPackage
from cuvee.files import fingerprint, sha256_file, write_text
from cuvee.integration.runners.isolation import strongest_isolation
from cuvee.manifest.model import PlatformEntry
from cuvee.platforms import host
from cuvee.release.build_environments import ReleaseEnvironments
from cuvee.release.build_isolation import isolated_by
from cuvee.release.imported_channel import ImportedChannel
from cuvee.release.session import Session
from cuvee.temporary_folders import temporary_folder

TESTED = "patched"
"""The folder of the cache with the logs of tests that have passed."""


def tested_wheels(
    session: Session, imported: Iterable[ImportedPackage], channel: Path, platforms: Sequence[str]
) -> tuple[TestedWheel, ...]:
    """Run the imports and the tests of each patched wheel with the versions of the release, and nothing else.

    Parameters
    ----------
    imported
        What was made of wheels.
    channel
        The folder that will be the release's channel if all is well, with its repodata.

    Raises
    ------
    BlockedError
        If tests fail, or an environment has no solution.
    """
    names = {canonicalize_name(name) for name in session.patched_wheels}
    patched = [item for item in imported if canonicalize_name(item.name) in names]
    if not patched:
        return ()
    machine = host()
    entry = next(
        (item for item in session.manifest.present_platforms if machine and item.name == machine.name), None
    )
    if entry is None or entry.name not in platforms:
        reason = f"this run does not make {machine.name if machine else 'the platform of this machine'}"
        return tuple(_not_tested(session, item, reason) for item in patched)
    here = [item for item in patched if entry.name in item.platforms]
    elsewhere = [item for item in patched if entry.name not in item.platforms]
    with temporary_folder("patched-tests") as root:
        source = _environments(session, entry, channel, root)
        found = [_tested(session, item, source) for item in here]
    reason = f"it is not for {entry.name}, the platform of this machine"
    return (*found, *(_not_tested(session, item, reason) for item in elsewhere))


def _environments(session: Session, entry: PlatformEntry, channel: Path, root: Path) -> ReleaseEnvironments:
    copy = ImportedChannel(root=root)
    for path in channel.glob("*/*"):
        link_or_copy(path, copy.folder / path.parent.name / path.name)
    return ReleaseEnvironments(session, entry, copy, connect(session.workspace.cache, session.reporter))


def _tested(session: Session, item: ImportedPackage, source: ReleaseEnvironments) -> TestedWheel:
    purpose = f"the tests of {item.name} with its patches"
    spec = f"{item.name} =={item.version} {item.build}"
    packages = source.resolve([spec], source.platform, purpose=purpose, built=None)
    needed = [package for package in packages if package.name != item.name]
    engine, sha256 = RattlerEngine(), sha256_file(item.archive)
    key = fingerprint([sha256, sorted(package.sha256 for package in needed), engine.version])
    identifier = f"{item.name}-{item.version}-{item.build}@{item.subdir}"
    log, kept = (
        session.workspace.builds / f"{identifier}.log",
        session.workspace.cache / TESTED / f"{key}.log",
    )
    started = monotonic()
    if not kept.is_file():
        task = f"Test {item.name} with its patches"
        session.reporter.start(task)
        write_text(kept, _run(session, item, identifier, needed, source=source, key=key))
        session.reporter.finish(task)
    link_or_copy(kept, log)
    return TestedWheel(package=identifier, seconds=round(monotonic() - started, 3))


def _run(
    session: Session,
    item: ImportedPackage,
    identifier: str,
    needed: Sequence[LockedPackage],
    *,
    source: ReleaseEnvironments,
    key: str,
) -> str:
    """Run a package's tests; return what they have said."""
    patch = next(one for one in session.patches if one.package.wheel == item.wheel)
    journal = BuildJournal(
        identifier=identifier,
        subject=f"{item.name} with the patches of {patch.package.position}",
        target=BuildTarget(platform=source.platform),
        isolate=isolated_by(strongest_isolation(), session.options.secrets),
        logs=session.workspace.builds,
    )
    archives = source.archives(needed)
    with fixed_folder(key) as path:
        run_archive_tests(
            item.archive,
            subdir=item.subdir,
            environment=[(package.subdir, archives[package.identifier]) for package in needed],
            request=RattlerEngine().archive_request,
            path=path / "test",
            journal=journal,
        )
    return journal.text


def _not_tested(session: Session, item: ImportedPackage, reason: str) -> TestedWheel:
    identifier = f"{item.name}-{item.version}-{item.build}@{item.subdir}"
    session.reporter.warn(f"{identifier} has patches and was not tested: {reason}")
    return TestedWheel(package=identifier, not_tested=reason)
