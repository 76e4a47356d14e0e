"""Reading the metadata of a wheel: METADATA, WHEEL and entry_points.txt.

- https://packaging.python.org/en/latest/specifications/core-metadata/ (PEP 566 and its successors)
- https://packaging.python.org/en/latest/specifications/binary-distribution-format/ (PEP 427)
- https://packaging.python.org/en/latest/specifications/entry-points/
"""

import configparser
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.parser import BytesParser
from email.policy import compat32

from packaging.metadata import RawMetadata, parse_email
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import InvalidVersion, Version

from cuvee.channel.wheels.lenient_requirements import lenient_requirement, lenient_specifiers
from cuvee.errors import IntegrityError

_ENTRY_NAME = re.compile(r"[A-Za-z0-9_]([\w.+ -]*[\w.+-])?", flags=re.ASCII)
_OBJECT = re.compile(r"\s*([A-Za-z_][\w.]*)\s*:\s*([A-Za-z_][\w.]*)\s*(?:\[[^\]]*\]\s*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPoint:
    """A script to make: ``name = module:function``."""

    name: str
    module: str
    function: str
    gui: bool = False

    def __str__(self) -> str:
        return f"{self.name} = {self.module}:{self.function}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoreMetadata:
    """The fields of METADATA that a conda package needs.

    ``repairs`` say what is read otherwise than it is written, since it breaks the format.
    """

    name: NormalizedName
    version: Version
    requires: tuple[Requirement, ...] = ()
    requires_python: SpecifierSet
    summary: str = ""
    url: str = ""
    license_expression: str = ""
    license_text: str = ""
    classifiers: tuple[str, ...] = ()
    license_files: tuple[str, ...] = ()
    extras: tuple[NormalizedName, ...] = ()
    repairs: tuple[str, ...] = ()


def parse_metadata(data: bytes, *, where: str) -> CoreMetadata:
    """Read METADATA.

    Raises
    ------
    IntegrityError
        Naming ``where`` and the field, if it lacks a name or version, or a requirement cannot be read.
    """
    raw, _ = parse_email(data)
    try:
        name, version = raw["name"], raw["version"]
    except KeyError as error:
        raise IntegrityError(f"{where}: METADATA has no {error.args[0].title()}, or it twice") from None
    repairs: list[str] = []
    try:
        return CoreMetadata(
            name=canonicalize_name(name, validate=True),
            version=Version(version),
            requires=tuple(_requires(raw.get("requires_dist", []), repairs)),
            requires_python=_requires_python(raw.get("requires_python", ""), repairs),
            summary=" ".join(raw.get("summary", "").split())[:500],
            url=_url(raw),
            license_expression=raw.get("license_expression", ""),
            license_text=raw.get("license", ""),
            classifiers=tuple(raw.get("classifiers", [])),
            license_files=tuple(raw.get("license_files", [])),
            extras=tuple(map(canonicalize_name, raw.get("provides_extra", []))),
            repairs=tuple(repairs),
        )
    except (InvalidRequirement, InvalidSpecifier, InvalidVersion, ValueError) as error:
        first = str(error).splitlines()[0]
        raise IntegrityError(
            f"{where}: METADATA cannot be read: {first}",
            hint="Choose another version of this project, and tell its maintainers.",
        ) from None


def _requires(texts: Iterable[str], repairs: list[str]) -> Iterator[Requirement]:
    for text in texts:
        requirement, is_repaired = lenient_requirement(text)
        if is_repaired:
            repairs.append(f"METADATA requires {text!r}, which is read as {str(requirement)!r}")
        yield requirement


def _requires_python(text: str, repairs: list[str]) -> SpecifierSet:
    specifiers, is_repaired = lenient_specifiers(text)
    if is_repaired:
        repairs.append(f"METADATA requires Python {text!r}, which is read as {str(specifiers)!r}")
    return specifiers


def _url(raw: RawMetadata) -> str:
    """Return the home page: the field, else the project URL that is labelled most like one."""
    labelled = {re.sub(r"[^a-z]", "", key.lower()): url for key, url in raw.get("project_urls", {}).items()}
    choices = [raw.get("home_page", "")]
    choices += [labelled.get(key, "") for key in ("homepage", "home", "source", "repository", "sourcecode")]
    choices += labelled.values()
    return next((url.strip() for url in choices if url.strip().startswith(("https://", "http://"))), "")


def parse_wheel_file(data: bytes, *, where: str) -> bool:
    """Read WHEEL and return whether the root of the wheel is pure.

    Raises
    ------
    IntegrityError
        If its format is not version 1.
    """
    message = BytesParser(policy=compat32).parsebytes(data)
    version = str(message.get("Wheel-Version", "")).strip()
    if not re.fullmatch(r"1\.\d+", version):
        raise IntegrityError(f"{where}: its wheel format is {version or 'not stated'}; only 1.x is known")
    return str(message.get("Root-Is-Purelib", "")).strip().lower() == "true"


def parse_entry_points(data: bytes, *, where: str) -> tuple[EntryPoint, ...]:
    """Read the scripts of entry_points.txt, in their order.

    Raises
    ------
    IntegrityError
        If it cannot be read, or has an invalid name or object reference: both get into files that users run.
    """
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # names keep their case
    try:
        parser.read_string(data.decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        raise IntegrityError(f"{where}: entry_points.txt cannot be read: {error}") from None
    points = []
    for group in ("console_scripts", "gui_scripts"):
        for name, value in parser.items(group) if parser.has_section(group) else ():
            target = _OBJECT.fullmatch(value)
            if target is None or not _ENTRY_NAME.fullmatch(name):
                raise IntegrityError(f"{where}: entry_points.txt has an invalid script, {name!r} = {value!r}")
            points.append(
                EntryPoint(name=name, module=target[1], function=target[2], gui=group == "gui_scripts")
            )
    return tuple(points)
