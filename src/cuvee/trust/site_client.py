"""The client of a site: TUF's whole workflow, with the root that the reader already has.

https://theupdateframework.github.io/specification/latest/#detailed-client-workflow
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cuvee.errors import IntegrityError, SourceUnreachableError, UsageError
from cuvee.files import replacing, sha256_bytes, sha256_file, storage_errors
from cuvee.trust.site_errors import explained
from cuvee.trust.site_metadata import SignedFile, published_at
from cuvee.trust.site_roles import INDEX, RELEASES, TRACKS, check_path, is_release_name, require_tuf
from cuvee.trust.site_source import SiteSource
from cuvee.trust.trusted_roots import check_keys, parse

if TYPE_CHECKING:
    from tuf.api.metadata import TargetFile
    from tuf.ngclient import Updater

METADATA = "metadata/"
FILES = "targets/"
_TOLERANCE = dt.timedelta(days=1)


@dataclass(kw_only=True)
class SiteClient:
    """Reads a site; nothing that is not signed is handed over.

    Attributes
    ----------
    state
        What this machine has seen: older metadata than that is refused. One folder for each root.
    """

    source: SiteSource
    state: Path
    updater: "Updater"

    @classmethod
    def open(cls, source: SiteSource, root: bytes, state: Path, now: dt.datetime) -> Self:
        """Return a client whose metadata is as new as that of the site, and verified.

        Parameters
        ----------
        root
            The root that the reader got with the distribution, or by another way than from the site.

        Raises
        ------
        IntegrityError
            If a signature, a hash, a version or a date does not hold.
        SourceUnreachableError
            If the site cannot be read.
        """
        require_tuf()
        from tuf.ngclient import Updater

        client_root = parse(root, "root")
        check_keys(client_root.signed)
        state.mkdir(parents=True, exist_ok=True)
        with _explained(source, now):
            updater = Updater(str(state), METADATA, target_base_url=FILES, fetcher=source, bootstrap=root)
            updater._trusted_set.reference_time = now  # noqa: SLF001  the clock is an argument, also here
            client = cls(source=source, state=state, updater=updater)
            updater.refresh()
        client._check_roles(now)
        return client

    def _check_roles(self, now: dt.datetime) -> None:
        for role in ("root", "targets"):
            check_keys(self.metadata(role).signed)
        when = published_at(self.metadata("timestamp").signed.unrecognized_fields)
        if when is not None and now < when - _TOLERANCE:
            raise IntegrityError(
                f"This machine's clock says {now:%Y-%m-%d %H:%M}, but {self.source.shown} was published at "
                f"{when:%Y-%m-%d %H:%M} UTC",
                hint="Set the clock: with a wrong one, old metadata could not be told from new.",
            )

    def metadata(self, role: str) -> Any:
        """Return verified metadata of a role that was looked at."""
        return parse((self.state / f"{role}.json").read_bytes(), role)

    def signed(self, path: str, now: dt.datetime) -> "TargetFile | None":
        """Return what is signed of a path; `None` if no role that may sign it has signed it."""
        check_path(path)
        with _explained(self.source, now):
            return self.updater.get_targetinfo(path)

    def download(self, path: str, target: Path, now: dt.datetime) -> SignedFile:
        """Write a signed file to ``target``, complete and verified, or nothing.

        Raises
        ------
        IntegrityError
            If no role that may sign it has signed it, or the site has other bytes.
        """
        info = self.signed(path, now)
        if info is None:
            raise IntegrityError(
                f"{self.source.shown} has no {path} that is signed by those who may sign it",
                hint="Is the release published? Nothing was written.",
            )
        with _without_new_folders(target), replacing(target) as beside:
            self._fetch(info, beside, now)
            return SignedFile(length=info.length, sha256=sha256_file(beside))

    def _fetch(self, info: "TargetFile", target: Path, now: dt.datetime) -> None:
        self.source.used.clear()
        try:
            with _explained(self.source, now):
                self.updater.download_target(info, str(target))
        except IntegrityError:
            self.source.forget()  # or the next run would go on with wrong bytes
            raise
        self.source.forget()

    def has(self, path: str, file: Path, now: dt.datetime) -> bool:
        """Whether a file of this machine, and not a link, is what is signed of a path."""
        info = self.signed(path, now)
        return (
            info is not None
            and not file.is_symlink()
            and self.updater.find_cached_target(info, str(file)) is not None
        )

    def read(self, path: str, now: dt.datetime) -> bytes | None:
        """Return the bytes of a small signed file; `None` if no role that may sign it has signed it."""
        info = self.signed(path, now)
        if info is None:
            return None
        target = self.state / "files" / next(iter(info.hashes.values()))
        if self.updater.find_cached_target(info, str(target)) is None:
            with replacing(target) as beside:
                self._fetch(info, beside, now)
        return target.read_bytes()

    def tracks(self) -> tuple[str, ...]:
        """Return the tracks that the site has released in, the ones that promise most first."""
        delegations = self.metadata("targets").signed.delegations
        there = set(delegations.roles or ()) if delegations is not None else set()
        published = self.metadata("snapshot").signed.meta
        return tuple(track for track in reversed(TRACKS) if track in there and f"{track}.json" in published)

    def releases(self, track: str, now: dt.datetime) -> tuple[str, ...]:
        """Return the releases of a track, by the metadata that its keys have signed."""
        if self.signed(f"{RELEASES}/{track}/{INDEX}", now) is None:
            return ()
        found = self.metadata(track).signed
        check_keys(found)
        names = tuple(found.delegations.roles or ()) if found.delegations is not None else ()
        for name in names:
            if not is_release_name(name):
                raise IntegrityError(f"{name!r} is not the name of a release", hint="Nothing was used.")
        return names


@contextmanager
def _without_new_folders(target: Path) -> Iterator[None]:
    """Remove, if the block fails, the empty folders above ``target`` that were not there before."""
    new = [folder for folder in target.parents if not folder.exists()]
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for folder in new:
                folder.rmdir()
        raise


def state_folder(cache: Path, root: bytes) -> Path:
    """Return where what was seen with a root is kept: also a mirror must not be older than the site was."""
    return cache / "sites" / sha256_bytes(root)[:32]


def read_root(path: Path) -> bytes:
    """Return the bytes of a root.

    Raises
    ------
    UsageError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"The root {path} cannot be read: {error.strerror}",
            hint="The distribution hands it out; get it by another way than from the site.",
        ) from error


@contextmanager
def _explained(source: SiteSource, now: dt.datetime) -> Iterator[None]:
    from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError

    try:
        with storage_errors(source.parts):
            yield
    except DownloadHTTPError as error:
        raise SourceUnreachableError(
            f"{source.shown} has no {str(error).partition(':')[0]}",
            hint="Is it a site that `cuvee publish --trust` wrote?",
        ) from error
    except DownloadError as error:
        if error.__cause__ is not None:  # ours, or one of the system
            raise error.__cause__ from None
        raise explained(error, source.shown, now, asked=source.asked) from error
    except RepositoryError as error:
        raise explained(error, source.shown, now, asked=source.asked) from error


def files_of_release(client: SiteClient, track: str, release: str, now: dt.datetime) -> Sequence[str]:
    """Return the paths that a release has signed, sorted."""
    first = f"{RELEASES}/{track}/{release}/SHA256SUMS"
    if client.signed(first, now) is None:
        raise IntegrityError(
            f"{client.source.shown} has no {release} that is signed by the keys of {track}",
            hint="Is the release published?",
        )
    paths = sorted(client.metadata(release).signed.targets)
    for path in paths:
        check_path(path)
    return paths
