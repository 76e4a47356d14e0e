"""Tools that suites need and the release lacks: they ride in prefixes beside the release's.

Nothing is put into the release's prefix, and what is beside it never comes first: its programs are after the
release's own on PATH, and its Python packages after all others on ``sys.path``. What a tool needs and the
release has is the release's own build. Shared libraries are there a second time, since programs look for them
relative to themselves.
"""

import os
import re
import shutil
import threading
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.conda.event_loop import run
from cuvee.conda.package_archive import archive_hashes
from cuvee.conda.package_info import read_info
from cuvee.conda.package_record import Record
from cuvee.conda.rattler_records import repodata_record
from cuvee.errors import CuveeError
from cuvee.files import fingerprint, write_text
from cuvee.integration.tool_sets import KnownSets, SetSource, ToolSet, ToolsMissingError, lacking, refused
from cuvee.lock.model import PlatformLock
from cuvee.platforms import get

FOLDER = "beside"
COMPLETE = "start/sitecustomize.py"
"""The file of a prefix with tools that is written last."""

_START = Path(__file__).parent / "inside" / "sitecustomize.py"
_INTERPRETER = re.compile(r"python(\d+(\.\d+)?)?")
_NOTHING = KnownSets(sets={})


@dataclass(frozen=True, kw_only=True)
class RidingTools:
    """Makes prefixes with tools for one platform's release. Its threads share them.

    Attributes
    ----------
    source
        Where they come from; without it, only what the release has is there.
    cache
        Where rattler keeps what it has unpacked; `None` if it need not be kept.
    made
        What was made before: the prefix, or why there is none, by the release's prefix and what is wanted.
    """

    lock: PlatformLock
    source: SetSource = _NOTHING
    cache: Path | None = None
    made: dict[tuple[Path, tuple[str, ...]], Path | str] = field(default_factory=dict, repr=False)
    _locks: dict[tuple[Path, tuple[str, ...]], threading.Lock] = field(default_factory=dict, repr=False)

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
        wanted = self._wanted(specs)
        if not wanted:
            return None
        key = prefix, wanted
        with self._locks.setdefault(key, threading.Lock()):
            if key not in self.made:
                self.made[key] = self._make(wanted, prefix, seen_as)
            found = self.made[key]
        if isinstance(found, str):
            raise ToolsMissingError(found)
        return found

    def sets(self, several: Iterable[Collection[str]]) -> Mapping[tuple[str, ...], ToolSet]:
        """Return what meets each of several collections of specs, so that it can be linked elsewhere."""
        wanted = filter(None, map(self._wanted, several))
        return {specs: self.source.solved(specs, self.lock) for specs in dict.fromkeys(wanted)}

    def only_made(self) -> "RidingTools":
        """Return what another process of this machine can use: the prefixes that were made."""
        return RidingTools(lock=self.lock, made=dict(self.made))

    def __reduce__(self) -> tuple[Callable[..., "RidingTools"], tuple[object, ...]]:
        """Leave the locks out of a pickle, and the source, which is of this process."""
        return _again, (self.lock, self.made)

    def stop(self) -> None:
        """End what is fetched: the run is interrupted."""
        self.source.stop()

    def _wanted(self, specs: Collection[str]) -> tuple[str, ...]:
        return tuple(sorted(lacking(specs, self.lock)))

    def _make(self, wanted: tuple[str, ...], prefix: Path, seen_as: Callable[[Path], str]) -> Path | str:
        """Return a new prefix with tools, or why there is none."""
        found = self.source.solved(wanted, self.lock)
        if found.refusal:
            return found.refusal
        target = prefix.parent / FOLDER / fingerprint(list(wanted))[:12]
        windows = get(self.lock.platform).is_windows
        try:
            archives: list[tuple[Record, Path]] = [*found.archives, *self._python(target)]
            cache = self.cache or target.with_name(f"{target.name}-cache")
            run(_link(archives, target, self.lock.platform, cache=cache, seen_as=seen_as(target)))
            if windows:
                _lead_scripts_to(seen_as(prefix / "python.exe"), target)
            else:
                _lead_to(prefix, target)
            write_text(target / COMPLETE, _START.read_text(encoding="utf-8"))
        except CuveeError as error:
            return refused(wanted, error.message).refusal
        return target

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


def _again(lock: PlatformLock, made: dict[tuple[Path, tuple[str, ...]], Path | str]) -> RidingTools:
    return RidingTools(lock=lock, made=made)


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
    """Make the interpreter of a prefix of tools the release's.

    Its packages are the last ones: Python starts ``sitecustomize`` from PYTHONPATH,
    https://docs.python.org/3/library/site.html.
    """
    for path in (prefix / "bin").iterdir():
        place = target / "bin" / path.name
        if _INTERPRETER.fullmatch(path.name) and not place.is_symlink():
            place.parent.mkdir(exist_ok=True)
            place.symlink_to(os.path.relpath(path, place.parent))


def _lead_scripts_to(python: str, target: Path) -> None:
    """Make the scripts of a prefix of tools start the release's interpreter, as Windows sees it.

    A launcher ``tool.exe`` starts what the first line of ``tool-script.py`` names, as
    https://peps.python.org/pep-0397/ has it, else the ``python.exe`` of its own prefix. A second one of these
    would look for its library beside itself.
    """
    for script in (target / "Scripts").glob("*-script.py"):
        text = script.read_text(encoding="utf-8")
        first, _, rest = text.partition("\n")
        write_text(script, f'#!"{python}"\n{rest if first.startswith("#!") else text}')
