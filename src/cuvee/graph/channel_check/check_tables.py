"""The result of a channel check as JSON values, and as rows of a CSV file."""

from collections.abc import Iterable, Iterator

from cuvee.codec import Json, encode
from cuvee.conda.package_record import Record
from cuvee.graph.channel_check.model import PlatformResult

COLUMNS = (
    "platform", "subdir", "name", "version", "build", "build_number", "file_name",
    "newest", "installable", "kind", "cause", "reason", "chain",
)  # fmt: skip


def as_values(channel: str, results: Iterable[PlatformResult]) -> dict[str, Json]:
    """Return the whole result as JSON values; records that are not listed can be installed."""
    return {"channel": channel, "platforms": [_platform(result) for result in results]}


def _platform(result: PlatformResult) -> Json:
    return {
        "platform": result.platform,
        "checked": result.checked,
        "installable": result.installable,
        "not_installable": len(result.not_installable),
        "newest": {"checked": result.newest, "not_installable": result.newest_not_installable},
        "twins_left_out": result.twins,
        "causes": encode(result.causes),
        "records": [
            {
                "record": item.record.stem,
                "subdir": item.record.subdir,
                "file_name": item.record.file_name,
                "newest": item.newest,
                "reason": list(item.reason),
                "chain": list(item.chain),
                "cause": item.cause,
            }
            for item in result.not_installable
        ],
        "problems": encode(result.problems),
    }


def rows(result: PlatformResult, records: Iterable[tuple[Record, bool]]) -> Iterator[tuple[str, ...]]:
    """Yield a row per record, including those that can be installed, as in `COLUMNS`.

    Parameters
    ----------
    records
        The checked records, each with whether it is the newest of its name.
    """
    found = {(item.record.subdir, item.record.file_name): item for item in result.not_installable}
    for record, is_newest in records:
        why = ("yes", "", "", "", "")
        item = found.get((record.subdir, record.file_name))
        if item is not None:
            cause = result.causes[item.cause]
            why = ("no", cause.kind.value, cause.sentence, " and ".join(item.reason), " -> ".join(item.chain))
        yield (
            result.platform,
            record.subdir,
            record.name,
            record.version,
            record.build,
            str(record.build_number),
            record.file_name,
            "yes" if is_newest else "no",
            *why,
        )
