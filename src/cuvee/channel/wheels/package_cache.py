"""Packages made of wheels, cached by the hash of everything that they are made from."""

import os
import shutil
from pathlib import Path

from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.channel.package_writer import write_package
from cuvee.channel.repodata_writer import Record, record_of
from cuvee.channel.wheels.convert import convert
from cuvee.channel.wheels.planned_packages import PlannedPackage
from cuvee.channel.wheels.wheel_archive import open_wheel
from cuvee.files import fingerprint, parse_json, replacing, replacing_folder, sha256_file, write_json
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder


def cached_package(
    planned: PlannedPackage,
    cache: Path,
    launcher: bytes | None,
    compiler: ByteCompiler | None,
    reporter: Reporter,
) -> tuple[Path, Record, bool]:
    """Return the archive of a package, what repodata says of it, and whether it was made now.

    Archives are kept as ``<cache>/<key>/<stem>.conda``, with their hash and record beside them. ``launcher``
    is the program that starts scripts on Windows, ``compiler`` makes byte code. One that has changed since is
    made again.
    """
    kept, wheel = cache / planned.conversion.key, planned.wheel
    if (archive := _verified(kept)) is not None:
        return archive, _record(kept, archive), False
    if kept.exists():
        reporter.warn(f"{kept} is damaged; the package is made again")
    with replacing_folder(kept) as beside:
        with (
            temporary_folder("scratch", within=beside) as scratch,
            open_wheel(wheel.path, file_name=wheel.name.file_name) as opened,
        ):
            content = convert(
                opened, planned.conversion, scratch=scratch, launcher=launcher, compiler=compiler
            )
            made = write_package(content, beside)
        record = record_of(made)
        _write(beside, made.name, record)
    return kept / made.name, record, True


def _write(folder: Path, archive: str, record: Record) -> None:
    values = {"archive": archive, "sha256": record["sha256"], "record": record, "digest": fingerprint(record)}
    write_json(folder / "package.json", values)


def _record(folder: Path, archive: Path) -> Record:
    """Return what repodata says of a verified archive in a folder of the cache; an old one has none."""
    kept = parse_json((folder / "package.json").read_bytes())
    record: Record = kept.get("record", {})
    if fingerprint(record) != kept.get("digest") or record.get("sha256") != kept["sha256"]:
        record = record_of(archive)
        _write(folder, archive.name, record)
    return record


def _verified(folder: Path) -> Path | None:
    """Return the archive in a folder of the cache, if its hash is still the same."""
    try:
        kept = parse_json((folder / "package.json").read_bytes())
        archive = folder / Path(kept["archive"]).name
        return archive if sha256_file(archive) == kept["sha256"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def put(archive: Path, folder: Path) -> Path:
    """Put a package into a folder of a channel: a hard link where the disk allows it, else a copy."""
    target = folder / archive.name
    if target.exists() and target.samefile(archive):
        return target
    with replacing(target) as beside:
        beside.unlink()
        try:
            os.link(archive, beside)
        except OSError:
            shutil.copyfile(archive, beside)
    return target
