"""A wheel with patches applied: a wheel again, with a RECORD that is true of it."""

import csv
import io
import posixpath
import zipfile
from collections.abc import Mapping
from pathlib import Path

from cuvee.channel.patches.applied_patch import apply_patch
from cuvee.channel.patches.patch_files import PatchSet
from cuvee.channel.wheels.wheel_archive import WheelArchive, open_wheel
from cuvee.channel.wheels.wheel_record import record_digest
from cuvee.errors import BlockedError, IntegrityError
from cuvee.files import replacing

_SIGNED = ("RECORD", "RECORD.jws", "RECORD.p7s")


def patch_wheel(path: Path, patches: PatchSet, folder: Path) -> Path:
    """Write the wheel at ``path`` with patches as ``folder/<file name>``, and return its path.

    The same wheel and patches give the same bytes.

    Raises
    ------
    BlockedError
        If a patch does not apply, or changes what it must not: see `apply_patch`.
    IntegrityError
        If the wheel is broken or hostile.
    """
    name = patches.package.wheel
    target = folder / name
    with open_wheel(path, file_name=name) as wheel:
        changed = _changed(wheel, patches)
        written = {item: wheel.read(item) for item in wheel.members if item not in changed}
        written |= {item: data for item, data in changed.items() if data is not None}
        info = wheel.dist_info
        for item in _SIGNED:
            written.pop(f"{info}/{item}", None)
        written[f"{info}/RECORD"] = _record(written, info)
        with replacing(target) as beside, zipfile.ZipFile(beside, "w", zipfile.ZIP_STORED) as archive:
            for item, data in sorted(written.items()):
                archive.writestr(_zip_info(wheel, item), data)
    return target


def _changed(wheel: WheelArchive, patches: PatchSet) -> Mapping[str, bytes | None]:
    changed: dict[str, bytes | None] = {}

    def read(item: str) -> bytes | None:
        if item in changed:
            return changed[item]
        return wheel.read(item) if item in wheel.members else None

    for patch in patches.patches:
        for file in patch.diff:
            _refuse_made_files(file.path, wheel, patch.name)
        changed |= apply_patch(patch.diff, read, name=patch.name, subject=wheel.name.file_name)
    _refuse_clashes(wheel, changed)
    return changed


def _refuse_made_files(item: str, wheel: WheelArchive, patch: str) -> None:
    if item in {f"{wheel.dist_info}/{name}" for name in _SIGNED}:
        raise BlockedError(
            f"The patch {patch} changes {item}, which is made again", hint="Leave it out of the patch."
        )
    first = item.partition("/")[0]
    if first.endswith(".dist-info") and first != wheel.dist_info:
        raise BlockedError(
            f"The patch {patch} adds {item}: a wheel has one folder .dist-info, here {wheel.dist_info}",
            hint="Leave it out of the patch.",
        )


def _refuse_clashes(wheel: WheelArchive, changed: Mapping[str, bytes | None]) -> None:
    """Refuse a file that is added below another file: it could not be unpacked."""
    files = {*wheel.members, *changed} - {item for item, data in changed.items() if data is None}
    for item in changed:
        parent = posixpath.dirname(item)
        while parent:
            if parent in files:
                raise IntegrityError(
                    f"{wheel.name.file_name}: the patches add {item}, and {parent} is a file"
                )
            parent = posixpath.dirname(parent)


def _record(files: Mapping[str, bytes], info: str) -> bytes:
    """Return RECORD: https://packaging.python.org/en/latest/specifications/recording-installed-packages/."""
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    for path, data in sorted(files.items()):
        rows.writerow((path, f"sha256={record_digest(data)}", len(data)))
    rows.writerow((f"{info}/RECORD", "", ""))
    return text.getvalue().encode()


def _zip_info(wheel: WheelArchive, item: str) -> zipfile.ZipInfo:
    """Return how a file is stored: as before, and an added one with the time of the newest other."""
    old = wheel.members.get(item)
    info = zipfile.ZipInfo(item, date_time=old.date_time if old is not None else wheel.newest)
    info.external_attr = old.external_attr if old is not None else 0o644 << 16
    info.create_system = 3  # Unix, whatever this machine is
    return info
