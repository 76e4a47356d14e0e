"""The names of conda packages for projects of the Python index, so that a project has one name in a set.

The index takes ``zope.interface``, ``zope_interface`` and ``Zope-Interface`` for one name; conda does not:
https://packaging.python.org/en/latest/specifications/name-normalization/ (PEP 503).
"""

from collections.abc import Iterable, Mapping, Sequence

from packaging.utils import canonicalize_name

from cuvee.channel.wheels.model import WheelRequest
from cuvee.errors import ManifestError


def by_project(names: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Return conda names by the project of the Python index that they stand for, each list sorted."""
    found: dict[str, list[str]] = {}
    for name in sorted(names):
        found.setdefault(canonicalize_name(name), []).append(name)
    return found


def conda_names(carried: Iterable[str], requests: Sequence[WheelRequest]) -> Mapping[str, str]:
    """Return the conda name of each project that channels carry, or that a manifest spells otherwise.

    What channels carry has their name: of several that of the manifest, else the normalised one. What is
    imported has the manifest's. Projects that are not in the result have their normalised name.

    Raises
    ------
    ManifestError
        If the manifest has two names for a project that no channel carries.
    """
    channels = by_project(carried)
    asked: dict[str, WheelRequest] = {}
    for request in requests:
        first = asked.setdefault(request.name, request)
        one, other = (item.conda_name or item.name for item in (first, request))
        if one != other and request.name not in channels:
            raise ManifestError(
                f"{request.position}: {other} is the same project of the Python index as {one} at"
                f" {first.position}",
                hint="Write one of the two names in both places.",
            )
    names = {name: request.conda_name for name, request in asked.items() if request.conda_name}
    wanted = {request.conda_name or request.name for request in requests}
    for project, known in channels.items():
        names[project] = max(known, key=lambda name: (name in wanted, name == project))
    return names
