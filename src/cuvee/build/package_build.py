"""Building one package: in isolation, then tested in a fresh environment, then kept."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from cuvee.build.archive_tests import prepared_folder, run_archive_tests
from cuvee.build.build_journal import BuildJournal, Isolate
from cuvee.build.cross_building import BuildTarget
from cuvee.build.engine import BuildEngine
from cuvee.build.environments import write_build_channel
from cuvee.build.fixed_folder import fixed_folder
from cuvee.build.kept_builds import BuildCache
from cuvee.build.model import BuiltPackage, Irreproducible, KeyParts, Output
from cuvee.build.normalized_package import normalized
from cuvee.build.other_machines import check_machine
from cuvee.build.patched_recipes import check_patches, write_patches
from cuvee.build.reproducibility import different_files
from cuvee.build.source_files import epoch_of
from cuvee.conda.package_info import read_index
from cuvee.files import sha256_file


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildTask:
    """All that building one package needs; it can be sent to another process.

    Attributes
    ----------
    question
        What decided its environments, as `KeptBuild` has it.
    machine, target
        The platform of this machine, and the one that is built for.
    archives
        The packages of build and host environment, and of the test environment, each with its subdir.
    sources
        The verified files of its sources, by SHA-256.
    logs
        The folder for the logs of builds that fail.
    check_reproducible
        Whether to build it twice.
    may_be_elsewhere
        Whether another machine may build it, which is checked before.
    """

    output: Output
    key: str
    parts: KeyParts
    question: str
    machine: str
    target: BuildTarget
    engine: BuildEngine
    archives: tuple[tuple[str, Path], ...]
    test_archives: tuple[tuple[str, Path], ...]
    compilers: Mapping[str, str]
    sources: Mapping[str, Path]
    cache: Path
    logs: Path
    isolate: Isolate
    check_reproducible: bool = False
    may_be_elsewhere: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOutcome:
    """What came of a task."""

    package: BuiltPackage
    irreproducible: Irreproducible | None = None


def build_package(task: BuildTask) -> BuildOutcome:
    """Build, test and keep a package.

    Raises
    ------
    BlockedError
        If it cannot be built, or its tests fail; the message has the end of the log.
    """
    if task.may_be_elsewhere:
        archives = (*task.archives, *task.test_archives)
        files = [*(path for _, path in archives), *task.sources.values()]
        platform, machine = task.target.platform, task.machine
        check_machine(task.output.recipe, files, task.compilers, platform=platform, machine=machine)
    started = monotonic()
    output = task.output
    journal = BuildJournal(
        identifier=output.identifier,
        subject=f"{output.name}, {output.recipe.file}",
        target=task.target,
        isolate=task.isolate,
        logs=task.logs,
    )
    cache = BuildCache(task.cache)
    with fixed_folder(task.key) as path:
        # Another process may have built it while this one waited.
        kept = None if task.check_reproducible else cache.find(task.key)
        if kept is not None:
            cache.make_latest(kept, task.question)
            return BuildOutcome(package=kept)
        archive = _built(task, path, journal, "build")
        other = _built(task, path, journal, "again") if task.check_reproducible else None
        differing = different_files(archive, other) if other is not None else ()
        sha256 = sha256_file(archive)
        not_tested = _tested(task, archive, path, journal)
        if sha256_file(archive) != sha256:
            raise journal.error("The tests have changed the archive that they test")
        package = BuiltPackage(
            recipe=task.output.recipe.name,
            name=task.output.name,
            version=task.output.version,
            build=task.output.build,
            subdir=task.output.subdir,
            file_name=archive.name,
            sha256=sha256,
            key=task.key,
            seconds=round(monotonic() - started, 3),
            not_tested=not_tested,
        )
        cache.keep(archive, journal.text, package, task.parts, task.question)
    found = Irreproducible(package=task.output.identifier, files=differing) if differing else None
    return BuildOutcome(package=package, irreproducible=found)


def _built(task: BuildTask, path: Path, journal: BuildJournal, purpose: str) -> Path:
    """Return the archive that a build in a new folder makes, normalised; it is outside of that folder."""
    epoch = epoch_of(task.sources.values())
    folder = prepared_folder(path / "work", task.sources, epoch)
    shutil.copytree(task.output.recipe.folder, folder.recipe)
    check_patches(task.output, task.sources)
    write_patches(folder.recipe, task.output.recipe)
    write_build_channel(folder, task.archives, task.target.platform, task.machine, task.compilers)
    journal.run(task.engine.build_request(task.output, folder), folder.path, "build")
    made = sorted(folder.output.glob(f"{task.output.subdir}/*.conda"))
    if len(made) != 1:
        raise journal.error(f"The build made {len(made)} packages, not one")
    unpacked, target = path / "files", path / purpose
    unpacked.mkdir()
    archive = normalized(
        made[0], target, task.output.recipe, epoch=epoch, build_folder=folder.path, work=unpacked
    )
    shutil.rmtree(unpacked)
    shutil.rmtree(folder.path)
    index = read_index(archive)
    stated = (task.output.name, task.output.version, task.output.build, task.output.subdir)
    if (index.name, index.version, index.build, index.subdir) != stated:
        raise journal.error(f"The build made {index.name} {index.version} {index.build} for {index.subdir}")
    return archive


def _tested(task: BuildTask, archive: Path, path: Path, journal: BuildJournal) -> str:
    """Run a package's tests, or return why they cannot be run here."""
    if task.target.not_run:
        journal.text += f"=== {task.output.identifier} was not tested: {task.target.not_run} ===\n"
        return task.target.not_run
    run_archive_tests(
        archive,
        subdir=task.output.subdir,
        environment=task.test_archives,
        request=lambda copy, folder: task.engine.test_request(task.output, copy, folder),
        path=path / "test",
        journal=journal,
    )
    return ""
