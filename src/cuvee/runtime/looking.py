"""The installer's verbs `check`, `extract` and `dry-run`."""

from __future__ import annotations

from . import placing, signature, upgrade
from .added import misfits
from .digest import sha256 as digest
from .failure import damaged
from .install import check_length
from .job import Job
from .log import show
from .manifest import Frame, Manifest
from .state import load
from .verify import verify
from .writing import Prefix


def check(job: Job, manifest: Manifest) -> int:
    """Check and decompress every frame, and hold every file in it to its hash."""
    frames = [*manifest.frames(), *manifest.records]

    def hold(frame: Frame, raw: bytes) -> None:
        for file in frame.files:
            if digest(raw[file.start : file.start + file.size]) != file.sha256:
                raise damaged(file.path)

    job.read_all(frames, hold, "Checking")
    text = f"{manifest.title} {manifest.version}: all {len(frames)} parts of this installer are whole"
    return show({"good": True, "parts": len(frames)}, [text], as_json="--json" in job.options)


def extract(job: Job, manifest: Manifest) -> int:
    """Write the files to a new folder, as they are before the prefix is put into them."""
    prefix = Prefix(job.staged, None, manifest)
    prefix.check_stage0()
    prefix.make_folders()
    job.read_all(manifest.frames(), prefix.write_frame, "Extracting")
    prefix.make_links()
    for frame, raw in job.read(manifest.records):
        for file in frame.files:
            with open(f"{job.staged}/{file.path}", "xb") as stream:
                stream.write(raw[file.start : file.start + file.size])
    placing.remove_tree(f"{job.staged}/.cuvee")
    placing.place(job.staged, job.prefix)
    text = f"{manifest.title} {manifest.version} was extracted to {job.prefix}"
    return show({"folder": job.prefix}, [text], as_json="--json" in job.options)


def dry_run(job: Job, manifest: Manifest) -> int:
    """Say what an installation would do; nothing is written."""
    check_length(job.prefix, manifest)
    new = manifest.listed()
    value = {
        "action": "install", "prefix": job.prefix, "version": manifest.version, "before": None,
        "gone": [], "new": sorted(new), "changed": [], "carried": [], "misfits": [],
    }  # fmt: skip
    if placing.older_release(job.prefix, manifest.distribution, replace="--replace" in job.options):
        old = load(job.prefix)
        gone = old.manifest.listed()
        found = verify(old)
        forced = "--force" in job.options
        signature.demand_same(old.manifest, manifest, job.options)
        upgrade.refuse_downgrade(old.manifest.version, manifest.version, forced=forced)
        nothing = old.sha256 == job.manifest_sha256 and not forced
        value |= {
            "action": "none" if nothing else "upgrade",
            "before": old.manifest.version,
            "gone": sorted(gone - new),
            "new": sorted(new - gone),
            "changed": found.changed,
            "carried": found.extra,
            "misfits": misfits(found.added, manifest),
        }
    texts = [f"{manifest.title} {manifest.version} in {job.prefix}: {value['action']}"]
    for key in ("gone", "new", "changed", "carried", "misfits") if value["before"] else ():
        texts += [f"{key}: {item}" for item in value[key] or ()]
    return show(value, texts, as_json="--json" in job.options)
