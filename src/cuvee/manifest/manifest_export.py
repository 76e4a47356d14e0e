"""An evaluated manifest as data, and as YAML that says where each value came from."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cuvee.approvals.approval_policy import ApprovalPolicy
from cuvee.codec import encode, encode_object
from cuvee.manifest.model import Manifest, PatchedPackage, PlatformEntry, Requirement

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/.@+\-]*( [A-Za-z0-9_/.@+\-]+)*")
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}
_COMMENT_COLUMN = 64
_OF_PACKAGES = frozenset({"name", "match", "reason", "position"})
_OF_CONSTRAINTS = _OF_PACKAGES | {"owner", "groups", "platforms", "deprecated"}
"""Fields of requirements that a manifest does not state."""

Data = Mapping[str, Any]


class _Row(NamedTuple):
    text: str
    comment: str = ""


def as_data(manifest: Manifest) -> Data:
    """Return every value of the manifest under its key, defaults filled in, as JSON has it."""
    policy = manifest.policy
    return {
        "manifest": 1,
        "distribution": manifest.distribution,
        "version": str(manifest.version),
        "title": manifest.title,
        "based-on": str(manifest.base.version) if manifest.base else None,
        "support": encode(manifest.support),
        "platforms": {platform.name: _platform(platform) for platform in manifest.platforms},
        "channels": list(manifest.channels),
        "channel-url": manifest.channel_url or None,
        "packages": {item.name: _package(item) for item in manifest.packages},
        "constraints": {item.name: encode(item, without=_OF_CONSTRAINTS) for item in manifest.constraints},
        "wheels": [
            f"{wheel.name}[{','.join(wheel.extras)}]" if wheel.extras else wheel.name
            for wheel in manifest.wheels
        ],
        "interpreter": manifest.interpreter,
        "recipes": list(manifest.recipes),
        "patched": {item.name: _patched(item) for item in manifest.patched},
        "exclude-newer": manifest.exclude_newer.isoformat().replace("+00:00", "Z")
        if manifest.exclude_newer
        else None,
        "policy": {
            "licenses": encode(policy.licenses),
            "patch": {"allow": list(policy.patch)},
            "age": {"at-least": policy.age.at_least, "at-most": policy.age.at_most},
            "inclusion": {
                "binding": list(policy.inclusion.binding),
                "most-packages": policy.inclusion.most_packages,
                "most-megabytes": policy.inclusion.most_megabytes,
            },
            "platforms": None
            if policy.platforms is None
            else {name: list(suites) for name, suites in policy.platforms.items()},
            "approvals": None if policy.approvals is None else _approvals(policy.approvals),
            "checks": {name: {"severity": severity} for name, severity in policy.checks.items()},
        },
        "suites": list(manifest.suites),
        "installers": encode(manifest.installers),
        "owners": {owner.name: encode(owner, without=frozenset({"name"})) for owner in manifest.owners},
        "waivers": encode(manifest.waivers, without=frozenset({"position"})),
    }


def _approvals(policy: ApprovalPolicy) -> Data:
    return {
        "count": policy.count,
        "organisations": policy.organisations,
        "roles": {level: list(roles) for level, roles in policy.roles.items()},
        "waivers": {name: list(roles) for name, roles in policy.waivers.items()},
        "people": {
            item.handle: {
                "name": item.person.name,
                "organisation": item.person.organisation,
                "roles": list(item.roles),
                "key": item.person.public.text,
                "since": item.person.since.isoformat(),
                "until": item.person.until.isoformat(),
            }
            for item in policy.people
        },
    }


def as_json(manifest: Manifest) -> Data:
    """Return the manifest's values, and for each dotted path where it was stated."""
    return {
        "path": str(manifest.path),
        "values": as_data(manifest),
        "sources": {
            path: {"file": str(position.file), "line": position.line, "column": position.column}
            for path, position in manifest.sources.items()
        },
    }


