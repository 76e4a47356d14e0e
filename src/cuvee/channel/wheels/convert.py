"""Converting one wheel to one conda package.

Wheels: https://packaging.python.org/en/latest/specifications/binary-distribution-format/ (PEP 427).
"""

import csv
import datetime as dt
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.channel.compiled_files import compiled_files
from cuvee.channel.content_versions import CONVERTER
from cuvee.channel.package_writer import PLACEHOLDER, PackageContent, PackageFile
from cuvee.channel.patches.patch_files import PatchSet, patched_build
from cuvee.channel.wheels.core_metadata import CoreMetadata, EntryPoint, parse_entry_points, parse_metadata
from cuvee.channel.wheels.import_names import import_names
from cuvee.channel.wheels.install_scheme import InstalledFile, InstallScheme, installed_files, scheme_for
from cuvee.channel.wheels.wheel_archive import WheelArchive
from cuvee.channel.wheels.wheel_licenses import license_expression
from cuvee.channel.wheels.wheel_record import RecordEntry, record_digest
from cuvee.channel.wheels.wheel_scripts import entry_point_files, script_file
from cuvee.files import fingerprint

_LARGE = 8 << 20
_MOST_IRREGULARITIES = 20
_LICENSE_NAMES = ("licen", "copying", "notice", "authors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """A package to make of the wheel with this file name and hash; equal conversions give equal bytes.

    ``minor`` is Python's minor version, such as ``3.11``; ``depends`` is sorted. ``launcher`` is the hex
    digest of the program that starts scripts on Windows, where the package has such. ``conda_name`` is the
    package's name, empty for the project's normalised one. ``byte_code`` is the full version of the Python
    that compiles its byte code, empty for none. ``patches`` are those of the wheel, which it has already.
    """

    wheel: str
    sha256: str
    conda_name: str = ""
    subdir: str
    minor: str
    depends: tuple[str, ...]
    launcher: str | None = None
    byte_code: str = ""
    patches: PatchSet | None = None

    @property
    def key(self) -> str:
        """What the package is cached under: everything that its bytes depend on."""
        return fingerprint(
            {
                "byte_code": self.byte_code,
                "conda_name": self.conda_name,
                "converter": CONVERTER,
                "depends": self.depends,
                "launcher": self.launcher,
                "minor": None if self.subdir == "noarch" else self.minor,
                **({} if self.patches is None else {"patches": self.patches.digest}),
                "placeholder": PLACEHOLDER,
                "sha256": self.sha256,
                "subdir": self.subdir,
                "wheel": self.wheel,
            }
        )

    @property
    def build(self) -> str:
        """The build string; it changes with the content."""
        python = "py" if self.subdir == "noarch" else f"py{self.minor.replace('.', '')}"
        build = f"{python}_{self.key[:8]}_0"
        return build if self.patches is None else patched_build(build, self.build_number)

    @property
    def build_number(self) -> int:
        """0, or more if it is patched."""
        return 0 if self.patches is None else self.patches.number


def convert(
    wheel: WheelArchive,
    conversion: Conversion,
    *,
    scratch: Path,
    launcher: bytes | None = None,
    compiler: ByteCompiler | None = None,
) -> PackageContent:
    """Return the content of the conda package for a wheel.

    Everything is read from the wheel before this function returns. ``scratch`` is an existing empty folder
    for large files, which must exist until the package is written; ``launcher`` starts scripts on Windows,
    and ``compiler`` makes the byte code, if the conversion has any.

    Raises
    ------
    IntegrityError
        If a member differs from its line in RECORD, or would be installed where it must not be.
    """
    where = wheel.name.file_name
    metadata = parse_metadata(wheel.read(f"{wheel.dist_info}/METADATA"), where=where)
    scheme = scheme_for(conversion.subdir, conversion.minor)
    installed = installed_files(wheel, scheme)
    files = [_file(wheel, one, scheme, scratch, number) for number, one in enumerate(installed)]
    verified = {
        one.path: known
        for one in installed
        if not one.is_script and (known := wheel.record.of(one.member)) is not None
    }
    points = _entry_points(wheel, scheme, {file.path for file in files})
    if not scheme.is_noarch:
        files += entry_point_files(points, scheme, launcher)
    timestamp = _timestamp(wheel)
    compiled: list[PackageFile] = []
    if compiler is not None and conversion.byte_code:
        compiled = compiled_files(files, roots=(scheme.site,), timestamp=timestamp, compiler=compiler)
    info = f"{scheme.site}/{wheel.dist_info}"
    files.append(PackageFile(path=f"{info}/INSTALLER", content=b"conda\n"))
    files.append(PackageFile(path=f"{info}/RECORD", content=_record(files, compiled, verified, info, scheme)))
    licenses = _license_files(wheel, metadata)
    return PackageContent(
        name=conversion.conda_name or metadata.name,
        version=str(metadata.version),
        build=conversion.build,
        build_number=conversion.build_number,
        subdir=conversion.subdir,
        noarch="python" if scheme.is_noarch else None,
        depends=conversion.depends,
        timestamp=timestamp,
        license=license_expression(metadata, licenses),
        license_files=licenses,
        summary=metadata.summary,
        url=metadata.url,
        entry_points=tuple(map(str, points)) if scheme.is_noarch else (),
        test_imports=_imports(wheel, installed, scheme),
        test_programs=_test_programs(conversion.patches),
        extra={
            "cuvee": {
                "wheel": where,
                "sha256": conversion.sha256,
                **_irregularities(wheel, metadata),
                **({} if conversion.patches is None else {"patched": conversion.patches.statement}),
            }
        },
        extra_info={} if conversion.patches is None else conversion.patches.info_files(),
        files=(*files, *compiled),
    )


def _test_programs(patches: PatchSet | None) -> tuple[str, ...]:
    return tuple(item.text for item in patches.tests) if patches is not None else ()


def _irregularities(wheel: WheelArchive, metadata: CoreMetadata) -> dict[str, list[str]]:
    """Return where a wheel breaks its format, for `info/about.json`; a check reads it there."""
    found = list(dict.fromkeys((*wheel.irregularities, *metadata.repairs)))
    more = len(found) - _MOST_IRREGULARITIES
    listed = [*found[:_MOST_IRREGULARITIES], f"and {more} more"] if more > 0 else found
    return {"irregularities": listed} if listed else {}


def _file(
    wheel: WheelArchive, installed: InstalledFile, scheme: InstallScheme, scratch: Path, number: int
) -> PackageFile:
    data = wheel.read(installed.member)
    if installed.is_script:
        return script_file(installed.path, data, scheme)
    content: bytes | Path = data
    if len(data) > _LARGE:
        content = scratch / str(number)
        content.write_bytes(data)
    return PackageFile(path=installed.path, content=content, executable=wheel.is_executable(installed.member))


def _record(
    files: list[PackageFile],
    compiled: list[PackageFile],
    verified: Mapping[str, RecordEntry],
    info: str,
    scheme: InstallScheme,
) -> bytes:
    """Return RECORD for the installed files, without the hashes of those that contain the prefix.

    Byte code has no hashes either, as pip writes it, since Python may replace it.

    https://packaging.python.org/en/latest/specifications/recording-installed-packages/ (PEP 376, PEP 627)
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text, lineterminator="\n")
    made = {file.path for file in compiled}
    for file in sorted([*files, *compiled], key=lambda file: file.path):
        path = scheme.record_path(file.path)
        if path is None:
            continue
        known = verified.get(file.path)
        if file.placeholder is not None or file.path in made:
            rows.writerow((path, "", ""))
        elif known is not None and known.size is not None:
            rows.writerow((path, f"{known.algorithm}={known.digest}", known.size))
        else:
            data = file.read()
            rows.writerow((path, f"sha256={record_digest(data)}", len(data)))
    rows.writerow((scheme.record_path(f"{info}/RECORD"), "", ""))
    return text.getvalue().encode()


