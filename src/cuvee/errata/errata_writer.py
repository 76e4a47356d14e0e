"""Writing what is published of errata into a folder."""

from collections.abc import Sequence
from pathlib import Path

from cuvee.errata.csaf_advisory import FOLDER, csaf_advisory, file_name
from cuvee.errata.desktop_errata import desktop_errata
from cuvee.errata.errata_page import errata_feed, errata_page
from cuvee.errata.model import CheckedErratum, Publisher
from cuvee.errata.openvex import openvex_document
from cuvee.files import canonical_json, write_bytes, write_text
from cuvee.trust.keys import SigningKey

DESKTOP_FILE = "errata.json"
SIGNATURE = f"{DESKTOP_FILE}.sig"


def write_errata(
    errata: Sequence[CheckedErratum], publisher: Publisher, output: Path, signer: SigningKey | None = None
) -> tuple[Path, ...]:
    """Write the page, the feed, and the data; return the files, the page first.

    A signature of an earlier run is removed if there is no ``signer``: it would be that of other errata.
    """
    page, feed, desktop = output / "index.html", output / "errata.atom", output / DESKTOP_FILE
    data = canonical_json(desktop_errata(errata, publisher))
    (output / SIGNATURE).unlink(missing_ok=True)
    write_text(page, errata_page(errata, publisher))
    write_text(feed, errata_feed(errata, publisher))
    write_bytes(desktop, data)
    written = [page, feed, desktop]
    if signer is not None:
        written.append(output / SIGNATURE)
        write_bytes(written[-1], signer.sign(data))
    for item in errata:
        written.append(output / FOLDER / file_name(item.erratum.number))
        write_bytes(written[-1], canonical_json(csaf_advisory(item, publisher)))
    document = openvex_document(errata, publisher)
    if document is not None:
        written.append(output / "openvex.json")
        write_bytes(written[-1], canonical_json(document))
    return tuple(written)