def as_yaml(manifest: Manifest) -> str:
    """Return the manifest as YAML without a base; a comment says where each value came from.

    Read again from the same folder, it evaluates to the same manifest.
    """
    data = dict(as_data(manifest))
    data["based-on"] = None
    rows = [row for name, value in data.items() for row in _rows(manifest, name, name, value, 0)]
    widest = max(
        (len(row.text) for row in rows if row.comment and len(row.text) < _COMMENT_COLUMN), default=0
    )
    lines = [f"{row.text.ljust(widest)}  # {row.comment}" if row.comment else row.text for row in rows]
    title = f"# {manifest.release_name}, evaluated"
    if manifest.base:
        title += f"; based on {manifest.base.release_name}, whose values are filled in"
    return "\n".join([title, *lines]) + "\n"


def _package(item: Requirement) -> Data:
    stated = encode_object(item, without=_OF_PACKAGES)
    gone = item.deprecated
    if gone is None:
        return stated
    version = str(gone.removed_in) if gone.removed_in else None
    return {
        **stated,
        "deprecated": {"reason": gone.reason, "instead": gone.instead, "removed-in": version},
    }


def _patched(package: PatchedPackage) -> Data:
    values = encode_object(package, without=frozenset({"name", "position"}))
    return {key.replace("_", "-"): value for key, value in values.items() if value}


def _platform(platform: PlatformEntry) -> Data:
    absent = {} if platform.absent is None else {"absent": platform.absent}
    return {"floor": dict(platform.floor), **absent}


def _rows(manifest: Manifest, path: str, name: str, value: object, depth: int) -> Iterator[_Row]:
    """Yield the lines of one key; ``depth`` counts the levels around it."""
    start = f"{'  ' * depth}{_text(name)}:"
    comment = _comment(manifest, path)
    if path in {"packages", "constraints"} and isinstance(value, Mapping):
        yield from _package_rows(manifest, path, start, value)
    elif path == "waivers" and isinstance(value, list) and value:
        yield _Row(start, comment)
        for index, waiver in enumerate(value):
            yield from _waiver_rows(manifest, f"{path}.{index}", waiver)
    elif isinstance(value, Mapping) and value:
        yield _Row(start)
        for key, inner in value.items():
            yield from _rows(manifest, f"{path}.{key}", key, inner, depth + 1)
    else:
        yield _Row(f"{start} {_inline(value)}", comment)


def _package_rows(manifest: Manifest, path: str, start: str, packages: Data) -> Iterator[_Row]:
    """Yield the lines of packages; the short form where only the version is stated."""
    if not packages:
        yield _Row(f"{start} {{}}", _comment(manifest, path))
        return
    yield _Row(start)
    for name, package in packages.items():
        stated = {key: value for key, value in package.items() if f"{path}.{name}.{key}" in manifest.sources}
        if stated.keys() <= {"version"}:
            comment = _comment(manifest, f"{path}.{name}.version")
            yield _Row(f"  {_text(name)}: {_inline(package['version'])}", comment)
            continue
        yield _Row(f"  {_text(name)}:")
        for key, value in ({"version": package["version"]} | stated).items():
            yield from _rows(manifest, f"{path}.{name}.{key}", key, value, 2)


def _waiver_rows(manifest: Manifest, path: str, waiver: Data) -> Iterator[_Row]:
    mark = "-"
    for key, value in waiver.items():
        if value is not None:
            yield _Row(f"  {mark} {key}: {_inline(value)}", _comment(manifest, f"{path}.{key}"))
            mark = " "


def _comment(manifest: Manifest, path: str) -> str:
    position = manifest.sources.get(path)
    if path == "based-on" or position is None:
        return "default" if path != "based-on" else ""
    return f"{position.file.name}:{position.line}"


def _inline(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return f"[{', '.join(map(_inline, value))}]"
    if isinstance(value, Mapping):
        return "{}"
    return str(value) if isinstance(value, int) else _text(str(value))


def _text(value: str) -> str:
    """Return a text without quotes where no reader of YAML could take it for anything else."""
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)
