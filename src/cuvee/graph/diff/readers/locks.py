"""Readers of locks: `pixi.lock`, `conda-lock.yml`, and exported environments."""

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.conda.package_record import OWN_CHANNEL, LockedPackage
from cuvee.conda.rattler_records import from_rattler
from cuvee.conda.url_secrets import without_secrets
from cuvee.files import storage_errors
from cuvee.graph.diff.model import METADATA
from cuvee.graph.diff.readers.listings import archive
from cuvee.graph.diff.readers.manifests import read_requirement
from cuvee.graph.diff.readers.yaml_text import fields, items, line, text
from cuvee.graph.diff.snapshot import Snapshot, lock_of, of_index, package, unreadable
from cuvee.lock.pixi_lock import open_pixi
from cuvee.manifest.documents.source_tree import MappingNode, SourceNode
from cuvee.manifest.model import Requirement

if TYPE_CHECKING:
    from rattler import Environment
    from rattler import LockedPackage as RattlerLockedPackage

_EXACT = re.compile(r"(?:\S+::)?([^=<>!~\s\[]+)==?(\d[^=<>,|*\s]*)(?:=([^=*\s]+))?")


def read_pixi(path: Path, environment: str | None) -> Snapshot:
    """Read one environment of a `pixi.lock`, on all of its platforms."""
    try:
        environments = dict(open_pixi(path).environments())
    except ValueError as error:
        raise unreadable(path, None, f"it is not a pixi.lock: {error}") from None
    name = environment or ("default" if "default" in environments else next(iter(environments), ""))
    if name not in environments or (environment is None and name != "default" and len(environments) > 1):
        raise unreadable(
            path,
            None,
            f"it has no environment {name!r}" if environment else "it has no default environment",
            hint=f"Name one with --environment: {', '.join(sorted(environments))}.",
        )
    return Snapshot(
        title="",
        kind="pixi.lock",
        lock=lock_of(path, _locked(path, environments[name])),
        requested=_workspace(path.with_name("pixi.toml")),
        knows=METADATA,
    )


def _workspace(path: Path) -> frozenset[str] | None:
    """Return the names that a `pixi.toml` requests in any feature; `None` if there is no such file."""
    if not path.is_file():
        return None
    try:
        with storage_errors(path), path.open("rb") as stream:
            top = tomllib.load(stream)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(path, None, f"it is not readable TOML: {error}") from None
    features = [top, *_tables(top.get("feature"))]
    targets = [target for feature in features for target in _tables(feature.get("target"))]
    tables = (part.get("dependencies") for part in (*features, *targets))
    return frozenset(name.lower() for table in tables if isinstance(table, dict) for name in table)


def _tables(value: object) -> list[dict[str, object]]:
    """Return the tables of a table of tables, without anything else."""
    items = value.values() if isinstance(value, dict) else ()
    return [item for item in items if isinstance(item, dict)]


def _locked(path: Path, environment: "Environment") -> list[LockedPackage]:
    return [
        _pixi_package(path, item, platform.name)
        for platform in environment.platforms()
        for item in environment.packages(platform) or []
    ]


def _pixi_package(path: Path, item: "RattlerLockedPackage", platform: str) -> LockedPackage:
    from rattler import CondaLockedBinaryPackage, PypiLockedPackage

    if isinstance(item, PypiLockedPackage):
        return package(path, None, name=of_index(item.name), version=str(item.version or "0"),
                       platform=platform, channel="pypi")  # fmt: skip
    record = item.package_record if isinstance(item, CondaLockedBinaryPackage) else None
    if record is None:
        raise unreadable(path, None, f"{item.name} on {platform} is a source package, which has no record")
    location = without_secrets(item.location)
    if "://" in location:
        channel, url = location.rsplit("/", 2)[0], location
    else:
        channel, url = OWN_CHANNEL, location.removeprefix("../")
    return from_rattler(record, url=url, channel=channel).locked_for(platform)


def read_conda_lock(path: Path, node: MappingNode) -> Snapshot:
    """Read a `conda-lock.yml` of version 1, the format of https://github.com/conda/conda-lock."""
    top = fields(path, node, "the file")
    if text(path, top.get("version"), "version", default="1") != "1":
        raise unreadable(path, line(top["version"]), "only version 1 of conda-lock's format is supported")
    found = [_conda_lock_package(path, item) for item in items(path, top["package"], "package")]
    knows = ("depends", "channel", "subdir")
    return Snapshot(title="", kind="conda-lock.yml", lock=lock_of(path, found), knows=knows)


def _conda_lock_package(path: Path, node: SourceNode) -> LockedPackage:
    entry, at = fields(path, node, "a package"), line(node)
    missing = [key for key in ("name", "version", "manager", "platform", "url") if key not in entry]
    if missing:
        raise unreadable(path, at, f"a package lacks {', '.join(missing)}")
    stated = {key: text(path, entry[key], key) for key in ("name", "version", "manager", "platform", "url")}
    name, platform = stated["name"], stated["platform"]
    hashes = fields(path, entry["hash"], "hash") if "hash" in entry else {}
    known = {key: text(path, value, key).lower() for key, value in hashes.items() if key in {"md5", "sha256"}}
    if stated["manager"] != "conda":
        return package(path, at, name=of_index(name), version=stated["version"], platform=platform,
                       channel="pypi", **known)  # fmt: skip
    ranges = fields(path, entry["dependencies"], "dependencies") if "dependencies" in entry else {}
    depends = tuple(f"{key} {text(path, value, key)}".strip() for key, value in sorted(ranges.items()))
    record = archive(path, at, stated["url"], platform, depends=depends, **known)
    if (record.name, record.version) != (name, stated["version"]):
        raise unreadable(
            path, at, f"the URL of {name} {stated['version']} is that of another package: {record.url}"
        )
    return record


def read_environment(path: Path, node: MappingNode) -> Snapshot:
    """Read an `environment.yml`: its requirements, and its packages if each has an exact version."""
    requirements: list[Requirement] = []
    exact: list[LockedPackage] | None = []
    for item in items(path, fields(path, node, "the file")["dependencies"], "dependencies"):
        if isinstance(item, MappingNode):
            for key, value in fields(path, item, "dependencies").items():
                for pin in items(path, value, key):
                    _add_pip(path, line(pin), text(path, pin, key), exact)
            continue
        spec, at = text(path, item, "a dependency"), line(item)
        requirements.append(read_requirement(path, at, spec))
        match = _EXACT.fullmatch(spec.strip())
        if match is None:
            exact = None
        elif exact is not None:
            exact.append(
                package(path, at, name=match[1], version=match[2], build=match[3] or "", platform="")
            )
    return Snapshot(
        title="",
        kind="environment.yml",
        lock=lock_of(path, exact) if exact else None,
        requirements=tuple(requirements),
        requested=None if exact else frozenset(item.name for item in requirements),
    )


def _add_pip(path: Path, at: int, text: str, exact: list[LockedPackage] | None) -> None:
    """Add an exact pin of pip's; other requirements of pip's cannot be compared."""
    name, found, version = text.partition("==")
    if found and exact is not None:
        name, version = name.partition("[")[0].strip(), re.split(r"[;\s]", version.strip())[0]
        exact.append(package(path, at, name=of_index(name), version=version, platform=""))
