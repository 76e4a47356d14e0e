"""Extras that a manifest requests, and that the chosen wheel has to have: uv only warns about others.

https://packaging.python.org/en/latest/specifications/core-metadata/#provides-extra-multiple-use
"""

from collections.abc import Sequence

from packaging.markers import Marker
from packaging.utils import canonicalize_name

from cuvee.channel.wheels.core_metadata import CoreMetadata
from cuvee.channel.wheels.model import WheelRequest
from cuvee.channel.wheels.platform_wheels import PlatformWheels
from cuvee.errors import ManifestError
from cuvee.manifest.documents.suggestions import did_you_mean, listing


def check_extras(requests: Sequence[WheelRequest], chosen: Sequence[PlatformWheels]) -> None:
    """Raise for all requested extras that no wheel of the project has on a platform that it is requested for.

    Raises
    ------
    ManifestError
        With the extras that there are.
    """
    problems: dict[str, None] = {}
    for request in requests:
        for platform in chosen:
            wheel = platform.wheels.get(request.name)
            if wheel is None or request.constraint or platform.platform not in request.platforms:
                continue
            for extra in request.extras:
                if not _has_extra(wheel.metadata, extra):
                    problems[_problem(request, extra, wheel.metadata)] = None
    if problems:
        raise ManifestError("\n".join(problems), hint="Correct the extras, or leave them out.")


def _has_extra(metadata: CoreMetadata, extra: str) -> bool:
    """Whether a wheel has an extra; old ones do not list it, but depend on something for it."""
    if canonicalize_name(extra) in metadata.extras:
        return True
    return any(_is_for(extra, item.marker) for item in metadata.requires if item.marker is not None)


def _is_for(extra: str, marker: Marker) -> bool:
    return marker.evaluate({"extra": extra}) != marker.evaluate({"extra": ""})


def _problem(request: WheelRequest, extra: str, metadata: CoreMetadata) -> str:
    meant = did_you_mean(extra, metadata.extras)
    rest = meant or (f"it has {listing(metadata.extras)}" if metadata.extras else "it has none")
    where = request.extras_position or request.position
    return f"{where}: {request.name} {metadata.version} has no extra {extra!r}: {rest}"
