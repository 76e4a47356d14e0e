"""What a site gets of one release: everything in its sums but the packages, which the channel has."""

from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.approvals.approval_files import APPROVALS, read_approvals
from cuvee.files import sha256_file
from cuvee.manifest.model import Track
from cuvee.release.artefacts import Artefact, ArtefactKind
from cuvee.release.record import Release
from cuvee.release.sums import PUBLIC_KEY, SIGNATURE, SUMS, read_sums
from cuvee.trust.bundle_zip import BUNDLE
from cuvee.trust.site_roles import RELEASES
from cuvee.trust.site_writer import SiteFile
from cuvee.trust.track_index import ListedDelta, ListedInstaller, ListedRelease

_IN_CHANNEL = ("channel/", "metapackages/")
_BESIDE = (SUMS, SIGNATURE, PUBLIC_KEY)
_TRUST = "trust"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedRelease:
    """A release that is to be published.

    Attributes
    ----------
    files
        By path in the site.
    """

    release: Release
    files: Mapping[str, SiteFile]

    @property
    def name(self) -> str:
        """Distribution and version."""
        return self.release.name

    @property
    def track(self) -> str:
        """Its support track, whose keys sign it."""
        return _track(self.release)

    def listed(self) -> ListedRelease:
        """Return what the list of the track's releases says of it."""
        manifest = self.release.manifest
        return ListedRelease(
            name=self.name,
            distribution=manifest.distribution,
            version=str(manifest.version),
            installers=tuple(
                ListedInstaller(
                    path=item.path,
                    platform=item.platform or "",
                    format=item.format,
                    size=item.size,
                    sha256=item.sha256,
                )
                for item in self._made(ArtefactKind.INSTALLER)
            ),
            deltas=tuple(
                ListedDelta(
                    path=item.path,
                    platform=item.platform or "",
                    format=item.format,
                    base=(self.release.base or "").removeprefix(f"{manifest.distribution}-"),
                    size=item.size,
                    sha256=item.sha256,
                )
                for item in self._made(ArtefactKind.DELTA)
            ),
        )

    def _made(self, kind: ArtefactKind) -> list[Artefact]:
        return [item for item in self.release.artefacts if item.kind is kind and item.not_made is None]


def _track(release: Release) -> str:
    support = release.manifest.support
    return (Track.STABLE if support is None else support.track).value


def published_release(release: Release) -> PublishedRelease:
    """Return what is to be published of a release in its folder; files are compared when they are copied.

    Raises
    ------
    SourceUnreachableError
        If it has no sums.
    """
    folder = release.folder
    base = f"{RELEASES}/{_track(release)}/{release.name}"
    files = {
        f"{base}/{path}": SiteFile(path=folder / path, sha256=sha256)
        for path, sha256 in read_sums(folder).items()
        if not path.startswith(_IN_CHANNEL)
    }
    beside = [folder / name for name in _BESIDE]
    trust = (path for path in (folder / _TRUST).rglob("*") if not path.is_symlink())
    beside += sorted(path for path in trust if path != folder / BUNDLE)
    beside += [folder / APPROVALS / name for name, _ in read_approvals(folder)]
    for path in beside:
        if path.is_file():
            name = f"{base}/{path.relative_to(folder).as_posix()}"
            files.setdefault(name, SiteFile(path=path, sha256=sha256_file(path)))
    return PublishedRelease(release=release, files=files)
