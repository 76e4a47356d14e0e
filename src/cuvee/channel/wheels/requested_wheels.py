"""The projects that a manifest requests from the Python index."""

from collections.abc import Collection, Sequence

from packaging.utils import canonicalize_name

from cuvee.channel.wheels.model import WheelRequest
from cuvee.channel.wheels.wheel_archive import WheelName
from cuvee.manifest.model import Manifest, PatchedPackage, Requirement, WheelRequirement


def patched_wheels(manifest: Manifest) -> tuple[PatchedPackage, ...]:
    """Return the patched packages that are made of wheels."""
    return tuple(item for item in manifest.patched if item.wheel)


def wheel_requests(
    manifest: Manifest, names: Collection[str] | None = None, additions: Sequence[Requirement] = ()
) -> tuple[WheelRequest, ...]:
    """Return the requests: the manifest's `wheels`, with bounds from its `packages` and `constraints`.

    Parameters
    ----------
    names
        The wheels that no channel carries; `None` imports all of them.
    additions
        What cuvee requests besides, for its own needs; each is a wheel, too, if no channel carries it.
    """
    present = tuple(platform.name for platform in manifest.present_platforms)
    patched = patched_wheels(manifest)
    wheels = {canonicalize_name(wheel.name): wheel for wheel in manifest.wheels}
    wheels |= {
        canonicalize_name(item.name): WheelRequirement(name=item.name, position=item.position)
        for item in additions
    }
    for item in patched:
        wheels.setdefault(
            canonicalize_name(item.name), WheelRequirement(name=item.name, position=item.position)
        )
    if names is not None:
        chosen = {canonicalize_name(name) for name in names}
        wheels = {name: wheel for name, wheel in wheels.items() if name in chosen}
    spelled = {canonicalize_name(bound.name): bound.name for bound in manifest.constraints}
    spelled |= {canonicalize_name(item.name): item.name for item in patched}
    requests: list[WheelRequest] = []
    requested = set()
    for package in (*manifest.packages, *additions):
        name = canonicalize_name(package.name)
        requested.add(name)
        requests.append(
            WheelRequest(
                name=name,
                conda_name=package.name,
                extras=wheels[name].extras if name in wheels else (),
                version=package.version,
                platforms=tuple(platform for platform in present if platform in package.platforms),
                position=str(package.position),
                extras_position=str(wheels[name].position) if name in wheels else "",
                constraint=name not in wheels,
            )
        )
    requests += [
        WheelRequest(
            name=name,
            conda_name=spelled.get(name, name),
            extras=wheel.extras,
            platforms=present,
            position=str(wheel.position),
        )
        for name, wheel in wheels.items()
        if name not in requested
    ]
    requests += [
        WheelRequest(
            name=canonicalize_name(bound.name),
            conda_name=bound.name,
            version=bound.version,
            platforms=tuple(platform for platform in present if platform in (bound.platforms or present)),
            position=str(bound.position),
            constraint=True,
        )
        for bound in manifest.constraints
    ]
    requests += [
        WheelRequest(
            name=canonicalize_name(item.name),
            conda_name=item.name,
            version=f"=={WheelName.parse(item.wheel).version}",
            platforms=present,
            position=str(item.position),
            constraint=True,
        )
        for item in patched
    ]
    return tuple(sorted(requests, key=lambda request: (request.name, request.constraint)))
