"""Tools that suites need and the release lacks: they ride in prefixes beside the release's.

Nothing is put into the release's prefix, and what is beside it never comes first: its programs are after the
release's own on PATH, and its Python packages after all others on ``sys.path``. What a tool needs and the
release has is the release's own build. Shared libraries are there a second time, since programs look for them
relative to themselves.
"""

import datetime as dt
import os
import re
import shutil
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.connection import Connection
from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.conda.event_loop import run
from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_archive import archive_hashes
from cuvee.conda.package_info import read_info
from cuvee.conda.package_record import LockedPackage, Record
from cuvee.conda.rattler_records import matchable, repodata_record
from cuvee.errors import CuveeError
from cuvee.files import fingerprint, write_text
from cuvee.lock.model import Lock, PlatformLock
from cuvee.lock.solve import Problem, try_solve
from cuvee.manifest.model import PlatformEntry, Position, Requirement
from cuvee.platforms import get

FOLDER = "beside"
_START = Path(__file__).parent / "inside" / "sitecustomize.py"
_LONGEST = 200
_INTERPRETER = re.compile(r"python(\d+(\.\d+)?)?")


class ToolsMissingError(CuveeError):
    """What a test needs besides the release cannot be had; the message is the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSources:
    """Where tools come from: the channels of the release.

    Attributes
    ----------
    channels, own_channel, exclude_newer
        As for the release itself.
    fetch
        Returns the verified archive of each package by its identifier, or raises `CuveeError`.
    cache
        Where rattler keeps what it has unpacked.
    """

    platform: PlatformEntry
    channels: tuple[str, ...]
    own_channel: Path | None
    exclude_newer: dt.datetime | None
    connection: Connection
    fetch: Callable[[Sequence[LockedPackage]], Mapping[str, Path]]
    cache: Path


def lacking(specs: Collection[str], lock: PlatformLock) -> tuple[str, ...]:
    """Return which match specs no package of the release meets."""
    return tuple(spec for spec in dict.fromkeys(specs) if not _met(spec, lock))


def _met(text: str, lock: PlatformLock) -> bool:
    spec = read_spec(text)
    package = lock.by_name.get(spec.name)
    return package is not None and spec.matcher is not None and spec.matcher.matches(matchable(package))


@dataclass(frozen=True, kw_only=True)
class RidingTools:
    """Makes prefixes with tools for one platform's release. Its threads share them.

    Without ``sources``, only what the release has is there.
    """

    lock: PlatformLock
    sources: ToolSources | None = None
    _made: dict[tuple[Path, str], Path | ToolsMissingError] = field(default_factory=dict, repr=False)
    _locks: dict[tuple[Path, str], threading.Lock] = field(default_factory=dict, repr=False)

    def beside(self, specs: Collection[str], prefix: Path, seen_as: Callable[[Path], str]) -> Path | None:
        """Return the prefix with what meets the specs; `None` if the release does.

        Parameters
        ----------
        prefix
            Where the release is installed.
        seen_as
            Returns how its programs see a path.

        Raises
        ------
        ToolsMissingError
            If something cannot be had, also if what the release has of it does not fit.
        """
        wanted = sorted(lacking(specs, self.lock))
        if not wanted:
            return None
        key = prefix, fingerprint(wanted)[:12]
        with self._locks.setdefault(key, threading.Lock()):
            if key not in self._made:
                try:
                    target = prefix.parent / FOLDER / key[1]
                    self._make(wanted, prefix, target, seen_as)
                    self._made[key] = target
                except CuveeError as error:
                    self._made[key] = _reason(wanted, error)
            found = self._made[key]
        if isinstance(found, ToolsMissingError):
            raise found
        return found

    def stop(self) -> None:
        """End what is fetched: the run is interrupted."""
        if self.sources is not None:
            self.sources.connection.transfer.stop()

    def _make(
        self, wanted: Sequence[str], prefix: Path, target: Path, seen_as: Callable[[Path], str]
    ) -> None:
        if get(self.lock.platform).is_windows:
            raise ToolsMissingError("nothing can be linked beside a release for Windows here")
        for text in wanted:
            spec = read_spec(text)
            if spec.problem:
                raise ToolsMissingError(f"{text!r} is not a match spec: {spec.problem}")
            if spec.name in self.lock.by_name:
                raise ToolsMissingError(f"the release has {self.lock.by_name[spec.name]}")
        if self.sources is None:
            raise ToolsMissingError("there are no channels to take it from")
        packages = self._solved(wanted, self.sources)
        archives = self.sources.fetch(packages)
        found: list[tuple[Record, Path]] = [(item, archives[item.identifier]) for item in packages]
        found += self._python(target)
        run(_link(found, target, self.lock.platform, cache=self.sources.cache, seen_as=seen_as(target)))
        _lead_to(prefix, target)

    def _solved(self, wanted: Sequence[str], sources: ToolSources) -> list[LockedPackage]:
        """Return what to link: all that the specs need, but for the release's own Python packages."""
        platform, where = self.lock.platform, Position(file=Path(), line=1, column=1)
        problem = Problem(
            platforms=(sources.platform,),
            requirements=tuple(
                Requirement(name=read_spec(text).name, match=text, platforms=(platform,), position=where)
                for text in wanted
            ),
            constraints=tuple(
                Requirement(name=item.name, version=f"=={item.version}", build=item.build, position=where)
                for item in self.lock.packages
            ),
            channels=sources.channels,
            own_channel=sources.own_channel,
            exclude_newer=sources.exclude_newer,
            keep=Lock(platforms=(self.lock,)),
        )
        answer = try_solve(problem, sources.connection)
        if not isinstance(answer, Lock):
            raise ToolsMissingError(next(iter(answer.values())))
        solved = answer.by_platform[platform].packages
        return [item for item in solved if not self._rides_in_release(item)]

    def _rides_in_release(self, package: LockedPackage) -> bool:
        own = self.lock.by_name.get(package.name)
        needs = {read_spec(text).name for text in package.depends}
        return package.name == "python" or (own is not None and "python" in needs)

    def _python(self, target: Path) -> list[tuple[Record, Path]]:
        """Write a package that stands for the release's interpreter: rattler must know its version."""
        own = self.lock.by_name.get("python")
        if own is None:
            return []
        content = PackageContent(
            name="python", version=own.version, build="beside", subdir=own.platform, timestamp=0, files=()
        )
        folder = target.with_name(f"{target.name}-python")
        folder.mkdir(parents=True, exist_ok=True)
        archive = write_package(content, folder)
        sha256, md5, size = archive_hashes(archive)
        record = Record(
            name="python",
            version=own.version,
            build="beside",
            subdir=own.platform,
            url=archive.name,
            sha256=sha256,
            md5=md5,
            size=size,
        )
        return [(record, archive)]


