"""The record of a release: everything that is known of it, typed, from the manifest to the verdict.

``release.json`` in the release folder is this record. The report, the sums, comparisons, and whatever comes
later, read it and nothing else.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Self, TypeVar

from cuvee.approvals.approval_files import approved_subjects, read_approvals, subjects_of
from cuvee.approvals.quorum import ApprovalRequest, Quorum, judge_quorum
from cuvee.build.model import BuiltFrom, BuiltPackage, Irreproducible, NotBuilt, RecipeFacts
from cuvee.channel.model import Absent, Interpreter, TestedWheel
from cuvee.codec import LOCAL, Document, encode, encode_object
from cuvee.conda.project_links import ProjectLink
from cuvee.data_frames import Rows
from cuvee.errors import CuveeError, IntegrityError, InternalError, UsageError
from cuvee.files import fingerprint, sha256_file, storage_errors
from cuvee.graph.certificate import CertifiedRecord
from cuvee.graph.checks import CheckOutcome
from cuvee.graph.diff import Change
from cuvee.graph.findings import Finding, Verdict, worst
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.integration.reference_comparison import RunComparison
from cuvee.lock.model import Lock
from cuvee.manifest.model import (
    Manifest,
    PatchedPackage,
    ReleaseVersion,
    Requirement,
    Waiver,
    WheelRequirement,
)
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record_parts import RECORD

OUTCOME_VERDICTS: Mapping[OutcomeState, Verdict] = {
    OutcomeState.REGRESSION: Verdict.BLOCKED,
    OutcomeState.FAIL: Verdict.BLOCKED,
    OutcomeState.TIMEOUT: Verdict.BLOCKED,
    OutcomeState.INFRA_ERROR: Verdict.BLOCKED,
    OutcomeState.ALWAYS_FAIL: Verdict.WARNING,
    OutcomeState.FLAKY: Verdict.WARNING,
    OutcomeState.NOT_RUN: Verdict.WARNING,
    OutcomeState.QUARANTINED: Verdict.WARNING,
    OutcomeState.WAIVED: Verdict.WAIVED,
    OutcomeState.KNOWN_FAIL: Verdict.INFO,
    OutcomeState.SKIPPED: Verdict.READY,
    OutcomeState.NOT_SUPPORTED: Verdict.READY,
    OutcomeState.PASS: Verdict.READY,
}
"""What an outcome of each state means for the release."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a run ended before its end.

    Attributes
    ----------
    message
        What is wrong; a conflict is explained in several lines.
    hint
        What to do next; may be empty.
    exit_code
        That of the run.
    stage
        The stage that failed, such as ``lock``; empty if it was none, or if the run has not ended.
    """

    message: str
    hint: str = ""
    exit_code: int = 1
    stage: str = ""

    @classmethod
    def of(cls, error: Exception, *, stage: str = "") -> Self:
        """Return what an exception says; one that is not ours is a bug."""
        if isinstance(error, CuveeError):
            message, hint, exit_code = error.message, error.hint or "", error.exit_code
        else:
            message, hint, exit_code = f"{type(error).__name__}: {error}", "", InternalError.exit_code
        return cls(message=message, hint=hint, exit_code=exit_code, stage=stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsolved:
    """Platforms that were left out, because they have no solution.

    Attributes
    ----------
    message
        Why; in several lines.
    hint
        What to do next; may be empty.
    """

    platforms: tuple[str, ...]
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What every stage leaves.

    Attributes
    ----------
    stage
        Its name, unique in a release: ``lock``, ``image-linux-64``.
    inputs
        Hex SHA-256 of everything that the result depends on.
    seconds
        How long the stage took, in the run that did the work.
    reused
        Whether the result is that of an earlier run, since its inputs are unchanged.
    artefacts
        The files to hand out that the stage made.
    """

    stage: str = ""
    inputs: str = ""
    seconds: float = 0.0
    reused: bool = False
    artefacts: tuple[Artefact, ...] = ()


