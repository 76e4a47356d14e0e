"""Readers of locks: `pixi.lock`, `conda-lock.yml`, and exported environments."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.rattler_records import from_rattler
from cuvee.conda.url_secrets import without_secrets
from cuvee.errors import UsageError
from cuvee.graph.diff.model import METADATA
from cuvee.graph.diff.readers.listings import archive
from cuvee.graph.diff.readers.manifests import read_requirement
from cuvee.graph.diff.readers.pip_lines import read_pip_line
from cuvee.graph.diff.readers.pixi_workspace import requested_names
from cuvee.graph.diff.readers.yaml_text import fields, items, line, text
from cuvee.graph.diff.snapshot import Snapshot, lock_of, of_index, package, unreadable
from cuvee.graph.diff.version_order import UNKNOWN_VERSION
from cuvee.lock.model import Lock
from cuvee.lock.pixi_lock import located, open_pixi, virtual_packages_of
from cuvee.manifest.documents.source_tree import MappingNode, SourceNode
from cuvee.manifest.model import Requirement

if TYPE_CHECKING:
    from rattler import Environment, PypiLockedPackage
    from rattler import LockedPackage as RattlerLockedPackage


def read_pixi(path: Path, environment: str | None) -> Snapshot:
    """Read one environment of a `pixi.lock`, on all of its platforms.

    Raises
    ------
    UsageError
        If it has no such environment, or the environment that is not named has no packages.
    """
    try:
        file, own_channel = open_pixi(path)
        environments = dict(file.environments())
    except ValueError as error:
        raise unreadable(path, None, f"it is not a pixi.lock: {error}") from None
    if not environments:
        raise unreadable(path, None, "it has no environment")
    counts = {name: _count(item) for name, item in environments.items()}
    name = environment or (next(iter(counts)) if len(counts) == 1 else "default")
    if name not in counts or (environment is None and not counts[name]):
        others = ", ".join(
            f"{other} ({counts[other]} packages)"
            for other in sorted(counts, key=lambda other: (not counts[other], other))
        )
        raise UsageError(
            f"{path} has no {'packages in the ' * (name in counts)}environment {name!r}",
            hint=f"Name one with --environment: {others}.",
        )
    return Snapshot(
        title="",
        kind="pixi.lock",
        lock=_locked(path, environments[name], own_channel),
        requested=requested_names(path),
        knows=METADATA,
    )


def _count(environment: "Environment") -> int:
    """Return how many packages an environment has on the platform that has most of them."""
    counts = (len(environment.packages(platform) or []) for platform in environment.platforms())
    return max(counts, default=0)


def _locked(path: Path, environment: "Environment", own_channel: str) -> Lock:
    """Return the packages by platform; one that has a name of its own is called by its subdir if it can."""
    subdirs = Counter(str(platform.subdir) for platform in environment.platforms())
    found, offered = [], {}
    for platform in environment.platforms():
        subdir = str(platform.subdir)
        name = subdir if subdirs[subdir] == 1 else platform.name
        offered[name] = virtual_packages_of(platform)
        items = environment.packages(platform) or []
        found += [_pixi_package(path, item, name, own_channel) for item in items]
    lock = lock_of(path, found)
    return Lock(
        platforms=tuple(replace(part, virtual_packages=offered[part.platform]) for part in lock.platforms)
    )


def _pixi_package(path: Path, item: "RattlerLockedPackage", platform: str, own_channel: str) -> LockedPackage:
    from rattler import CondaLockedPackage, CondaLockedSourcePackage, PypiLockedPackage

    if isinstance(item, PypiLockedPackage):
        # Rattler gives `<dynamic>` as the version of what has none: a folder, such as the project itself.
        version = UNKNOWN_VERSION if item.version in {None, "<dynamic>"} else item.version
        return package(path, None, name=of_index(item.name), version=version, platform=platform,
                       channel="pypi", sha256=_sha256(item))  # fmt: skip
    record = item.package_record if isinstance(item, CondaLockedPackage) else None
    if record is None:
        return package(path, None, name=item.name, version=UNKNOWN_VERSION, platform=platform,
                       url=without_secrets(item.location))  # fmt: skip
    is_source = isinstance(item, CondaLockedSourcePackage)
    url, channel = (item.location, "") if is_source else located(item, own_channel)
    found = from_rattler(record, url=without_secrets(url), channel=without_secrets(channel))
    return found.locked_for(platform)


def _sha256(item: "PypiLockedPackage") -> str:
    try:
        found = item.hashes.sha256 if item.hashes is not None else None
    except AttributeError:  # py-rattler 0.28 gives an object around nothing where there is no hash
        return ""
    return found.hex() if found else ""


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
    """Read an `environment.yml`: its requirements, and its packages if each of conda's is exact.

    ``python=3.11`` means 3.11.*, and ``a=1.0=0`` exactly 1.0: https://github.com/conda/ceps/blob/main/cep-0029.md
    """
    requirements: list[Requirement] = []
    exact: list[LockedPackage] = []
    notes: list[str] = []
    is_exact = True
    for item in items(path, fields(path, node, "the file")["dependencies"], "dependencies"):
        if isinstance(item, MappingNode):
            for key, value in fields(path, item, "dependencies").items():
                for pin in items(path, value, key):
                    found = read_pip_line(path, line(pin), text(path, pin, key))
                    if isinstance(found, str):
                        notes.append(found)
                    else:
                        exact.append(found.package)
                        requirements.append(found.requirement)
            continue
        spec, at = text(path, item, "a dependency"), line(item)
        requirement = read_requirement(path, at, spec)
        requirements.append(requirement)
        version, build = requirement.version.removeprefix("=="), requirement.build or ""
        is_exact = is_exact and requirement.version == f"=={version}" and not set(",|*") & {*version, *build}
        if is_exact:
            exact.append(package(path, at, name=requirement.name, version=version, build=build, platform=""))
    return Snapshot(
        title="",
        kind="environment.yml",
        lock=lock_of(path, exact) if exact and is_exact else None,
        requirements=tuple(requirements),
        requested=None if exact and is_exact else frozenset(item.name for item in requirements),
        notes=tuple(notes),
    )
