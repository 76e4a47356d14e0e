"""Stages of the pipeline: a stage is skipped if nothing that its result depends on has changed.

So an interrupted release goes on where it was, and a second run has nothing to do. Within a run results
travel as values; a result is read from disk only if an earlier run has written it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Generic, Self, TypeVar

from cuvee.codec import Document, Json, decode, encode
from cuvee.errors import CuveeError
from cuvee.files import fingerprint, sha256_file
from cuvee.folder_hashes import code_fingerprint, file_hashes
from cuvee.progress import Reporter
from cuvee.release.hashes_ahead import HashesAhead, is_large

if TYPE_CHECKING:
    from cuvee.release.artefacts import Artefact
    from cuvee.release.record import StageResult

Result = TypeVar("Result")

SET_ASIDE = "set-aside"
"""The folder of a release folder for what an earlier run has made and the last one has not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Generic[Result]):
    """What the work of a stage gives.

    Attributes
    ----------
    outputs
        The files, or folders of files, that it wrote: if one of them changes, the stage runs again.
    kept
        What `Stage.load` needs besides the outputs; JSON values.
    hashes
        Hashes of outputs that the work has read since it wrote them.
    """

    result: Result
    outputs: tuple[Path, ...]
    kept: Json = None
    hashes: Mapping[Path, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage(Generic[Result]):
    """One stage.

    Attributes
    ----------
    name
        Unique in a release: ``lock``, ``image-linux-64``.
    inputs
        Everything that the result depends on, besides cuvee itself; JSON values.
    run
        Does the work.
    load
        Returns the result of an earlier run, from its outputs and from what it kept.
    request
        A hash of what the manifest says about the stage, which is the same on every machine and for every
        version of cuvee: by it, commands that only read know whether a result is that of a manifest.
    base
        A hash of what the stage has taken from the base release.
    version
        The version of what the stage writes, for a stage whose result must not change under a release number
        because cuvee did. "" means that any change of cuvee makes it run again.
    """

    name: str
    inputs: Json
    run: Callable[[], Made[Result]]
    load: Callable[[Json], Result]
    request: str = ""
    base: str = ""
    version: str = ""

    @classmethod
    def of(
        cls,
        name: str,
        inputs: Json,
        run: Callable[[], Made[Result]],
        kind: type[Result],
        *,
        request: str = "",
        version: str = "",
    ) -> Self:
        """Return a stage whose result is kept whole: a value of a type that the codec knows."""

        def run_and_keep() -> Made[Result]:
            made = run()
            return replace(made, kept=encode(made.result))

        return cls(
            name=name,
            inputs=inputs,
            run=run_and_keep,
            load=lambda kept: decode(kind, kept),
            request=request,
            version=version,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StageEntry:
    """What is known of a stage that has finished.

    Attributes
    ----------
    outputs
        The hex SHA-256 of each file, by its path relative to the release folder. A copy or a checkout has
        new times, and a time can be set, so nothing else says whether a file is what was made.
    """

    inputs: str
    seconds: float
    outputs: Mapping[str, str]
    kept: object = None
    request: str = ""
    base: str = ""


_ENTRY = Document(name="stage", kind=StageEntry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done(Generic[Result]):
    """The result of a stage, with the hash of its inputs, its seconds, and whether it was made earlier."""

    stage: str
    result: Result
    inputs: str
    seconds: float
    reused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StageRunner:
    """Runs the stages of one release folder.

    Attributes
    ----------
    folder
        The release folder; what is known of finished stages is in ``.stages`` below it.
    done
        The stages that this run has finished.
    worked
        Those whose results are not of an earlier run.
    made
        The hash of each of their files, by its path relative to the release folder. It is kept in memory:
        programs of packages run before the end of the run, and could change what is on disk.
    failed
        The errors of this run's stages, each with the stage's name.
    ahead
        Hashes of large files, from `look_ahead`.
    """

    folder: Path
    reporter: Reporter
    done: set[str] = field(default_factory=set)
    worked: set[str] = field(default_factory=set)
    failed: list[tuple[Exception, str]] = field(default_factory=list)
    made: dict[str, str] = field(default_factory=dict)
    ahead: HashesAhead = field(default_factory=HashesAhead)
    _read: dict[str, tuple[bytes, StageEntry | None]] = field(default_factory=dict)

    def __call__(self, stage: Stage[Result], *, again: bool = False) -> Done[Result]:
        """Return the result of a stage: that of an earlier run if nothing that it depends on has changed."""
        inputs = fingerprint([stage.name, stage.inputs, stage.version or code_fingerprint()])
        entry = None if again else self._current(stage.name, inputs)
        if entry is not None:
            try:
                result = stage.load(entry.kept)  # type: ignore[arg-type]  # JSON values, as they were kept
            except (CuveeError, ValueError):
                entry = None
            else:
                self.reporter.say(f"{stage.name}: unchanged")
                self.done.add(stage.name)
                self.made.update(entry.outputs)
                return Done(
                    stage=stage.name, result=result, inputs=inputs, seconds=entry.seconds, reused=True
                )
        start = monotonic()
        self.worked.add(stage.name)
        self.ahead.stop()
        try:
            made = stage.run()
        except Exception as error:
            self.failed.append((error, stage.name))
            raise
        seconds = round(monotonic() - start, 3)
        hashes = file_hashes(made.outputs, made.hashes)
        outputs = {path.relative_to(self.folder).as_posix(): sha256 for path, sha256 in hashes}
        _ENTRY.write(
            self._path(stage.name),
            StageEntry(
                inputs=inputs,
                seconds=seconds,
                outputs=outputs,
                kept=made.kept,
                request=stage.request,
                base=stage.base,
            ),
        )
        self.done.add(stage.name)
        self.made.update(outputs)
        return Done(stage=stage.name, result=made.result, inputs=inputs, seconds=seconds, reused=False)

    @contextmanager
    def look_ahead(self, *, without: Collection[str]) -> Iterator[None]:
        """Hash the large files of stages that have finished earlier in a thread, while the block runs.

        What a stage writes, or what runs in one, may change files: what was hashed before counts only until
        the first stage of this run has work to do. ``without`` are stages whose files will be moved before
        they are looked at.
        """
        names = sorted({path.stem for path in (self.folder / ".stages").glob("*.json")}.difference(without))
        entries = map(self.recorded, names)
        outputs = [path for entry in entries if entry is not None for path in entry.outputs]
        self.ahead.start([self.folder / path for path in outputs])
        try:
            yield
        finally:
            self.ahead.stop()

    def failed_in(self, error: Exception) -> str:
        """Return the name of the stage that raised an error; empty if none did."""
        return next((name for known, name in self.failed if known is error), "")

    def put_aside(self, *names: str) -> None:
        """Move the unchanged files of stages as `set_aside` does."""
        for entry in filter(None, map(self.recorded, names)):
            changed = set(self._changed(entry.outputs))
            for path in entry.outputs.keys() - changed:
                _move(self.folder / path, self.folder / SET_ASIDE / path)

    def take_back(self, *names: str) -> None:
        """Move back what `put_aside` has moved."""
        for entry in filter(None, map(self.recorded, names)):
            self.has_outputs(entry)

    def changed(self) -> list[str]:
        """Return the files of this run's stages that are missing, or are not what the stages have left.

        If no stage had work to do, this run has just hashed the files, and no program has run since then.
        """
        return self._changed(self.made) if self.worked else []

    def _changed(self, hashes: Mapping[str, str]) -> list[str]:
        from concurrent.futures import ThreadPoolExecutor

        paths = {path: self.folder / path for path in hashes}
        large = {path for path, file in paths.items() if is_large(file)}
        with ThreadPoolExecutor() as threads:  # hashlib releases the GIL
            hashing = {path: threads.submit(_hash, paths[path]) for path in large}
            found = {path: _hash(file) for path, file in paths.items() if path not in large}
            found |= {path: future.result() for path, future in hashing.items()}
        return [path for path, sha256 in hashes.items() if found[path] != sha256]

    def set_aside(self) -> None:
        """Move what stages have written that this run has not finished: its inputs did not make it.

        It keeps its path below ``set-aside``. A later run takes it from there, if it is what that run needs.
        """
        for path in sorted((self.folder / ".stages").glob("*.json")):
            entry = None if path.stem in self.done else self.recorded(path.stem)
            for name in entry.outputs if entry is not None else ():
                _move(self.folder / name, self.folder / SET_ASIDE / name)

    def _current(self, name: str, inputs: str) -> StageEntry | None:
        """Return what is known of a stage if its result is there and was made from ``inputs``."""
        entry = self.recorded(name)
        return entry if entry is not None and entry.inputs == inputs and self.has_outputs(entry) else None

    def has_outputs(self, entry: StageEntry) -> bool:
        """Whether a stage's outputs are as it wrote them; those that were set aside are taken back first."""
        for path in entry.outputs:
            if not (self.folder / path).exists():
                _move(self.folder / SET_ASIDE / path, self.folder / path)
        return self.is_unchanged(entry.outputs)

    def recorded(self, name: str) -> StageEntry | None:
        """Return what is known of a stage, whatever it was made from and whatever became of its files.

        An entry that names a file outside of the release folder is not ours: its files would be moved.
        """
        path = self._path(name)
        try:
            data = path.read_bytes()
            if (known := self._read.get(name)) is not None and known[0] == data:
                return known[1]
            entry = _ENTRY.from_bytes(data, source=str(path))
        except (CuveeError, OSError):
            return None
        found = entry if all(map(_is_inside, entry.outputs)) else None
        self._read[name] = data, found
        return found

    def is_unchanged(self, outputs: Mapping[str, str]) -> bool:
        """Whether files that a stage wrote, by their path in the release folder, still have these hashes."""
        paths = [self.folder / path for path in outputs]
        known = {path: sha256 for path in paths if (sha256 := self.ahead.take(path)) is not None}
        try:
            known |= file_hashes(path for path in paths if path not in known)
        except OSError:
            return False
        return [known.get(path) for path in paths] == list(outputs.values())

    def _path(self, name: str) -> Path:
        return self.folder / ".stages" / f"{name}.json"


def _hash(path: Path) -> str | None:
    """Return the hash of a file; `None` if it cannot be read."""
    try:
        return sha256_file(path)
    except OSError:
        return None


def _is_inside(name: str) -> bool:
    return not name.startswith("/") and ".." not in name.split("/")


def _move(source: Path, target: Path) -> None:
    if source.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.replace(target)


_StageResult = TypeVar("_StageResult", bound="StageResult")


def finished(done: Done[_StageResult]) -> _StageResult:
    """Return the result of a stage with its name, the hash of its inputs, and how it came about."""
    return replace(
        done.result, stage=done.stage, inputs=done.inputs, seconds=done.seconds, reused=done.reused
    )


def artefacts_of(kept: Json) -> tuple[Artefact, ...]:
    """Return the artefacts that a stage has kept, with the hashes that they had when they were made."""
    from cuvee.release.artefacts import Artefact

    return decode(tuple[Artefact, ...], kept)