def _entry_points(wheel: WheelArchive, scheme: InstallScheme, taken: set[str]) -> tuple[EntryPoint, ...]:
    """Return the entry points to make scripts of: each name once, without files of the wheel."""
    points = parse_entry_points(wheel.info_file("entry_points.txt") or b"", where=wheel.name.file_name)
    unique = {point.name.casefold(): point for point in reversed(points)}
    return tuple(
        point
        for point in points
        if unique[point.name.casefold()] is point and f"{scheme.scripts}/{point.name}" not in taken
    )


def _license_files(wheel: WheelArchive, metadata: CoreMetadata) -> Mapping[str, bytes]:
    found = {}
    declared = set(metadata.license_files)
    for member in wheel.members:
        top, _, rest = member.partition("/")
        if top != wheel.dist_info:
            continue
        if (
            rest.startswith("licenses/")
            or rest in declared
            or ("/" not in rest and rest.lower().startswith(_LICENSE_NAMES))
        ):
            found[rest] = wheel.read(member)
    below = {name for name in found if name.startswith("licenses/")}
    if below:  # where wheels keep all of them since PEP 639
        return {name.removeprefix("licenses/"): found[name] for name in below}
    return found


def _imports(
    wheel: WheelArchive, installed: tuple[InstalledFile, ...], scheme: InstallScheme
) -> tuple[str, ...]:
    prefix = f"{scheme.site}/"
    members = {one.path.removeprefix(prefix): one.member for one in installed if one.path.startswith(prefix)}
    modules = [path for path in members if not path.startswith(f"{wheel.dist_info}/")]
    return import_names(modules, is_script=lambda path: wheel.read(members[path]).startswith(b"#!"))


def _timestamp(wheel: WheelArchive) -> int:
    try:
        newest = dt.datetime(*wheel.newest, tzinfo=dt.UTC)
    except ValueError:  # dates in zip archives are not validated: the month may be 0
        newest = dt.datetime(1980, 1, 1, tzinfo=dt.UTC)
    return int(newest.timestamp()) * 1000
