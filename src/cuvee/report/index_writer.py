"""Writing the index over releases: a page, the same as JSON, and per distribution a feed and a badge."""

import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from cuvee.codec import encode
from cuvee.errors import CuveeError, UsageError
from cuvee.files import canonical_json, write_bytes, write_text
from cuvee.release.record import Release
from cuvee.release.record_parts import RECORD
from cuvee.report.badges import Badge
from cuvee.report.html import SMALL_SCRIPTS, environment, policy, scripts
from cuvee.report.page import build_page
from cuvee.report.release_index import (
    DistributionIndex,
    IndexEntry,
    UnreadableRelease,
    index_entry,
    release_index,
)
from cuvee.report.site import site_style

_CHARACTER = 6.6
"""How wide a character of a badge is, in pixels: that of Verdana, as far as it can be known."""


def release_folders(folders: Sequence[Path]) -> tuple[Path, ...]:
    """Return the release folders among ``folders`` and directly below them, sorted.

    Raises
    ------
    UsageError
        If there is none.
    """
    found = {
        path
        for folder in folders
        for path in (folder, *(sorted(folder.iterdir()) if folder.is_dir() else ()))
        if (path / RECORD).is_file()
    }
    if not found:
        raise UsageError(
            f"There is no release in {', '.join(map(str, folders))}",
            hint="Name the folder that `cuvee release` wrote to, or make a release first.",
        )
    return tuple(sorted(found))


def read_entries(
    folders: Sequence[Path], output: Path
) -> tuple[tuple[IndexEntry, ...], tuple[UnreadableRelease, ...]]:
    """Return the entries of release folders for an index in ``output``, and what cannot be read."""
    entries, problems = [], []
    for folder in folders:
        try:
            release = Release.open(folder)
            page = build_page(release)
        except CuveeError as error:
            # Without the folders of this machine, so that the index is the same on another one.
            message = error.message.replace(str(folder), folder.name)
            problems.append(UnreadableRelease(folder=folder.name, message=message))
        else:
            entries.append(index_entry(release, page, _link(folder / "report" / "index.html", output)))
    return tuple(entries), tuple(problems)


def write_index(
    entries: Sequence[IndexEntry], problems: Sequence[UnreadableRelease], output: Path
) -> tuple[Path, ...]:
    """Write the index into a folder; return its files, the page last."""
    from markupsafe import Markup

    found = release_index(entries)
    tools, style, script = environment(), site_style(), scripts(*SMALL_SCRIPTS)
    written = [output / "index.json"]
    document = {"index": 1, "distributions": found, "problems": tuple(problems)}
    write_bytes(written[0], canonical_json(encode(document, texts=(Badge,))))
    for item in found:
        written += [output / f"{item.distribution}.atom", output / f"{item.distribution}.svg"]
        write_text(written[-2], feed(item))
        write_text(
            written[-1], badge_svg(item.entries[0].release, item.entries[0].headline, item.entries[0].badge)
        )
    page = tools.get_template("releases.html.j2").render(
        found=found,
        problems=problems,
        style=Markup(style),  # noqa: S704 - our own file
        script=Markup(script),  # noqa: S704 - our own file
        keys=False,
        policy=policy(style, script),
    )
    written.append(output / "index.html")
    write_text(written[-1], page)
    return tuple(written)


def feed(index: DistributionIndex) -> str:
    """Return the releases of a distribution as an Atom feed: https://www.rfc-editor.org/rfc/rfc4287"""

    def identifier(name: str) -> str:
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'cuvee:{name}')}"

    return environment().get_template("feed.atom.j2").render(index=index, identifier=identifier)


def badge_svg(name: str, word: str, badge: Badge) -> str:
    """Return a badge for a README: what is shown, and how it is."""
    left, right = (round(_CHARACTER * len(text)) + 14 for text in (name, word))
    return environment().get_template("badge.svg.j2").render(
        name=name, word=word, tone=badge.tone, left=left, right=right
    )  # fmt: skip


def _link(path: Path, output: Path) -> str:
    return quote(Path(os.path.relpath(path.resolve(), output.resolve())).as_posix())
