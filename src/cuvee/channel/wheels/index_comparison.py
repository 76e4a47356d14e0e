"""What the Python index says today of wheels that were imported earlier: yanked, replaced, or gone.

uv is asked again for just these versions, since only it knows which index is configured. It states files
and hashes in a ``pylock.toml``. That has no field for yanked files, so these are read from uv's warnings.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cuvee.channel.source_comparison import ChangedPackage, NotCompared, SourceChange, SourceComparison
from cuvee.channel.wheels import uv
from cuvee.channel.wheels.index_questions import IndexQuestion
from cuvee.channel.wheels.model import PinnedWheel, ResolutionTarget
from cuvee.channel.wheels.resolution_errors import is_unsolved, resolution_error
from cuvee.channel.wheels.resolve import wheel_file_name
from cuvee.channel.wheels.wheel_archive import WheelName
from cuvee.conda.package_archive import read_info_files
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import BlockedError, CuveeError, IntegrityError
from cuvee.files import parse_json
from cuvee.process import Completed

INDEX = "the Python index"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedWheel:
    """The wheel that a locked package was made of."""

    package: LockedPackage
    name: WheelName
    sha256: str


def imported_wheel(package: LockedPackage, archive: Path) -> ImportedWheel | None:
    """Return the wheel that a package of the release's own channel was made of; `None` if of none.

    Raises
    ------
    IntegrityError
        If the archive cannot be read.
    """
    data = read_info_files(archive, ("about.json",)).get("about.json", b"{}")
    try:
        about = parse_json(data)
    except ValueError as error:
        raise IntegrityError(f"{archive.name}: info/about.json cannot be read: {error}") from None
    made_of = about.get("cuvee") if isinstance(about, dict) else None
    if not isinstance(made_of, dict):
        return None
    name = WheelName.parse(str(made_of.get("wheel", "")))
    return ImportedWheel(package=package, name=name, sha256=str(made_of.get("sha256", "")))


def compare_with_index(
    wheels: Sequence[ImportedWheel],
    targets: Sequence[ResolutionTarget],
    answer: Callable[[IndexQuestion], Completed] = IndexQuestion.ask,
    told: Mapping[str, Sequence[PinnedWheel]] = MappingProxyType({}),
) -> SourceComparison:
    """Compare imported wheels with what the index has today, each platform for its own target.

    Parameters
    ----------
    answer
        Returns uv's answer to a question.
    told
        What the index has told of wheels in this run, by platform: for these it is not asked again.
    """

    def one(target: ResolutionTarget) -> list[ChangedPackage | NotCompared]:
        here = _of_platform(wheels, target)
        known = {(item.file_name, item.sha256): item.yanked for item in told.get(target.platform, ())}
        left = [wheel for wheel in here if (wheel.name.file_name, wheel.sha256) not in known]
        found = list(_compare(left, target, answer)) if left else []
        for wheel in here:
            if (reason := known.get((wheel.name.file_name, wheel.sha256))) is not None:
                found.append(_yanked(wheel, reason))
        places = {wheel.package.identifier: place for place, wheel in enumerate(here)}
        return sorted(
            found,
            key=lambda item: places[item.package.identifier] if isinstance(item, ChangedPackage) else -1,
        )

    with ThreadPoolExecutor(max(len(targets), 1)) as pool:
        found = [item for answer in pool.map(one, targets) for item in answer]
    known = {target.platform for target in targets}
    left = tuple(wheel.package.identifier for wheel in wheels if wheel.package.platform not in known)
    if left:
        found.append(NotCompared(source=INDEX, reason="their Python is not known", packages=left))
    return SourceComparison(
        changed=tuple(item for item in found if isinstance(item, ChangedPackage)),
        not_compared=tuple(item for item in found if isinstance(item, NotCompared)),
    )


def question_about(wheels: Sequence[ImportedWheel], target: ResolutionTarget) -> IndexQuestion | None:
    """Return the question about all wheels of a platform; `None` if it has none."""
    here = _of_platform(wheels, target)
    return IndexQuestion(lines=_lines(here), target=target) if here else None


def _of_platform(wheels: Sequence[ImportedWheel], target: ResolutionTarget) -> list[ImportedWheel]:
    return [wheel for wheel in wheels if wheel.package.platform == target.platform]


def _lines(wheels: Sequence[ImportedWheel]) -> tuple[str, ...]:
    return tuple(f"{wheel.name.name}=={wheel.name.version}" for wheel in wheels)


def _compare(
    wheels: Sequence[ImportedWheel], target: ResolutionTarget, answer: Callable[[IndexQuestion], Completed]
) -> Iterator[ChangedPackage | NotCompared]:
    """Yield what differs on one platform; of several wheels without an answer each is asked for by itself."""
    lines = _lines(wheels)
    try:
        done = answer(IndexQuestion(lines=lines, target=target))
        if done.ok:
            yield from _differences(wheels, done)
            return
        if is_unsolved(done) and len(wheels) > 1:
            middle = len(wheels) // 2
            for part in (wheels[:middle], wheels[middle:]):
                yield from _compare(part, target, answer)
            return
        error = resolution_error(done, (), platform=target.platform, nearest=lambda _: ())
    except CuveeError as missing:
        error = missing
    else:
        if is_unsolved(done):
            yield ChangedPackage(
                package=wheels[0].package, change=SourceChange.WITHDRAWN, evidence=f"it has no {lines[0]}"
            )
            return
    identifiers = tuple(wheel.package.identifier for wheel in wheels)
    yield NotCompared(source=INDEX, reason=error.message, packages=identifiers)


def _differences(wheels: Sequence[ImportedWheel], done: Completed) -> Iterator[ChangedPackage]:
    files, reasons = _files(done.stdout), uv.yanked(done.stderr)
    for wheel in wheels:
        sha256 = files.get(wheel.name.file_name)
        reason = reasons.get((wheel.name.name, wheel.name.version))
        if sha256 is None:
            change, evidence = SourceChange.WITHDRAWN, f"it no longer has {wheel.name.file_name}"
        elif sha256 != wheel.sha256:
            change = SourceChange.REPLACED
            evidence = f"{wheel.name.file_name}: imported with SHA-256 {wheel.sha256}, today it is {sha256}"
        elif reason is not None:
            yield _yanked(wheel, reason)
            continue
        else:
            continue
        yield ChangedPackage(package=wheel.package, change=change, evidence=evidence)


def _yanked(wheel: ImportedWheel, reason: str) -> ChangedPackage:
    evidence = f"reason: {reason}" if reason else "no reason is given"
    return ChangedPackage(package=wheel.package, change=SourceChange.YANKED, evidence=evidence)


def _files(pylock: str) -> Mapping[str, str]:
    """Return the SHA-256 of each wheel of a ``pylock.toml``, by file name."""
    try:
        return {
            wheel_file_name(wheel): str(wheel.get("hashes", {}).get("sha256"))
            for package in tomllib.loads(pylock).get("packages", [])
            for wheel in package.get("wheels", [])
        }
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
        raise BlockedError(f"uv's answer cannot be read: {error}") from error
