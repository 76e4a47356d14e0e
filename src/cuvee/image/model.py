"""The types of the image: what is linked where, and what an installer carries."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, Protocol

from cuvee import codec
from cuvee.image.settings import InstallerSettings

FORMAT = 2
"""Version of the image's format; a runtime refuses others."""

SOURCE_TIME = 1_577_836_800
"""The modification time of every Python source in a prefix, 2020-01-01 UTC.

Byte code states the time of its source, https://docs.python.org/3/reference/import.html#pyc-invalidation
"""

STAGE0, MANIFEST, PAYLOAD = "stage0.tar.gz", "manifest.json.zst", "payload.bin"
"""The files of an image that installers carry."""

_DESCRIPTION = "image.json"

SBOM = "conda-meta/cuvee/sbom.cdx.json"
"""Where a prefix keeps its software bill of materials, in CycloneDX."""


class ImageSigner(Protocol):
    """The key that signs an image."""

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes of Ed25519."""

    def sign(self, message: bytes) -> bytes:
        """Return the signature of ``message``, 64 bytes."""


def signed_message(manifest_sha256: str) -> bytes:
    """Return the message that is signed for an image; its manifest has the hashes of all other parts."""
    return f"cuvee image {manifest_sha256}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLabel:
    """The release that an image belongs to."""

    distribution: str
    version: str
    title: str

    @property
    def release_name(self) -> str:
        """``starter-2026.11.0``."""
        return f"{self.distribution}-{self.version}"


class FileKind(enum.Enum):
    """How a planned file gets into a prefix."""

    PLAIN = "plain"
    TEXT = "text"
    BINARY = "binary"
    LINK = "link"
    DIRECTORY = "directory"

    @property
    def is_relocated(self) -> bool:
        """Whether its bytes depend on where the prefix is."""
        return self in {FileKind.TEXT, FileKind.BINARY}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedFile:
    """One file of the link plan.

    Attributes
    ----------
    path
        Where it goes, relative to the prefix, with ``/``.
    source
        Its path in the package; `None` for a file that linking makes (entry points, byte code).
    path_type
        As in ``conda-meta`` records: ``hardlink``, ``softlink``, ``pyc_file`` and so on.
    sha256, size
        Hex digest and number of its bytes before relocation, when known.
    placeholder
        The prefix at build time, which installing replaces in relocated kinds.
    content
        The bytes of a file that linking makes.
    original_path
        The path that it lost to another package.
    no_link
        Whether the package asks for a copy instead of a link.
    """

    path: str
    source: str | None
    kind: FileKind
    path_type: str
    sha256: str | None = None
    size: int | None = None
    placeholder: str | None = None
    file_mode: Literal["text", "binary"] | None = None
    content: bytes | None = None
    original_path: str | None = None
    no_link: bool = False

    @property
    def is_entry_point(self) -> bool:
        """Whether linking makes it from the name of a Python function."""
        return "entry_point" in self.path_type


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaBase:
    """The release that a delta upgrades, and the executable that runs the delta in a prefix of it."""

    version: str
    manifest_sha256: str
    interpreter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The installed prefix of one platform, as files from which installers are made.

    Attributes
    ----------
    manifest_raw
        Bytes of the manifest before compression.
    raw_size
        Bytes that the prefix takes on disk, byte code included.
    longest_path
        Characters of the longest path below the prefix.
    interpreter
        The executable that stage 0 starts, relative to the prefix.
    floor
        The platform's virtual packages, name to version, such as ``{"__glibc": "2.28"}``.
    settings
        What installers do besides linking packages. The extra files are in the payload, and not named here.
    base
        The release that is upgraded, if this is what a delta carries.
    """

    platform: str
    label: ReleaseLabel
    manifest_sha256: str
    manifest_raw: int
    stage0_sha256: str
    payload_sha256: str
    raw_size: int
    files: int
    longest_path: int
    interpreter: str
    floor: Mapping[str, str]
    settings: InstallerSettings = field(default_factory=InstallerSettings)
    folder: Path = field(default=Path(), metadata=codec.LOCAL)
    base: DeltaBase | None = field(default=None, metadata=codec.LOCAL)

    @property
    def stage0(self) -> Path:
        """The smallest prefix that starts the release's own interpreter."""
        return self.folder / STAGE0

    @property
    def manifest(self) -> Path:
        """The link plan, and where each frame is in the payload."""
        return self.folder / MANIFEST

    @property
    def payload(self) -> Path:
        """The frames, one after the other."""
        return self.folder / PAYLOAD

    @property
    def size_on_disk(self) -> int:
        """Bytes that a prefix takes: on average a file wastes half a block of 4 KiB."""
        return self.raw_size + 2048 * self.files

    def save(self) -> None:
        """Write ``image.json``, from which `load` reads the image again."""
        _DOCUMENT.write(self.folder / _DESCRIPTION, self)

    @staticmethod
    def load(folder: Path) -> "Image":
        """Return the image in a folder.

        Raises
        ------
        SourceUnreachableError
            If there is none.
        IntegrityError
            If it cannot be read, or was written by another version.
        """
        return replace(_DOCUMENT.read(folder / _DESCRIPTION), folder=folder)


_DOCUMENT = codec.Document(name="image", kind=Image)
