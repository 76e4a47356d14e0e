"""The zip of a release's bundle: one form per contents, so that each of its bytes has a meaning.

Members are stored, not compressed, sorted, and without times. So the bytes do not depend on the version of
a compressor, nothing can be hidden between members, and no member is larger than the file.
"""

import io
import zipfile
from collections.abc import Mapping

from cuvee.errors import IntegrityError
from cuvee.trust.site_roles import check_path

BUNDLE = "trust/bundle.zip"
"""The bundle's file, in the folder of a release."""

LARGEST_BUNDLE = 1 << 30
_START = b"PK\x03\x04"
_TIME = (1980, 1, 1, 0, 0, 0)


def is_zip(start: bytes) -> bool:
    """Whether a file that begins so may be a bundle."""
    return start.startswith(_START)


def bundle_bytes(members: Mapping[str, bytes]) -> bytes:
    """Return the zip of members: the same members give the same bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name, data in sorted(members.items()):
            info = zipfile.ZipInfo(name, _TIME)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, data)
    return stream.getvalue()


def read_bundle(data: bytes, *, source: str) -> dict[str, bytes]:
    """Return the members of a zip that `bundle_bytes` made.

    Raises
    ------
    IntegrityError
        If it is another file, or has anything that `bundle_bytes` does not write: compressed members, links,
        two members of one name, names that lead out of a folder, or bytes between or behind the members.
    """
    members: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for info in archive.infolist():
                _check(info, known=info.filename in members, source=source)
                members[info.filename] = archive.read(info)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, OverflowError) as error:
        raise IntegrityError(f"{source} cannot be read: {error}", hint=_HINT) from error
    if bundle_bytes(members) != data:
        raise IntegrityError(
            f"{source} has bytes that belong to no member, or other headers than cuvee writes", hint=_HINT
        )
    return members


def _check(info: zipfile.ZipInfo, *, known: bool, source: str) -> None:
    problem = ""
    if known:
        problem = "is there twice"
    elif info.external_attr != 0o100644 << 16:
        problem = "is not an ordinary file"
    elif info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
        problem = "is compressed"
    if problem:
        raise IntegrityError(f"{source}: {info.filename!r} {problem}", hint=_HINT)
    check_path(info.filename)


_HINT = "It is not a bundle that `cuvee publish --trust` wrote, or was changed. Get it again."
