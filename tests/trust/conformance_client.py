"""The client of `cuvee fetch` by the protocol of the public tests of TUF clients.

https://github.com/theupdateframework/tuf-conformance/blob/main/CLIENT-CLI.md; see ``script/tuf-conformance``.
"""

import argparse
import datetime as dt
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from cuvee.channel.file_transfer import FileTransfer
from cuvee.errors import CuveeError
from cuvee.trust.site_client import SiteClient
from cuvee.trust.site_source import SiteSource


class TwoUrls(SiteSource):
    """A source whose metadata and files have URLs of their own."""

    places: dict[str, str]

    def _fetch(self, url: str) -> Iterator[bytes]:
        folder, _, rest = url.partition("/")
        return self._remote(f"{self.places[folder].rstrip('/')}/{quote(rest, safe='/%')}", url)


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
    source = TwoUrls(
        base=given.metadata_url, transfer=FileTransfer(), parts=given.metadata_dir.parent / "parts"
    )
    source.places = {"metadata": given.metadata_url, "targets": given.target_base_url}
    now = dt.datetime.now(dt.UTC)
    try:
        client = SiteClient.open(source, kept.read_bytes(), given.metadata_dir, now)
        for name in given.target_name:
            target = given.target_dir / quote(name, "")
            if not client.has(name, target, now):
                client.download(name, target, now)
    except CuveeError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    finally:
        source.transfer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
