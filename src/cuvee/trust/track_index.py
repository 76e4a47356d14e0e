"""The list of a track's releases, which is ``releases/<track>/index.json`` of a site."""

from dataclasses import dataclass

from cuvee.codec import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedInstaller:
    """An installer of a release.

    Attributes
    ----------
    path
        In the release's folder.
    format
        Such as ``sh``.
    """

    path: str
    platform: str
    format: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDelta:
    """A delta to a release; ``base`` is the version that it upgrades."""

    path: str
    platform: str
    format: str
    base: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRelease:
    """A release, its installers, and its deltas."""

    name: str
    distribution: str
    version: str
    installers: tuple[ListedInstaller, ...] = ()
    deltas: tuple[ListedDelta, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackIndex:
    """The releases of a track, sorted by name."""

    track: str
    releases: tuple[ListedRelease, ...] = ()


TRACK_INDEX = Document(name="releases-of-track", kind=TrackIndex)
