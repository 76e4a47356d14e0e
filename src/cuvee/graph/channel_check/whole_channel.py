"""The check of a whole channel, from its name to the result of each platform."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.conda.package_record import Record
from cuvee.conda.virtual_packages import virtual_packages
from cuvee.errors import UsageError
from cuvee.graph.channel_check.checkpoint import Checkpoint
from cuvee.graph.channel_check.model import PlatformResult
from cuvee.graph.channel_check.pool_check import check_pool, newest
from cuvee.graph.channel_check.repodata_sources import find_subdirs, platforms_of, read_platform
from cuvee.graph.solving.pool import Pool
from cuvee.platforms import DEFAULT_FLOOR, FLOOR_KEYS
from cuvee.progress import SILENT, Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPlatform:
    """The result for a platform, and the checked records, each with whether it is its name's newest."""

    result: PlatformResult
    records: tuple[tuple[Record, bool], ...]


def check_channel(
    source: str,
    *,
    cache: Path,
    platforms: Sequence[str] = (),
    floor: Mapping[str, str] | None = None,
    only_newest: bool = False,
    executor: Executor | None = None,
    reporter: Reporter = SILENT,
) -> Iterator[CheckedPlatform]:
    """Check a channel, and yield the result of each platform.

    Parameters
    ----------
    source
        A ``repodata.json``, a folder with ``<subdir>/repodata.json``, or a channel's name or URL.
    cache
        The folder for finished parts, and for the repodata of channels that are not on this machine.
    platforms
        Those to check, which need not be ones that a release can have; all of a folder if there are none.
    floor
        The system's floor, as in a manifest; it is added to `DEFAULT_FLOOR` where it applies.
    executor
        Runs the parts of large channels, see `check_pool`.

    Raises
    ------
    SourceUnreachableError
        If there is no repodata.
    UsageError
        If the platforms or the floor are not valid.
    """
    subdirs = find_subdirs(source, platforms, cache)
    named = tuple(platforms) or platforms_of(subdirs)
    floors = {name: floor_of(name, floor or {}, named) for name in named}
    for platform in named:
        reporter.start(f"Read {platform}")
        read, digest = read_platform(subdirs, platform)
        offered = virtual_packages(platform, floors[platform])
        pool = Pool(read.records, offered)
        reporter.finish(f"Read {platform}", note=f"{len(read.records):,} records")
        checkpoint = Checkpoint(
            cache / "channel-check",
            [
                digest,
                platform,
                *(f"{item.name}={item.version}={item.build}" for item in offered),
                str(only_newest),
            ],
        )
        result = check_pool(
            pool,
            platform,
            executor=executor,
            only_newest=only_newest,
            finished=checkpoint.load(),
            save=checkpoint.save,
            reporter=reporter,
        )
        latest = newest(pool)
        yield CheckedPlatform(
            result=replace(result, problems=(*read.problems, *result.problems), twins=read.twins),
            records=tuple(
                (pool[number], number in latest)
                for number in pool
                if not pool[number].is_virtual and (number in latest or not only_newest)
            ),
        )


def floor_of(platform: str, floor: Mapping[str, str], platforms: Sequence[str]) -> dict[str, str]:
    """Return a platform's floor: the default, changed by those keys of ``floor`` that apply to its system.

    Raises
    ------
    UsageError
        If a key applies to none of ``platforms``, or a version is not one.
    """
    from cuvee.conda.match_spec import read_version

    def keys(platform: str) -> tuple[str, ...]:
        return FLOOR_KEYS.get(platform.partition("-")[0], ("archspec",))

    known = {key for name in platforms for key in keys(name)}
    for key, value in floor.items():
        if key not in known:
            raise UsageError(f"There is no floor {key!r} here", hint=f"Known: {', '.join(sorted(known))}")
        if key != "archspec" and read_version(value) is None:
            raise UsageError(f"{value!r} is not a version of {key}", hint="For example: --floor glibc=2.28")
    default = DEFAULT_FLOOR.get(platform.partition("-")[0], {})
    return default | {key: value for key, value in floor.items() if key in keys(platform)}
