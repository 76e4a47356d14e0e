"""Projects whose wheels are patched before packages are made of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from cuvee.channel.patches.patch_files import PatchSet
from cuvee.channel.patches.patched_wheel import patch_wheel
from cuvee.channel.wheels.model import PinnedWheel
from cuvee.channel.wheels.planned_packages import InspectedWheel, inspect
from cuvee.errors import BlockedError, IntegrityError, ManifestError

Pinned = Mapping[str, Sequence[PinnedWheel]]
"""The chosen wheels by platform."""


def patch_projects(
    wheels: Mapping[str, InspectedWheel], pinned: Pinned, patched: Iterable[PatchSet], folder: Path
) -> dict[str, InspectedWheel]:
    """Return wheels by the SHA-256 that the index has of them, those with patches written to ``folder``.

    Raises
    ------
    BlockedError
        If a patch does not apply, or is for another wheel than the one that was chosen.
    IntegrityError
        If the wheel of that name is not the one that the manifest states.
    ManifestError
        If a wheel is not pure.
    """
    found = dict(wheels)
    for item in patched:
        if not item.package.wheel:
            continue
        check_choice(pinned, item)
        before = found.get(item.package.sha256)
        if before is None:
            continue
        if not before.is_portable:
            raise ManifestError(
                f"{item.package.position}: {item.package.wheel} is not pure, whatever its name says",
                hint="Patch it with a recipe.",
            )
        path = patch_wheel(before.path, item, folder)
        after = inspect(path, file_name=item.package.wheel, sha256=before.sha256, url=before.url)
        found[before.sha256] = replace(after, patches=item)
    return found


def check_choice(pinned: Pinned, item: PatchSet) -> None:
    """Raise if on some platform another wheel was chosen than the one that is patched."""
    package = item.package
    project = canonicalize_name(package.name)
    for platform, wheels in pinned.items():
        for wheel in wheels:
            if wheel.name != project:
                continue
            if wheel.file_name != package.wheel:
                raise BlockedError(
                    f"{package.position}: the patches are for {package.wheel}, and {platform} gets "
                    f"{wheel.file_name}",
                    hint="State that wheel if it is pure, or patch the project with a recipe.",
                )
            if wheel.sha256 != package.sha256:
                raise IntegrityError(
                    f"{package.position}: {package.wheel} is not the wheel that is to be patched\n"
                    f"  stated:    sha256 {package.sha256}\n  the index: sha256 {wheel.sha256}",
                    hint="It was not used. If upstream has replaced it, find out why before you change the "
                    "manifest.",
                )