_Result = TypeVar("_Result", bound=StageResult)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelResult(StageResult):
    """The packages that were made for this release.

    Attributes
    ----------
    absent
        The platforms that cannot be made on this host.
    imported
        How many packages were made from wheels.
    patched
        Those of patched wheels, which were tested by themselves.
    """

    absent: tuple[Absent, ...] = ()
    interpreters: tuple[Interpreter, ...] = ()
    imported: int = 0
    patched: tuple[TestedWheel, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult(StageResult):
    """The packages that were built from recipes.

    Attributes
    ----------
    irreproducible
        Those of which two builds differ, if that was checked.
    not_built
        What the manifest requests of recipes, and this machine cannot build.
    unneeded
        Recipes of which neither the manifest nor another recipe needs anything.
    isolated
        Whether builds had no network and could write nowhere else.
    asked
        Names of packages that builds and their tests ask for.
    made_from
        Recipe and sources of each package; empty if an earlier cuvee has built it.
    machine
        The platform of the machine that the run was on; empty if an earlier cuvee has made it.
    """

    packages: tuple[BuiltPackage, ...] = ()
    irreproducible: tuple[Irreproducible, ...] = ()
    not_built: tuple[NotBuilt, ...] = ()
    unneeded: tuple[str, ...] = ()
    isolated: bool = True
    asked: tuple[str, ...] = ()
    made_from: tuple[BuiltFrom, ...] = ()
    machine: str = ""

    @property
    def facts(self) -> RecipeFacts:
        """What checks need to know."""
        return RecipeFacts(
            unneeded=self.unneeded,
            irreproducible=self.irreproducible,
            not_built=self.not_built,
            asked=self.asked,
            built=tuple(f"{item.stem}@{item.subdir}" for item in self.packages),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LockResult(StageResult):
    """The closure on each platform."""

    lock: Lock


@dataclass(frozen=True, slots=True, kw_only=True)
class MetapackageResult(StageResult):
    """The packages by which users stay on the release, on all platforms."""

    records: tuple[CertifiedRecord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFacts:
    """What is kept of one archive that was looked into.

    Attributes
    ----------
    sha256
        Of the archive.
    files, unpacked
        Files, and the bytes that they have.
    links
        Where its project is on the web, as its metadata says.
    """

    sha256: str
    files: int
    unpacked: int
    links: tuple[ProjectLink, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult(StageResult):
    """What the checks found.

    ``archives`` is sorted by hash; empty if no archive was looked into.
    """

    outcomes: tuple[CheckOutcome, ...] = ()
    archives: tuple[ArchiveFacts, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageResult(StageResult):
    """The image of one platform.

    Attributes
    ----------
    manifest_sha256, stage0_sha256, payload_sha256
        Hex digests of its three files.
    files, raw_size
        Files and bytes of the prefix that it becomes.
    """

    platform: str
    manifest_sha256: str
    stage0_sha256: str
    payload_sha256: str
    files: int
    raw_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallerResult(StageResult):
    """One installer of one platform, or the project from which constructor makes its installers."""

    platform: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult(StageResult):
    """The outcomes on one platform."""

    __test__ = False

    run: PlatformRun


@dataclass(frozen=True, kw_only=True)
class Release:
    """One release: what was intended, what each stage left, and the verdict.

    Attributes
    ----------
    manifest
        The evaluated manifest, inheritance resolved; its files are named without their folders.
    additions
        What cuvee requests for its own needs, each with its reason.
    base
        The name of the release that it is based on, such as ``starter-2026.10.2``.
    built
        `None` if the manifest has no recipes.
    metapackages
        `None` if the run ended before they were made, or if an earlier cuvee cut the release.
    checked
        `None` if the run ended before the checks.
    tested
        What became of the checks of what was tested; empty if the run ended before the tests.
    compared
        What the outcomes of each platform that was tested were compared with.
    unsolved
        The platforms without a solution, if the run was to keep going; they are `unlocked`.
    changes
        What differs from ``base``; `None` without one, or if its lock is not at hand.
    verdict
        The worst of findings, outcomes, platforms that are missing or were not tested, and approvals that are
        missing. ``release.json`` has the verdict without any approval.
    made_at
        When it was cut; aware.
    tools
        The versions of what made it, by name.
    folder
        The release folder, where it is on this machine; not in ``release.json``.
    quorums
        How far the quorum of each policy of approvals is reached; not in ``release.json``.
    """

    manifest: Manifest
    base: str | None = None
    additions: tuple[Requirement, ...] = ()
    channel: ChannelResult
    built: BuildResult | None = None
    locked: LockResult
    metapackages: MetapackageResult | None = None
    unsolved: tuple[Unsolved, ...] = ()
    checked: CheckResult | None = None
    images: tuple[ImageResult, ...] = ()
    installers: tuple[InstallerResult, ...] = ()
    tests: tuple[TestResult, ...] = ()
    tested: tuple[CheckOutcome, ...] = ()
    compared: tuple[RunComparison, ...] = ()
    changes: tuple[Change, ...] | None = None
    failure: Failure | None = None
    verdict: Verdict = Verdict.BLOCKED
    made_at: dt.datetime
    tools: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default=Path(), metadata=LOCAL)
    quorums: tuple[Quorum, ...] = field(default=(), metadata=LOCAL)

    @classmethod
    def open(
        cls, folder: Path | str, *, today: dt.date | None = None, revoked: frozenset[str] = frozenset()
    ) -> Self:
        """Return the release that a release folder holds, judged with the approvals that are there.

        Parameters
        ----------
        today
            The day on which keys of approvals must count; by default that of the clock.
        revoked
            Fingerprints of keys whose approvals do not count.

        Raises
        ------
        UsageError
            If no release has been cut there.
        IntegrityError
            If ``release.json`` is not what cuvee writes, or its verdict does not follow from the rest of it.
        """
        folder = Path(folder)
        if not (folder / RECORD).is_file():
            raise UsageError(
                f"No release has been cut in {folder}: there is no {RECORD}",
                hint="Run `cuvee release MANIFEST` first.",
            )
        with storage_errors(folder):
            data = (folder / RECORD).read_bytes()
        release = replace(cls.from_bytes(data, source=str(folder / RECORD)), folder=folder)
        return with_quorums(release, today or dt.datetime.now(dt.UTC).date(), revoked=revoked)

    @classmethod
    def from_bytes(cls, data: bytes, *, source: str = RECORD) -> Self:
        """Return the release that a record describes, judged without any approval.

        Raises
        ------
        IntegrityError
            If it is not what cuvee writes, or its verdict does not follow from the rest of it.
        """
        release = Document(name="release", kind=cls).from_bytes(data, source=source)
        if release.verdict is not judge(release):
            raise IntegrityError(
                f"{source} says {release.verdict.value}, and what it records is {judge(release).value}",
                hint="It was changed, or written by another version of cuvee; run `cuvee release` again.",
            )
        return release

    def verify_artefacts(self) -> None:
        """Raise if the folder has other artefacts than those that are recorded; files may be missing.

        A later ``cuvee lock``, or a run that was killed, leaves files that this record is not about.

        Raises
        ------
        IntegrityError
            If a file does not have the recorded hash.
        """
        for item in self.artefacts:
            path = self.folder / item.path
            if item.not_made is None and path.is_file() and sha256_file(path) != item.sha256:
                raise IntegrityError(
                    f"{path} is not the file that {RECORD} records",
                    hint="It was made again or changed since; run `cuvee release` on the manifest.",
                )

    def save(self) -> None:
        """Write ``release.json`` into the release folder."""
        Document(name="release", kind=type(self)).write(self.folder / RECORD, self)

    @property
    def exit_code(self) -> int:
        """The exit code of the run: that of its failure, or of the verdict."""
        return self.failure.exit_code if self.failure is not None else self.verdict.exit_code

    @property
    def name(self) -> str:
        """``starter-2026.11.0``."""
        return self.manifest.release_name

    @property
    def lock(self) -> Lock:
        """The closure on each platform."""
        return self.locked.lock

    @cached_property
    def graph(self) -> ReleaseGraph:
        """The release graph, built from the lock."""
        graph = build_graph(self.manifest, self.lock, self.absent, additions=self.additions)
        return replace(graph, recipes=self.built.facts if self.built is not None else None)

    @property
    def absent(self) -> tuple[Absent, ...]:
        """The platforms that the manifest wants and that are not in the release, with the reasons."""
        return self.channel.absent

    @property
    def checks(self) -> tuple[CheckOutcome, ...]:
        """What became of each check."""
        return (*(self.checked.outcomes if self.checked is not None else ()), *self.tested)

    @property
    def findings(self) -> Rows[Finding]:
        """What the checks found, in the order of the checks."""
        return Rows(finding for outcome in self.checks for finding in outcome.findings)

    @property
    def runs(self) -> tuple[PlatformRun, ...]:
        """The test run of each platform."""
        return tuple(result.run for result in self.tests)

    @property
    def outcomes(self) -> Rows[TestOutcome]:
        """The outcome of each test on each platform."""
        return Rows(outcome for run in self.runs for outcome in run.outcomes)

    @property
    def stages(self) -> tuple[StageResult, ...]:
        """The results of the stages, in the order of the flow."""
        built = filter(None, (self.built,))
        after_lock = filter(None, (self.metapackages, self.checked))
        return (self.channel, *built, self.locked, *after_lock, *self.images, *self.installers, *self.tests)

    def with_reused(self, stages: Collection[str]) -> Self:
        """Return this with the stages of these names, and no others, as reused from an earlier run."""

        def one(item: _Result) -> _Result:
            return replace(item, reused=item.stage in stages)

        return replace(
            self,
            channel=one(self.channel),
            built=one(self.built) if self.built is not None else None,
            locked=one(self.locked),
            metapackages=one(self.metapackages) if self.metapackages is not None else None,
            checked=one(self.checked) if self.checked is not None else None,
            images=tuple(map(one, self.images)),
            installers=tuple(map(one, self.installers)),
            tests=tuple(map(one, self.tests)),
        )

    @property
    def artefacts(self) -> Rows[Artefact]:
        """The files that the release hands out, and those that were not made."""
        return Rows(artefact for result in self.stages for artefact in result.artefacts)

    @property
    def inputs_hash(self) -> str:
        """Hex SHA-256 of all that the release was made from."""
        return fingerprint([encode(self.manifest), [result.inputs for result in self.stages]])

    @property
    def handed_out(self) -> tuple[Artefact, ...]:
        """The artefacts that a desktop gets: installers, or images where there are none."""
        kinds = {ArtefactKind.INSTALLER, ArtefactKind.IMAGE}
        return tuple(artefact for artefact in self.artefacts if artefact.kind in kinds)

    @property
    def failed(self) -> tuple[str, ...]:
        """The platforms for which making an artefact failed."""
        failed = (item.platform for item in self.artefacts if item.not_made and item.not_made.failed)
        return tuple(dict.fromkeys(filter(None, failed)))

    @property
    def unlocked(self) -> tuple[str, ...]:
        """The platforms that the manifest wants, that have no lock, and that nothing declares absent."""
        known = {*self.lock.by_platform, *(absent.platform for absent in self.absent)}
        return tuple(entry.name for entry in self.manifest.present_platforms if entry.name not in known)


_Release = TypeVar("_Release", bound=Release)


def approval_request(
    release: Release,
    day: dt.date,
    *,
    revoked: frozenset[str] = frozenset(),
    sums: Mapping[str, str] | None = None,
) -> ApprovalRequest:
    """Return what is to be approved of a release with these sums, or of one in its folder."""
    manifest = encode_object(release.manifest)
    accepted = {Verdict.WAIVED, Verdict.NEEDS_APPROVAL}
    checks = {finding.check for finding in release.findings if finding.verdict in accepted}
    tests = {f"{item.suite}/{item.test}" for item in release.outcomes if item.state is OutcomeState.WAIVED}
    return ApprovalRequest(
        release=release.name,
        subjects=approved_subjects(release.folder, manifest) if sums is None else subjects_of(sums, manifest),
        level=release_level(release),
        accepted=tuple(sorted(checks | tests)),
        day=day,
        revoked=revoked,
    )


def release_level(release: Release) -> str:
    """Return the first part of the release's number that differs from the base's; ``year`` without a base."""
    version = release.manifest.version
    if release.base is None:
        return "year"
    base = ReleaseVersion.parse(release.base.rpartition("-")[2])
    if version.year != base.year:
        return "year"
    return "patch" if version.month == base.month else "month"


def with_quorums(
    release: _Release,
    day: dt.date,
    *,
    revoked: frozenset[str] = frozenset(),
    files: Sequence[tuple[str, bytes]] | None = None,
) -> _Release:
    """Return the release judged with approvals: those of ``files``, or those in its folder."""
    if not release.manifest.policy.approval_policies:
        return replace(release, verdict=judge(release))
    request = approval_request(release, day, revoked=revoked)
    files = read_approvals(release.folder) if files is None else files
    policies = release.manifest.policy.approval_policies
    judged = replace(release, quorums=tuple(judge_quorum(policy, request, files) for policy in policies))
    return replace(judged, verdict=judge(judged))


def judge(release: Release) -> Verdict:
    """Return the verdict of a release, with the approvals that its policy needs."""
    policies, quorums = release.manifest.policy.approval_policies, release.quorums
    is_approved = not policies or (len(quorums) == len(policies) and all(q.is_reached for q in quorums))
    return worst([judge_content(release), *(() if is_approved else (Verdict.NEEDS_APPROVAL,))])


def judge_content(release: Release) -> Verdict:
    """Return the verdict of what is in a release, which is never better than what is known of it.

    A platform without a lock, or one that could not be built, blocks, and so does a release without any. What
    was not checked must be approved. A platform that was not tested is a warning, since not-run is not pass.
    """
    if release.failure is not None:
        return Verdict.BLOCKED
    if release.unlocked or release.failed or not release.lock.platforms:
        return Verdict.BLOCKED
    tested = {run.platform for run in release.runs if run.not_run is None}
    return worst(
        [
            *(() if release.checked is not None else (Verdict.NEEDS_APPROVAL,)),
            *(finding.verdict for finding in release.findings),
            *(OUTCOME_VERDICTS[outcome.state] for outcome in release.outcomes),
            *(Verdict.WARNING for platform in release.lock.by_platform if platform not in tested),
        ]
    )


_Positioned = TypeVar("_Positioned", Requirement, WheelRequirement, PatchedPackage, Waiver)


def portable(manifest: Manifest) -> Manifest:
    """Return a manifest as a release records it: without folders of this machine, and without its base."""

    def located(item: _Positioned) -> _Positioned:
        return replace(item, position=replace(item.position, file=Path(item.position.file.name)))

    branding = manifest.installers.branding
    return replace(
        manifest,
        path=Path(manifest.path.name),
        base=None,
        sources={},
        packages=tuple(map(located, manifest.packages)),
        constraints=tuple(map(located, manifest.constraints)),
        wheels=tuple(map(located, manifest.wheels)),
        patched=tuple(map(located, manifest.patched)),
        waivers=tuple(map(located, manifest.waivers)),
        installers=replace(manifest.installers, branding=Path(branding.name) if branding else None),
    )
