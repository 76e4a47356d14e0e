"""The bundle of a release: what of a site is needed to verify the release elsewhere, in one file.

Its members have the paths of the site. The bundle is in no list: it has the lists themselves, and each of its
bytes is verified from the root on.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from cuvee.approvals.decision_log import LOG
from cuvee.approvals.sums_file import SUMS, parse_sums
from cuvee.files import parse_json, write_bytes
from cuvee.trust.bundle_zip import BUNDLE, bundle_bytes
from cuvee.trust.publish_attestations import SUFFIX
from cuvee.trust.release_chain import IN_CHANNEL, in_bundle
from cuvee.trust.role_chain import ROOT_FILE
from cuvee.trust.site_metadata import Published, read_published
from cuvee.trust.site_roles import RELEASES, SITE, SNAPSHOT, TARGETS
from cuvee.trust.site_writer import METADATA_FOLDER, read_signed
from cuvee.trust.trusted_roots import trusted_roots

METADATA = f"{METADATA_FOLDER}/"
_METADATA_FILE = re.compile(r"(?:[1-9][0-9]*\.)?[a-z0-9][a-z0-9_.-]*\.json")


def shared_paths(signed: Iterable[str], sums: Iterable[str]) -> frozenset[str]:
    """Return what of the files that ``site`` signs belongs into the bundle of a release.

    That is the log, VEX, and the attestations of the packages that its sums name.
    """
    packages = {f"channel/{channel_path(path)}" for path in sums}
    return frozenset(
        path
        for path in signed
        if path == LOG
        or (path.startswith("errata/") and path.endswith("openvex.json"))
        or (path.endswith(SUFFIX) and path.removesuffix(SUFFIX) in packages)
    )


def channel_path(path: str) -> str:
    """Return where the channel has a package of the sums; empty if it is none."""
    return path.partition("/")[2] if path.startswith(IN_CHANNEL) and path.endswith(".conda") else ""


def read_metadata(site: Path) -> dict[str, bytes]:
    """Return the newest metadata of a site by name, as far as it is there; nothing is verified here."""
    folder = site / METADATA_FOLDER
    found: dict[str, bytes] = {}

    def add(name: str) -> dict[str, Any]:
        path = folder / name
        if not _METADATA_FILE.fullmatch(name) or not path.is_file():
            return {}
        found[name] = path.read_bytes()
        try:
            return dict(parse_json(found[name])["signed"]["meta"])
        except (ValueError, LookupError, TypeError):
            return {}

    for path in folder.glob("*.root.json"):
        add(path.name)
    for name, item in add("timestamp.json").items():
        version = item.get("version") if isinstance(item, dict) else None
        for inner, meta in add(f"{version}.{name}").items():
            add(f"{meta.get('version') if isinstance(meta, dict) else None}.{inner}")
    return found


def write_bundles(site: Path, wanted: Callable[[str], bool] = lambda _: True) -> tuple[str, ...]:
    """Write the bundles of the releases of a site; return the paths of those that were not there.

    Parameters
    ----------
    wanted
        Whether the files of a release are there, by its name.

    Raises
    ------
    IntegrityError
        If the site is not what was signed.
    """
    metadata = read_metadata(site)
    versions = sorted(int(match[1]) for name in metadata if (match := ROOT_FILE.fullmatch(name)))
    roots = trusted_roots(tuple(metadata[f"{version}.root.json"] for version in versions))
    published = read_published(metadata.get, roots)
    if published is None:
        return ()
    written = []
    for track, names in published.releases.items():
        for name in filter(wanted, names):
            path = site / RELEASES / track / name / BUNDLE
            data = bundle_bytes(dict(_members(site, metadata, published, track, name)))
            if not path.is_file() or path.is_symlink() or path.read_bytes() != data:
                write_bytes(path, data)
                written.append(path.relative_to(site).as_posix())
    return tuple(written)


def _members(
    site: Path, metadata: Mapping[str, bytes], published: Published, track: str, release: str
) -> Iterator[tuple[str, bytes]]:
    snapshot = published.snapshot.signed
    names = [name for name in metadata if ROOT_FILE.fullmatch(name)]
    names += ["timestamp.json", f"{snapshot.version}.{SNAPSHOT}.json"]
    names += [
        f"{snapshot.meta[f'{role}.json'].version}.{role}.json" for role in (TARGETS, SITE, track, release)
    ]
    for name in names:
        yield f"{METADATA}{name}", metadata[name]
    base = f"{RELEASES}/{track}/{release}/"
    own, common = published.files(release), published.files(SITE)
    sums = parse_sums((read_signed(site, own, f"{base}{SUMS}") or b"").decode(errors="replace"))
    wanted = [path for path in own if in_bundle(path.removeprefix(base))]
    for files, paths in ((own, wanted), (common, shared_paths(common, sums))):
        for path in paths:
            data = read_signed(site, files, path)
            if data is not None:
                yield path, data
