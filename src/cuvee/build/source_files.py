"""Sources of recipes: fetched once, verified, and kept by hash.

``pkg:pypi/NAME@VERSION?file_name=FILE`` is a file of the Python index that pip or uv would use by
default: https://github.com/package-url/purl-spec.
"""

import os
import re
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cuvee.build.model import Output, Source
from cuvee.channel.connection import Connection
from cuvee.conda.url_secrets import without_secrets
from cuvee.errors import CuveeError, IntegrityError, SourceUnreachableError
from cuvee.files import replacing, sha256_file
from cuvee.progress import Reporter

MOST_SOURCE = 4 << 30
"""Bytes of a source."""

EARLIEST = 1_577_836_800
"""``SOURCE_DATE_EPOCH`` of what has no source with a time: the beginning of 2020."""

_PROJECT = re.compile(r"pkg:pypi/([A-Za-z0-9._-]+)(@[^?#]*)?[?]file_name=([^&#]+)")


def fetch_sources(
    outputs: Iterable[Output], cache: Path, connection: Connection, reporter: Reporter
) -> dict[str, Path]:
    """Return the verified file of each source, by its SHA-256.

    Raises
    ------
    IntegrityError
        If what a URL has is another file than the recipe states.
    SourceUnreachableError
        If none of a source's URLs can be read.
    """
    wanted = {source.sha256: (output, source) for output in outputs for source in output.sources}
    missing = {
        sha: item for sha, item in wanted.items() if not _is_kept(kept_source(cache, item[1]), sha, reporter)
    }
    if missing:
        task = "Fetch sources"
        reporter.start(task, total=len(missing))
        for output, source in missing.values():
            _fetch(output, source, kept_source(cache, source), connection, reporter)
            reporter.advance(task, note=source.file_name)
        reporter.finish(task, note=f"{len(missing)} fetched")
    return {sha: kept_source(cache, source) for sha, (_, source) in wanted.items()}


def kept_source(cache: Path, source: Source) -> Path:
    """Return where a source is kept."""
    return cache / "sources" / source.sha256 / source.file_name


def _is_kept(path: Path, sha256: str, reporter: Reporter) -> bool:
    if not path.is_file():
        return False
    if sha256_file(path) == sha256:
        return True
    reporter.warn(f"{path} is not the file that its folder names; it is fetched again")
    return False


def _fetch(output: Output, source: Source, target: Path, connection: Connection, reporter: Reporter) -> None:
    failed: list[str] = []
    for url in source.urls:
        try:
            with replacing(target) as beside:
                _download(url, source, beside, connection, reporter)
                _verify(output, source, url, beside)
        except SourceUnreachableError as error:
            failed.append(f"  {error.message}")
        else:
            return
    raise SourceUnreachableError(
        "\n".join([f"The source {source.file_name} of {output.recipe.file} cannot be had:", *failed]),
        hint="Check the URL in the recipe, the network and the proxy variables, then run the command again.",
    )


def _download(url: str, source: Source, beside: Path, connection: Connection, reporter: Reporter) -> None:
    from cuvee.channel.file_transfer import WantedFile
    from cuvee.channel.interpreter.index_download import index_file_url

    on_index = _PROJECT.fullmatch(url)
    if on_index is not None:
        url = index_file_url(
            connection.transfer, os.environ, project=on_index[1], name=unquote(on_index[3]), reporter=reporter
        )
    if urlsplit(url).scheme not in {"http", "https"}:
        raise SourceUnreachableError(
            f"{without_secrets(url)} is neither an http nor an https URL, nor pkg:pypi/…?file_name=…"
        )
    wanted = WantedFile(
        url=url, name=source.file_name, most=MOST_SOURCE, limit="the most that a source may have"
    )
    connection.transfer.fetch(wanted, beside, reporter)


def _verify(output: Output, source: Source, url: str, path: Path) -> None:
    actual = sha256_file(path)
    if actual != source.sha256:
        raise IntegrityError(
            f"{source.file_name} from {without_secrets(url)} is not the source of {output.recipe.file}\n"
            f"  stated: sha256 {source.sha256}\n  found:  sha256 {actual}",
            hint="It was not used. If upstream has replaced it, find out why before you change the recipe.",
        )


def epoch_of(files: Iterable[Path]) -> int:
    """Return the time of the newest file in source archives, in seconds since 1970: `EARLIEST` at least."""
    return max((EARLIEST, *(_newest(path) for path in files)))


def _newest(path: Path) -> int:
    try:
        if zipfile.is_zipfile(path):
            import calendar

            with zipfile.ZipFile(path) as archive:
                return max(
                    (calendar.timegm((*info.date_time, 0, 0, 0)) for info in archive.infolist()), default=0
                )
        with tarfile.open(path) as tar:
            return max((int(member.mtime) for member in tar), default=0)
    except (OSError, ValueError, EOFError, tarfile.TarError, zipfile.BadZipFile, CuveeError):
        return 0  # a single file, or an archive that the engine will complain about


def digests(output: Output) -> tuple[str, ...]:
    """Return the SHA-256 of each source of an output."""
    return tuple(source.sha256 for source in output.sources)


def files_of(output: Output, files: Mapping[str, Path]) -> dict[str, Path]:
    """Return those of ``files`` that are sources of an output, by their SHA-256."""
    return {sha256: files[sha256] for sha256 in digests(output)}
