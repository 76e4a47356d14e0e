"""Choosing wheels for one platform: the requested projects and all their dependencies."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.tags import Tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cuvee.channel.wheels import uv
from cuvee.channel.wheels.model import PinnedWheel, ResolutionTarget, WheelRequest
from cuvee.channel.wheels.resolution_errors import resolution_error
from cuvee.channel.wheels.version_specs import pep440_specifiers
from cuvee.channel.wheels.wheel_archive import WheelName
from cuvee.channel.wheels.wheel_tags import best, supported_tags
from cuvee.errors import BlockedError, IntegrityError, ManifestError


def resolve(requests: Sequence[WheelRequest], target: ResolutionTarget) -> tuple[PinnedWheel, ...]:
    """Choose a wheel for each project that ``requests`` need on one platform, sorted by name.

    Raises
    ------
    BlockedError
        If no set of wheels satisfies the requests, with the lines of the manifest and uv's explanation.
    SourceUnreachableError
        If the index cannot be reached.
    ManifestError
        If a version cannot be requested from an index.
    """
    here = [request for request in requests if target.platform in request.platforms]
    wanted = [_line(request) for request in here if not request.constraint]
    if not wanted:
        return ()
    bounds = {request: line for request in here if request.constraint and (line := _bound(request))}
    done = uv.compile_requirements(wanted, tuple(bounds.values()), target=target)
    if not done.ok:
        asked = [request for request in here if not request.constraint or request in bounds]
        raise resolution_error(
            done, asked, platform=target.platform, nearest=lambda one: _nearest(one, target)
        )
    reasons = uv.yanked(done.stderr)
    kept = {name for name in target.prefer if canonicalize_name(name) in {yanked for yanked, _ in reasons}}
    if kept:  # uv keeps what it is told to prefer, although it was yanked
        prefer = {name: version for name, version in target.prefer.items() if name not in kept}
        return resolve(requests, replace(target, prefer=prefer))
    return tuple(
        replace(wheel, yanked=reasons.get((wheel.name, wheel.version)))
        for wheel in read_pylock(done.stdout, target)
    )


def _line(request: WheelRequest) -> str:
    extras = f"[{','.join(request.extras)}]" if request.extras else ""
    return f"{request.name}{extras}{pep440_specifiers(request.version, position=request.position)}"


def _bound(request: WheelRequest) -> str | None:
    # It may be on a package of a channel, in conda's syntax. The lock checks all constraints anyway.
    try:
        return _line(request) if request.version != "*" else None
    except ManifestError:
        return None


def read_pylock(text: str, target: ResolutionTarget) -> tuple[PinnedWheel, ...]:
    """Read a ``pylock.toml`` that uv made for one platform, and choose the best wheel of each project.

    https://packaging.python.org/en/latest/specifications/pylock-toml/ (PEP 751)

    Raises
    ------
    BlockedError
        If a project has no wheel for the platform.
    IntegrityError
        If a wheel has no SHA-256.
    """
    tags = supported_tags(target.platform, target.python, target.floor)
    try:
        packages = tomllib.loads(text).get("packages", [])
        pinned = [_pinned(package, target.platform, tags) for package in packages]
    except (tomllib.TOMLDecodeError, InvalidVersion, KeyError, TypeError, AttributeError) as error:
        raise BlockedError(
            f"uv's answer cannot be read: {error}", hint="Update uv, or report it to cuvee's developers."
        ) from error
    return tuple(sorted(pinned, key=lambda wheel: wheel.name))


def _pinned(package: Mapping[str, Any], platform: str, tags: Sequence[Tag]) -> PinnedWheel:
    name, version = canonicalize_name(package["name"]), package.get("version", "")
    wheels = {wheel_file_name(wheel): wheel for wheel in package.get("wheels", [])}
    chosen = best(map(WheelName.parse, wheels), tags)
    if chosen is None:
        raise BlockedError(
            f"{name} {version} has no wheel for {platform}",
            hint=f"Leave {platform} out for it in the manifest, or choose a version that has one.",
        )
    wheel = wheels[chosen.file_name]
    sha256 = wheel.get("hashes", {}).get("sha256")
    if not re.fullmatch(r"[0-9a-f]{64}", str(sha256)):
        raise IntegrityError(f"The index gives no SHA-256 for {chosen.file_name}; it is not imported")
    if chosen.name != name or (version and Version(version) != chosen.version):
        raise IntegrityError(f"The index offers {chosen.file_name} as {name} {version}".rstrip())
    return PinnedWheel(
        name=name,
        version=chosen.version,
        file_name=chosen.file_name,
        url=wheel["url"],
        sha256=sha256,
        size=wheel.get("size"),
    )


def wheel_file_name(wheel: Mapping[str, Any]) -> str:
    """Return the file name of an entry of `packages.wheels` in a ``pylock.toml``."""
    return str(wheel.get("name") or unquote(urlsplit(wheel["url"]).path).rsplit("/", 1)[-1])


def _nearest(request: WheelRequest, target: ResolutionTarget) -> tuple[str, ...]:
    """Return the versions next to the one that a request names, and the newest."""
    specifiers = pep440_specifiers(request.version, position=request.position)
    named = sorted({specifier.version.removesuffix(".*") for specifier in specifiers}, key=Version)
    queries: list[tuple[str, tuple[str, ...]]] = [(request.name, ())]
    if named:
        queries.insert(0, (f"{request.name}<{named[0]}", ()))
        queries.insert(1, (f"{request.name}>{named[-1]}", ("--resolution", "lowest")))
    found = []
    for line, more in queries:
        done = uv.compile_requirements([line], target=replace(target, prefer={}), more=("--no-deps", *more))
        if done.ok:
            found += [str(wheel.version) for wheel in read_pylock(done.stdout, target)]
    return tuple(sorted(set(found), key=Version))
