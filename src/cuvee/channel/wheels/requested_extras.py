"""Extras that a manifest requests, and that the chosen wheels must have: uv only warns about others.

https://packaging.python.org/en/latest/specifications/core-metadata/#provides-extra-multiple-use
"""

from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name

from cuvee.channel.wheels.core_metadata import CoreMetadata
from cuvee.channel.wheels.dependencies import environment
from cuvee.channel.wheels.model import WheelRequest
from cuvee.channel.wheels.platform_wheels import PlatformWheels
from cuvee.errors import ManifestError
from cuvee.manifest.documents.suggestions import did_you_mean, listing


def check_extras(requests: Sequence[WheelRequest], chosen: Sequence[PlatformWheels]) -> None:
    """Raise for all requested extras that no chosen wheel of their project has.

    Raises
    ------
    ManifestError
        With the extras that there are.
    """
    problems = [problem for request in requests for problem in _problems(request, chosen)]
    if problems:
        raise ManifestError("\n".join(problems), hint="Correct the extras, or leave them out.")


def _problems(request: WheelRequest, chosen: Sequence[PlatformWheels]) -> Iterator[str]:
    wheels = [
        (platform, platform.wheels[request.name].metadata)
        for platform in chosen
        if request.name in platform.wheels and platform.platform in request.platforms
    ]
    if request.constraint or not wheels:
        return
    for extra in request.extras:
        if not any(_has_extra(metadata, extra, platform) for platform, metadata in wheels):
            yield _problem(request, extra, wheels[0][1])


def _has_extra(metadata: CoreMetadata, extra: str, platform: PlatformWheels) -> bool:
    """Whether a wheel has an extra; old ones do not list it, but depend on something for it."""
    if canonicalize_name(extra) in metadata.extras:
        return True
    target = environment(platform.platform, platform.python)
    return any(
        item.marker.evaluate({**target, "extra": extra}) != item.marker.evaluate({**target, "extra": ""})
        for item in metadata.requires
        if item.marker is not None
    )


def _problem(request: WheelRequest, extra: str, metadata: CoreMetadata) -> str:
    meant = did_you_mean(extra, metadata.extras)
    rest = meant or (f"it has {listing(metadata.extras)}" if metadata.extras else "it has none")
    where = request.extras_position or request.position
    return f"{where}: {request.name} {metadata.version} has no extra {extra!r}: {rest}"
