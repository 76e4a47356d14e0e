"""The client of `starter-admin upgrade --from` by the protocol of the public tests of TUF clients.

https://github.com/theupdateframework/tuf-conformance/blob/main/CLIENT-CLI.md; see ``script/tuf-conformance``.
"""

import argparse
import hashlib
import shutil
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

from cuvee.runtime.failure import InstallError
from cuvee.runtime.site_reader import Fetch, LocatedFile, SiteReader
from cuvee.runtime.site_upgrade import _pieces


def fetch_from(base: str) -> Fetch:
    """Return what fetches metadata from a URL; the names of roles are quoted already."""

    def fetch(name: str, most: int) -> bytes | None:
        try:
            url = f"{base.rstrip('/')}/{quote(name, safe='/%')}"
            with urlopen(url, timeout=60) as answer:  # noqa: S310 - the suite's own server
                data: bytes = answer.read(most + 1)
        except HTTPError as error:
            error.close()
            return None
        if len(data) > most:
            raise InstallError(f"{name} has more than {most} bytes")
        return data

    return fetch


def is_good(found: LocatedFile, data: bytes) -> bool:
    """Whether these are the bytes that were signed."""
    try:
        found.check(len(data), {name: hashlib.new(name, data).hexdigest() for name in ("sha256", "sha512")})
    except InstallError:
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--metadata-url", default="")
    parser.add_argument("--metadata-dir", type=Path, required=True)
    parser.add_argument("--target-name", action="append", default=[])
    parser.add_argument("--target-dir", type=Path)
    parser.add_argument("--target-base-url", default="")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("init").add_argument("root", type=Path)
    commands.add_parser("refresh")
    commands.add_parser("download")
    given = parser.parse_args()
    kept = given.metadata_dir.parent / "shipped-root.json"
    if given.command == "init":
        shutil.copyfile(given.root, given.metadata_dir / "root.json")
        shutil.copyfile(given.root, kept)
        return 0
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    reader = SiteReader(fetch_from(given.metadata_url), str(given.metadata_dir), now)
    try:
        reader.refresh(kept.read_bytes())
        for name in given.target_name:
            _download(reader, name, given.target_base_url, given.target_dir)
    except (InstallError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _download(reader: SiteReader, name: str, base: str, folder: Path) -> None:
    found = reader.find(name)
    if found is None:
        raise InstallError(f"nobody who may has signed {name}")
    target = folder / quote(name, "")
    if target.is_file() and is_good(found, target.read_bytes()):
        return
    data = b"".join(_pieces(base, found.stored, found.length))
    if not is_good(found, data):
        raise InstallError(f"{name} is not the file that was signed")
    target.write_bytes(data)


if __name__ == "__main__":
    sys.exit(main())
