"""A delta: a `.sh` or `.exe` that upgrades one older release, and has only what that lacks."""

from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import UsageError
from cuvee.files import sha256_bytes, sha256_file
from cuvee.image.delta_payload import DeltaPayload, WholeImage, make_delta_payload
from cuvee.image.model import MANIFEST, PAYLOAD, STAGE0, DeltaBase, Image, ReleaseLabel
from cuvee.image.stage0 import RUNTIME_FOLDER, Stage0File, gzipped, tar_of
from cuvee.installers.naming import display_name, file_name
from cuvee.installers.sh import build_sh
from cuvee.installers.whole_installer import WholeInstaller
from cuvee.installers.windows.exe import build_exe_delta
from cuvee.installers.windows.osslsigncode import Osslsigncode
from cuvee.progress import Reporter
from cuvee.temporary_folders import temporary_folder


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeDelta:
    """A delta that was made; sizes in bytes."""

    path: Path
    platform: str
    old: str
    new: str
    size: int
    whole_size: int
    sha256: str
    unchanged: int
    patched: int
    whole: int


def delta_name(old: WholeInstaller, new: WholeInstaller) -> str:
    """Return the file's name: ``Starter-2026.11.0-to-2026.11.1-Linux-x86_64.sh``."""
    before, after = old.image.manifest, new.image.manifest
    kind = "exe" if after.system == "win" else "sh"
    return delta_file_name(after.distribution, before.version, after.version, after.platform, kind)


def delta_file_name(distribution: str, old: str, new: str, platform: str, kind: str) -> str:
    """Return the name of the delta between two versions."""
    return file_name(display_name(distribution), f"{old}-to-{new}", platform, kind)


def make_delta(
    old: WholeInstaller,
    new: WholeInstaller,
    *,
    folder: Path,
    reporter: Reporter,
    signer: Osslsigncode | None = None,
) -> MadeDelta:
    """Write the delta between two releases to ``folder``, whole or not at all, reproducibly.

    Parameters
    ----------
    signer
        What signs programs for Windows.

    Raises
    ------
    UsageError
        If there can be no delta between the two.
    IntegrityError
        If one of them is damaged.
    """
    _check(old, new)
    target = folder / delta_name(old, new)
    is_windows = new.image.manifest.system == "win"
    with temporary_folder("delta") as place:
        own = [] if is_windows else _runtime(new.image)
        payload = make_delta_payload(old.image, new.image, task=f"files of {target.name}", reporter=reporter)
        reporter.finish(f"files of {target.name}", note=f"{payload.whole + payload.patched:,} changed")
        manifest, carried = place / MANIFEST, place / PAYLOAD
        manifest.write_bytes(new.image.data)
        carried.write_bytes(payload.data)
        folder.mkdir(parents=True, exist_ok=True)
        if is_windows:
            whole = new.image.installer
            build_exe_delta(whole, manifest, carried, target=target, reporter=reporter, signer=signer)
        else:
            (place / STAGE0).write_bytes(gzipped(tar_of(own)))
            image = _image(old, new, payload, place)
            build_sh(image, license_text=new.license_text, target=target, reporter=reporter)
    return MadeDelta(
        path=target,
        platform=new.platform,
        old=old.image.manifest.version,
        new=new.image.manifest.version,
        size=target.stat().st_size,
        whole_size=new.image.installer.stat().st_size,
        sha256=sha256_file(target),
        unchanged=payload.unchanged,
        patched=payload.patched,
        whole=payload.whole,
    )


def _check(old: WholeInstaller, new: WholeInstaller) -> None:
    before, after = old.image.manifest, new.image.manifest
    if before.distribution != after.distribution:
        raise UsageError(f"{before.label} and {after.label} are not releases of the same distribution")
    if before.platform != after.platform:
        raise UsageError(f"One is for {before.platform}, and the other for {after.platform}")
    if old.image.manifest_sha256 == new.image.manifest_sha256:
        raise UsageError(f"Both are {after.label}, so there is nothing to upgrade")


def _runtime(image: WholeImage) -> list[Stage0File]:
    """Return the runtime of a release; raise if it does not have the hash that the manifest has."""
    files = [
        Stage0File(path=path, mode=0o644, data=data)
        for path, data in image.stage0.items()
        if path.startswith(f"{RUNTIME_FOLDER}/")
    ]
    if not image.manifest.runtime_sha256 or sha256_bytes(tar_of(files)) != image.manifest.runtime_sha256:
        raise UsageError(
            f"{image.installer} was made by an earlier cuvee, which did not sign its runtime by itself",
            hint="Cut the release again.",
        )
    return files


def _image(old: WholeInstaller, new: WholeInstaller, payload: DeltaPayload, folder: Path) -> Image:
    before, after = old.image.manifest, new.image.manifest
    frames = [*after.frames(), *after.records]
    paths = [file.path for frame in frames for file in frame.files]
    return Image(
        platform=after.platform,
        label=ReleaseLabel(distribution=after.distribution, version=after.version, title=after.title),
        manifest_sha256=new.image.manifest_sha256,
        manifest_raw=new.image.manifest_raw,
        stage0_sha256=sha256_file(folder / STAGE0),
        payload_sha256=sha256_bytes(payload.data),
        raw_size=payload.raw,
        files=payload.whole + payload.patched,
        longest_path=max(map(len, paths)),
        interpreter=before.interpreter,
        floor=new.floor,
        settings=new.settings,
        folder=folder,
        base=DeltaBase(
            version=before.version,
            manifest_sha256=old.image.manifest_sha256,
            interpreter=before.interpreter,
        ),
    )