async def _link(
    packages: Sequence[tuple[Record, Path]], target: Path, platform: str, *, cache: Path, seen_as: str
) -> None:
    import rattler
    from rattler.exceptions import InstallerError

    records = []
    for package, archive in packages:
        record = repodata_record(package, url=archive.as_uri(), channel=archive.parent.as_uri())
        record.python_site_packages_path = read_info(archive).index.python_site_packages_path
        records.append(record)
    try:
        await rattler.install(
            records,
            target,
            cache_dir=cache,
            platform=rattler.Subdir(platform),
            execute_link_scripts=False,
            show_progress=False,
            alternative_target_prefix=seen_as,
            # Hard links would let a test change the cache.
            config=rattler.Config.from_toml("allow-hard-links = false"),
        )
    except InstallerError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise ToolsMissingError(f"it cannot be linked: {error}") from error


def _lead_to(prefix: Path, target: Path) -> None:
    """Make the interpreter of a prefix of tools the release's, and its packages the last ones.

    Python starts ``sitecustomize`` from PYTHONPATH: https://docs.python.org/3/library/site.html.
    """
    for path in (prefix / "bin").iterdir():
        place = target / "bin" / path.name
        if _INTERPRETER.fullmatch(path.name) and not place.is_symlink():
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(os.path.relpath(path, place.parent))
    write_text(target / "start" / "sitecustomize.py", _START.read_text(encoding="utf-8"))


def _reason(wanted: Sequence[str], error: CuveeError) -> ToolsMissingError:
    said = " ".join(error.message.split())
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}…"
    return ToolsMissingError(f"it needs {', '.join(wanted)}, which cannot be had: {said}")
