"""The report's tables as Parquet, for those who ask for it."""

import csv
import importlib.util
import io
from pathlib import Path

from cuvee.errors import ToolMissingError
from cuvee.files import replacing
from cuvee.lock.model import Lock
from cuvee.report.csv_tables import tables
from cuvee.report.page import Page

_NUMBERS = frozenset({"size", "seconds", "run", "passed", "not_run"})


def require_parquet() -> None:
    """Raise if the Python packages that write Parquet are missing.

    Raises
    ------
    ToolMissingError
        If pandas or pyarrow is not installed.
    """
    missing = [name for name in ("pandas", "pyarrow") if importlib.util.find_spec(name) is None]
    if missing:
        raise ToolMissingError(
            f"Parquet needs the Python package {' and '.join(missing)}",
            hint=f"Run `pip install {' '.join(missing)}`, or use the CSV files, which have the same rows.",
        )


def write_parquet(page: Page, lock: Lock, folder: Path) -> None:
    """Write each table beside its CSV file; see `require_parquet`. Sizes are bytes, times seconds."""
    import pandas as pd

    for name, text in tables(page, lock).items():
        heading, *rows = csv.reader(io.StringIO(text))
        frame = pd.DataFrame(rows, columns=heading, dtype="string")
        for column in _NUMBERS.intersection(heading):
            frame[column] = pd.to_numeric(frame[column])
        with replacing(folder / f"{name.removesuffix('.csv')}.parquet") as path:
            frame.to_parquet(path, index=False)
