"""The types of the image: what is linked where, and what an installer carries."""

import enum
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from cuvee.errors import IntegrityError
from cuvee.files import write_json
from cuvee.image.settings import InstallerSettings

FORMAT = 2
"""Version of the image's format; a runtime refuses others."""

SOURCE_TIME = 1_577_836_800
"""The modification time of every Python source in a prefix, 2020-01-01 UTC: byte code names it."""


STAGE0, MANIFEST, PAYLOAD = "stage0.tar.gz", "manifest.json.zst", "payload.bin"
"""The files of an image."""


SBOM = "conda-meta/cuvee/sbom.cdx.json"
"""Where a prefix keeps the bill of its materials."""


class ImageSigner(Protocol):
    """Signs an image, for those who publish it."""

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes of Ed25519."""

    def sign(self, message: bytes) -> bytes:
        """Give the signature of ``message``, 64 bytes."""


def signed_message(manifest_sha256: str) -> bytes:
    """Give what is signed for an image: its manifest names the hashes of all the rest."""
    return f"cuvee image {manifest_sha256}\n".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLabel:
    """What an image says of the release that it belongs to."""

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
    SOURCE = "source"
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
        Its path in the package; `None` for one that linking makes (entry points, byte code).
    path_type
        As ``conda-meta`` records say it: ``hardlink``, ``softlink``, ``pyc_file`` and so on.
    sha256
        Hex digest of its bytes before relocation, when it is known.
    size
        Bytes before relocation, when known.
    placeholder
        The prefix that a desktop's own replaces, for relocated kinds.
    content
        The bytes of a file that linking makes.
    original_path
        Where it would have gone had another package not won that path.
    no_link
        The package's wish that the file be copied.
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
class Clobber:
    """A path that several packages claim; the winner's file is at ``path``, the others' are kept aside."""

    path: str
    winner: str
    losers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The installed prefix of one platform as files that an installer is put together from.

    Attributes
    ----------
    folder
        Holds ``stage0.tar.gz``, ``manifest.json.zst``, ``payload.bin`` and ``image.json``.
    manifest_sha256, stage0_sha256, payload_sha256
        Hex digests of those files.
    manifest_raw
        Bytes of the manifest before compression.
    raw_size
        Bytes that the prefix takes on disk, byte code included.
    files
        Files in the prefix.
    prefix_limit
        The longest prefix, in bytes, that fits into every binary placeholder; `None` without any.
    longest_path
        Characters of the longest path below the prefix.
    interpreter
        The executable that stage 0 starts, relative to the prefix.
    floor
        The platform's virtual packages, name to version, such as ``{"__glibc": "2.28"}``.
    link_scripts
        Link scripts that packages carry; none of them runs.
    settings
        What installers do besides placing files. Its extra files are in the payload, and not named here.
    """

    platform: str
    label: ReleaseLabel
    folder: Path
    manifest_sha256: str
    manifest_raw: int
    stage0_sha256: str
    payload_sha256: str
    raw_size: int
    files: int
    prefix_limit: int | None
    longest_path: int
    interpreter: str
    floor: Mapping[str, str]
    link_scripts: tuple[str, ...]
    clobbers: tuple[Clobber, ...]
    settings: InstallerSettings = field(default_factory=InstallerSettings)

    @property
    def stage0(self) -> Path:
        """The smallest prefix that starts the release's own interpreter."""
        return self.folder / STAGE0

    @property
    def manifest(self) -> Path:
        """The link plan and the frames' places."""
        return self.folder / MANIFEST

    @property
    def payload(self) -> Path:
        """The frames, one after the other."""
        return self.folder / PAYLOAD

    @property
    def size_on_disk(self) -> int:
        """Bytes that a prefix takes: on average a file has half a block of 4 KiB more than its size."""
        return self.raw_size + 2048 * self.files

    def save(self) -> None:
        """Write ``image.json``, from which `load` reads the image again."""
        value = asdict(replace(self, settings=InstallerSettings()))
        del value["folder"]
        value["settings"] = self.settings.to_json()
        write_json(self.folder / "image.json", value)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the image that a folder holds.

        Raises
        ------
        IntegrityError
            If the folder holds none, or one of another format.
        """
        try:
            value: dict[str, Any] = json.loads((folder / "image.json").read_bytes())
            value["label"] = ReleaseLabel(**value["label"])
            value["clobbers"] = tuple(
                Clobber(**clobber | {"losers": tuple(clobber["losers"])}) for clobber in value["clobbers"]
            )
            value["link_scripts"] = tuple(value["link_scripts"])
            value["settings"] = InstallerSettings.from_json(value["settings"])
            return cls(folder=folder, **value)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"{folder} holds no image that can be read",
                hint="Delete the folder and cut the release again.",
            ) from error
