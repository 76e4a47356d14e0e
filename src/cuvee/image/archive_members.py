"""Reading the files of conda packages, as their metadata lists them."""

from collections.abc import Iterator
from dataclasses import dataclass

from cuvee.conda.package_archive import archive_errors, member_chunks, members
from cuvee.conda.package_info import PackageInfo
from cuvee.errors import IntegrityError
from cuvee.image.spool import Spool, SpooledBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMember:
    """One file of a package: its bytes and mode, or a link's target."""

    path: str
    mode: int
    data: SpooledBytes
    link_target: str | None = None


def read_members(info: PackageInfo, spool: Spool) -> Iterator[ArchiveMember]:
    """Read the files that a package lists into ``spool``; yield them in the archive's order.

    Hard links inside the archive become files of their own.

    Raises
    ------
    IntegrityError
        If a file is missing, or is longer than its entry says.
    """
    entries = {entry.path: entry for entry in info.paths if entry.path_type != "directory"}
    seen: dict[str, ArchiveMember] = {}
    archive = info.archive
    missing = set(entries)
    with archive_errors(archive):
        for tar, member in members(archive, "pkg"):
            entry = entries.get(member.name)
            if entry is None or member.isdir():
                continue
            if member.islnk():
                if member.linkname not in seen:
                    raise IntegrityError(f"{archive.name} links {member.name} to a file that comes later")
                first = seen[member.linkname]
                found = ArchiveMember(path=member.name, mode=first.mode, data=first.data)
            elif member.issym():
                found = ArchiveMember(
                    path=member.name, mode=0o777, data=spool.add(()), link_target=member.linkname
                )
            elif member.isreg():
                limit = member.size if entry.size is None else entry.size
                data = spool.add(member_chunks(tar, member, limit))
                found = ArchiveMember(path=member.name, mode=member.mode & 0o777, data=data)
                seen[member.name] = found
            else:
                raise IntegrityError(
                    f"{archive.name} holds {member.name}, which is not a file, folder or link"
                )
            missing.discard(member.name)
            yield found
    if missing:
        raise IntegrityError(f"{archive.name} lacks {min(missing)}, which its info/ lists")
