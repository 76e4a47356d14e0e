"""Our two clients of sites by the protocol of the public tests of TUF clients: ``fetch`` and ``desktop``.

https://github.com/theupdateframework/tuf-conformance/blob/main/CLIENT-CLI.md; see ``script/tuf-conformance``.
"""

import argparse
import datetime as dt
import hashlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

from cuvee.channel.file_transfer import FileTransfer
from cuvee.errors import CuveeError
from cuvee.runtime.failure import InstallError
from cuvee.runtime.site_reader import Fetch, LocatedFile, SiteReader
from cuvee.runtime.site_upgrade import _pieces
from cuvee.trust.site_client import SiteClient
from cuvee.trust.site_source import SiteSource


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=("fetch", "desktop"))
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
    try:
        {"fetch": fetch, "desktop": desktop}[given.client](given, kept.read_bytes())
    except (CuveeError, InstallError, FileNotFoundError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


# --- `cuvee fetch` ---------------------------------------------------------------------------------------


class TwoUrls(SiteSource):
    """A source whose metadata and files have URLs of their own."""

    places: dict[str, str]

    def _fetch(self, url: str) -> Iterator[bytes]:
        folder, _, rest = url.partition("/")
        return self._remote(f"{self.places[folder].rstrip('/')}/{quote(rest, safe='/%')}", url)


def fetch(given: argparse.Namespace, root: bytes) -> None:
    """Read a site as `cuvee fetch` does."""
    source = TwoUrls(
        base=given.metadata_url, transfer=FileTransfer(), parts=given.metadata_dir.parent / "parts"
    )
    source.places = {"metadata": given.metadata_url, "targets": given.target_base_url}
    now = dt.datetime.now(dt.UTC)
    try:
        client = SiteClient.open(source, root, given.metadata_dir, now)
        for name in given.target_name:
            target = given.target_dir / quote(name, "")
            if not client.has(name, target, now):
                client.download(name, target, now)
    finally:
        source.transfer.close()


# --- `starter-admin upgrade --from` ----------------------------------------------------------------------


def desktop(given: argparse.Namespace, root: bytes) -> None:
    """Read a site as an installed release does."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    reader = SiteReader(metadata_of(given.metadata_url), str(given.metadata_dir), now)
    reader.refresh(root)
    for name in given.target_name:
        found = reader.find(name)
        if found is None:
            raise InstallError(f"nobody who may has signed {name}")
        target = given.target_dir / quote(name, "")
        if target.is_file() and is_good(found, target.read_bytes()):
            continue
        data = b"".join(_pieces(given.target_base_url, found.stored, found.length))
        if not is_good(found, data):
            raise InstallError(f"{name} is not the file that was signed")
        target.write_bytes(data)


def metadata_of(base: str) -> Fetch:
    """Return what fetches metadata from a URL; the names of roles are quoted already."""

    def read(name: str, most: int) -> bytes | None:
        url = f"{base.rstrip('/')}/{quote(name, safe='/%')}"
        try:
            with urlopen(url, timeout=60) as answer:  # noqa: S310 - the suite's own server
                data: bytes = answer.read(most + 1)
        except HTTPError as error:
            error.close()
            return None
        if len(data) > most:
            raise InstallError(f"{name} has more than {most} bytes")
        return data

    return read


def is_good(found: LocatedFile, data: bytes) -> bool:
    """Whether these are the bytes that were signed."""
    try:
        found.check(len(data), {name: hashlib.new(name, data).hexdigest() for name in ("sha256", "sha512")})
    except InstallError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
