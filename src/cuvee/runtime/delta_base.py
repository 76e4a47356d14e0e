"""What a delta builds on: the very release that it was made for, where it was installed, and as it was."""

from __future__ import annotations

from collections.abc import Iterable

from .delta_frames import DeltaIndex, resolve
from .failure import DAMAGED, USAGE, InstallError
from .installer_log import printable
from .installer_run import InstallerRun
from .payload_manifest import PayloadManifest
from .prefix_state import InstalledRelease, PrefixState
from .verify import Differences, verify

_NAMED = 5


def refuse_base(
    index: DeltaIndex, manifest: PayloadManifest, prefix: str, old: InstalledRelease | None
) -> None:
    """Raise if a prefix does not hold, where it was installed, the release that a delta needs."""
    needs = f"This delta upgrades {manifest.title} {index.version} to {manifest.version}"
    whole = f"Use the whole installer of {manifest.label}."
    if old is None:
        raise InstallError(f"{needs}, and {prefix} holds no release. {whole}")
    if old.sha256 != index.manifest_sha256:
        what = old.manifest.label
        other = " as it was cut another time" if old.manifest.version == index.version else ""
        raise InstallError(f"{needs}, and {prefix} holds {what}{other}. {whole}")
    if old.state.prefix != prefix:
        raise InstallError(f"{needs}, but {prefix} was moved or copied from {old.state.prefix}. {whole}")


def unusable(found: Differences, state: PrefixState) -> set[str]:
    """Return the files of an installed release that are not as it brought them, whatever their modes are."""
    bad = {*found.changed, *found.missing, *found.rewritten, *found.waiting}
    bad.update(state.own, state.links, state.gone)  # what post_install changed
    return bad


def refuse_unfit(run: InstallerRun, installed: InstalledRelease) -> None:
    """Raise if an installer is a delta that does not fit a prefix, as its installation would."""
    manifest, index = run.read_manifest(run.manifest_bytes()), run.read_index()
    if index is None:
        return
    refuse_base(index, manifest, run.prefix, installed)
    frames, found = resolve(index, manifest, installed.manifest), verify(installed)
    refuse_changed(unusable(found, installed.state) & {*frames.same, *frames.used()}, manifest, found)


def refuse_changed(wrong: Iterable[str], manifest: PayloadManifest, found: Differences) -> None:
    """Raise if files of the installed release are not as it brought them, which the delta builds on."""
    paths = sorted(wrong)
    if not paths:
        return
    missing = set(found.missing)
    named = [f"{printable(path)}{' (missing)' if path in missing else ''}" for path in paths[:_NAMED]]
    named += [f"{len(paths) - _NAMED:,} more"] if len(paths) > _NAMED else []
    raise InstallError(
        f"{len(paths):,} files that this delta builds on were changed since they were installed: "
        f"{', '.join(named)}. Repair the release first (repair --from INSTALLER), or use the whole "
        f"installer of {manifest.label}.",
        DAMAGED,
    )


def refuse_verb(verb: str, manifest: PayloadManifest) -> None:
    """Raise if a verb needs what a delta does not have."""
    if verb not in {"install", "dry-run", "info", "list"}:
        raise InstallError(
            f"A delta has not all of {manifest.label}: for {verb} use its whole installer.", USAGE
        )
