"""The files of an installed environment: held against its records, and Python projects that no record has."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import PathDistribution
from itertools import chain
from pathlib import Path

from cuvee.conda.match_spec import read_version
from cuvee.conda.package_record import LockedPackage
from cuvee.files import sha256_file, storage_errors
from cuvee.graph.diff.snapshot import of_index, package
from cuvee.graph.diff.version_order import UNKNOWN_VERSION
from cuvee.graph.prefix_contents import resolve_in_prefix

_SITE_PACKAGES = ("lib/python*/site-packages", "Lib/site-packages")
_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedFile:
    """A file as the record of an installed package states it.

    ``sha256`` is that of the file in the prefix; `None` if it is not stated, as of links to folders.
    """

    path: str
    sha256: str | None
    is_link: bool = False


def recorded_files(record: Mapping[str, object]) -> tuple[RecordedFile, ...]:
    """Return the files of a record in ``conda-meta``, without byte code, which Python makes again.

    Format: https://github.com/conda/ceps/blob/main/cep-0034.md
    """
    data = record.get("paths_data")
    entries = data.get("paths") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        names = record.get("files")
        entries = [{"_path": name} for name in names] if isinstance(names, list) else []
    return tuple(_files(entry for entry in entries if isinstance(entry, dict)))


def _files(entries: Iterator[dict[str, object]]) -> Iterator[RecordedFile]:
    for entry in entries:
        path = resolve_in_prefix("", str(entry.get("_path", "")))
        kind = str(entry.get("path_type", ""))
        if path is None or path.endswith(".pyc") or kind == "directory":
            continue
        # Where the prefix was replaced, ``sha256`` is that of the file in the archive.
        stated = entry.get("sha256_in_prefix") or (
            None if "prefix_placeholder" in entry else entry.get("sha256")
        )
        is_link = kind == "softlink"
        yield RecordedFile(path=path, sha256=None if is_link or not stated else str(stated), is_link=is_link)


def changed_files(prefix: Path, records: Mapping[str, Sequence[RecordedFile]]) -> tuple[dict[str, str], str]:
    """Return what differs from the records, by package, and a sentence on what was looked at.

    Of a path that several packages claim, the file may be that of any of them.
    """
    claims: dict[str, set[str | None]] = {}
    for file in chain.from_iterable(records.values()):
        claims.setdefault(file.path, set()).add(file.sha256)
    todo = [(name, file) for name, files in records.items() for file in files]
    with ThreadPoolExecutor() as pool:
        states = list(pool.map(lambda item: _state(prefix, item[1], claims[item[1].path]), todo))
    found: dict[str, dict[str, list[str]]] = {}
    for (name, file), state in zip(todo, states, strict=True):
        if state:
            found.setdefault(name, {}).setdefault(state, []).append(file.path)
    unhashed = sum(file.sha256 is None for _, file in todo)
    note = f"{prefix}: {len(todo) - unhashed} files were compared with the hashes of their packages' records"
    note += f", and {unhashed} without a hash looked for" if unhashed else ""
    described = {name: "; ".join(map(_sentence, states.items())) for name, states in found.items()}
    return described, f"{note}; files that no record states were not looked at, except for Python's metadata"


def _state(prefix: Path, file: RecordedFile, expected: Collection[str | None]) -> str:
    path = prefix / file.path
    with storage_errors(path):
        if path.is_symlink():
            return "" if None in expected else "replaced by a link"
        if not path.exists():
            return "missing"
        if file.is_link or not path.is_file():
            return "replaced by something else" if file.is_link or file.sha256 else ""
        return "" if None in expected or sha256_file(path) in expected else "changed"


def _sentence(item: tuple[str, list[str]]) -> str:
    state, paths = item
    shown = ", ".join(paths[:_MOST_SHOWN])
    more = f" and {len(paths) - _MOST_SHOWN} more" if len(paths) > _MOST_SHOWN else ""
    return f"{len(paths)} {'file' if len(paths) == 1 else 'files'} {state}: {shown}{more}"


def unrecorded_projects(prefix: Path, recorded: Collection[str]) -> Iterator[LockedPackage]:
    """Yield the Python projects whose metadata no record has: what pip or another tool installed."""
    for pattern in _SITE_PACKAGES:
        for site in sorted(prefix.glob(pattern)):
            for folder in sorted([*site.glob("*.dist-info"), *site.glob("*.egg-info")]):
                inside = folder.relative_to(prefix).as_posix()
                names = {inside, f"{inside}/METADATA", f"{inside}/PKG-INFO"}
                # pip renames what it is about to replace, and may leave ``~ame-1.0.dist-info`` behind.
                if names.isdisjoint(recorded) and not folder.name.startswith("~"):
                    yield _project(folder)


def _project(folder: Path) -> LockedPackage:
    stated_name, _, stated_version = folder.stem.partition("-")
    with storage_errors(folder):
        metadata = PathDistribution(folder).metadata
    name, version = metadata["Name"] or stated_name, metadata["Version"] or stated_version
    known = version if read_version(version) is not None else UNKNOWN_VERSION
    return package(folder, None, name=of_index(name), version=known, platform="", channel="pypi")
