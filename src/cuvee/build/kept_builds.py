"""Packages that were built earlier, kept by build key; and why a key is another than the last time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from cuvee.build.model import BuiltPackage, KeyParts
from cuvee.channel.repodata_writer import record_of
from cuvee.codec import Document, encode
from cuvee.errors import CuveeError
from cuvee.files import (
    fingerprint,
    parse_json,
    replacing_folder,
    sha256_file,
    storage_errors,
    write_json,
)

LOG, RECORD = "build.log", "record.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBuild:
    """What is known of a build: the package, and all that it depends on.

    Attributes
    ----------
    question
        A hash of what decided its environments, as `EnvironmentQuestions` has it; "" if that is not known.
    """

    package: BuiltPackage
    parts: KeyParts
    question: str = ""


_KEPT = Document(name="build", kind=KeptBuild)


def key_of(parts: KeyParts) -> str:
    """Return the key of a build: the hex SHA-256 of all that it depends on."""
    # A build without patches has the key that it had before there were any.
    return fingerprint(encode(parts, without=frozenset() if parts.patches else frozenset({"patches"})))


class BuildCache:
    """The builds below ``builds/`` of the cache.

    ``<key>/`` has the archive, its log and ``build.json``; ``latest/`` has what runs wanted last.
    """

    def __init__(self, cache: Path) -> None:
        self._folder = cache / "builds"

    def archive(self, package: BuiltPackage) -> Path:
        """Return where a package is kept."""
        return self._folder / package.key / package.file_name

    def log(self, package: BuiltPackage) -> Path:
        """Return where its log is kept."""
        return self._folder / package.key / LOG

    def record(self, package: BuiltPackage) -> Mapping[str, object]:
        """Return what repodata says of a package."""
        path = self.archive(package).with_name(RECORD)
        with storage_errors(path):
            record: Mapping[str, object] = parse_json(path.read_bytes())
        return record

    def find(self, key: str) -> BuiltPackage | None:
        """Return the package that was built with a key, if it is kept and undamaged."""
        try:
            package = _KEPT.read(self._folder / key / "build.json").package
            if package.key != key or sha256_file(self.archive(package)) != package.sha256:
                return None
            if self.record(package)["sha256"] != package.sha256:
                return None
        except (CuveeError, OSError, ValueError, LookupError, TypeError):
            return None
        return replace(package, reused=True)

    def latest(self, name: str, subdir: str) -> KeptBuild | None:
        """Return the build of a package that was kept last."""
        try:
            return _KEPT.read(self._latest(name, subdir))
        except (CuveeError, OSError):
            return None

    def make_latest(self, package: BuiltPackage, question: str = "") -> None:
        """Remember a package that was taken from the cache as the last one that was wanted."""
        latest = self.latest(package.name, package.subdir)
        if latest is None or (latest.package.key, latest.question) != (package.key, question):
            kept = _KEPT.read(self._folder / package.key / "build.json")
            _KEPT.write(self._latest(package.name, package.subdir), replace(kept, question=question))

    def keep(
        self, archive: Path, log: str, package: BuiltPackage, parts: KeyParts, question: str = ""
    ) -> None:
        """Keep a package: whole, or not at all."""
        kept = KeptBuild(package=package, parts=parts, question=question)
        with replacing_folder(self._folder / package.key) as folder:
            (folder / package.file_name).write_bytes(archive.read_bytes())
            (folder / LOG).write_text(log, encoding="utf-8", errors="replace")
            write_json(folder / RECORD, record_of(archive))
            _KEPT.write(folder / "build.json", kept)
        _KEPT.write(self._latest(package.name, package.subdir), kept)

    def _latest(self, name: str, subdir: str) -> Path:
        return self._folder / "latest" / f"{name}@{subdir}.json"


def changes(old: KeyParts, new: KeyParts) -> tuple[str, ...]:
    """Return what differs between two builds, as phrases."""
    return tuple(_changes(old, new))


def _changes(old: KeyParts, new: KeyParts) -> Iterator[str]:
    if old.recipe != new.recipe:
        yield "its recipe has changed"
    if old.package != new.package:
        yield f"it was {old.package}"
    if old.patches != new.patches:
        yield f"its patches have changed: {_difference(old.patches, new.patches)}"
    if old.sources != new.sources:
        yield "its sources have changed"
    if old.variant != new.variant:
        names = sorted(
            name for name in {*old.variant, *new.variant} if old.variant.get(name) != new.variant.get(name)
        )
        yield f"its variant has changed: {', '.join(names)}"
    for title, before, after in (
        ("build", old.build_environment, new.build_environment),
        ("host", old.host_environment, new.host_environment),
        ("test", old.test_environment, new.test_environment),
    ):
        if before != after:
            yield f"its {title} environment has changed: {_difference(before, after)}"
    if old.platform != new.platform:
        yield "it was built on another platform"
    if old.engine != new.engine:
        yield f"the engine has changed: {old.engine} to {new.engine}"


def _difference(before: Mapping[str, str], after: Mapping[str, str]) -> str:
    gone = [f"without {stem}" for stem in sorted(before.keys() - after.keys())]
    come = [f"with {stem}" for stem in sorted(after.keys() - before.keys())]
    other = [
        f"another {stem}" for stem in sorted(before.keys() & after.keys()) if before[stem] != after[stem]
    ]
    return ", ".join([*come, *gone, *other])
