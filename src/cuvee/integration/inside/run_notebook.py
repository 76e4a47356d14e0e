"""Execute a notebook in the installed release, and compare its outputs with those that are saved in it.

Usage: ``python run_notebook.py SPEC.json``. Keys of the spec:

``notebook``    the file, whose folder is the one that it runs in
``compare``     whether the outputs of each code cell must be those that are saved in it
``timeout``     seconds that all of it may take
``result``      the file to write: why it failed, and more of it; without reason it passed

Of outputs, text and kinds are compared; addresses of objects and the order of streams are not. A cell with
the tag ``any-output`` may have other outputs. The format: https://nbformat.readthedocs.io.
"""

from __future__ import annotations  # for releases with an old Python

import json
import re
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def execute(spec: dict[str, Any]) -> dict[str, Any]:
    path = Path(spec["notebook"])
    notebook = nbformat.read(path, as_version=4)
    saved = [_outputs(cell) for cell in notebook.cells]
    client = NotebookClient(
        notebook,
        timeout=spec["timeout"],
        kernel_name="python3",  # the release's own, whatever the author's was called
        resources={"metadata": {"path": str(path.parent)}},
    )
    try:
        client.execute()
    except CellTimeoutError as error:
        return {"reason": "a cell did not end", "detail": str(error), "timed_out": True}
    except CellExecutionError as error:
        number = next((n for n, cell in enumerate(notebook.cells, 1) if _failed(cell)), 0)
        return {
            "reason": f"cell {number}: {error.ename}: {error.evalue}",
            "detail": _COLOURS.sub("", str(error)),
        }
    except DeadKernelError as error:
        return {"reason": f"the kernel died: {error}"}
    return _compared(notebook, saved) if spec["compare"] else {}


def _compared(notebook: Any, saved: list[list[tuple[str, str]]]) -> dict[str, Any]:
    if not any(saved):
        return {"reason": "no outputs are saved in it that could be compared"}
    for number, (cell, expected) in enumerate(zip(notebook.cells, saved), 1):  # noqa: B905 - an old Python
        if "any-output" not in cell.metadata.get("tags", ()) and _outputs(cell) != expected:
            detail = f"saved:\n{_shown(expected)}\n\nnow:\n{_shown(_outputs(cell))}"
            return {"reason": f"cell {number}: its output is not the one that is saved", "detail": detail}
    return {}


def _failed(cell: Any) -> bool:
    return any(output.output_type == "error" for output in cell.get("outputs", ()))


def _outputs(cell: Any) -> list[tuple[str, str]]:
    """Return the kind and the text of each output; what a stream got in parts is one text."""
    found: dict[str, str] = {}
    more: list[tuple[str, str]] = []
    for output in cell.get("outputs", ()):
        if output.output_type == "stream":
            name = f"stream {output.name}"
            found[name] = found.get(name, "") + output.text
        elif output.output_type == "error":
            more.append(("error", output.ename))
        else:
            kinds = ", ".join(sorted(output.data))
            more.append((kinds, str(output.data.get("text/plain", ""))))
    texts = sorted(found.items()) + more
    return [(kind, _ADDRESS.sub("0x…", text).strip()) for kind, text in texts]


def _shown(outputs: list[tuple[str, str]]) -> str:
    return "\n".join(f"[{kind}] {text}" for kind, text in outputs) or "nothing"


def main(spec_path: str) -> int:
    spec = json.loads(Path(spec_path).read_text(encoding="utf-8"))
    try:
        result = execute(spec)
    except Exception as error:  # noqa: BLE001 - such as a file that is not a notebook
        result = {"reason": f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"}
    Path(spec["result"]).write_text(json.dumps(result), encoding="utf-8")
    return 1 if result else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
