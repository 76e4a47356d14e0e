"""Notebooks, figures and time zones, as they are on a desktop, or on a server without one."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.packages("python")

KERNEL = """\
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3", startup_timeout=90)
try:
    ports = {name: getattr(manager, name) for name in ("shell_port", "iopub_port", "stdin_port", "hb_port")}
    assert len(set(ports.values())) == 4, ports
    assert client.is_alive()
    reply = client.execute_interactive("import sys; print(sys.prefix); 1/0", timeout=60)["content"]
    print(reply["status"], reply["ename"])
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
"""

FIGURE = """\
import matplotlib.pyplot as plt, matplotlib
plt.plot([1, 2, 3], label="é")
plt.legend()
plt.savefig("figure.png")
plt.show()
print(matplotlib.get_backend().lower())
"""


@pytest.mark.packages("jupyter-client", "ipykernel", "pyzmq")
def test_a_kernel_starts_and_answers_over_its_sockets(user):
    prefix, answer = user.python(KERNEL).splitlines()[-2:]
    assert Path(prefix).samefile(sys.prefix)
    assert answer == "error ZeroDivisionError"


@pytest.mark.packages("nbconvert", "nbformat", "ipykernel", "pandas")
def test_a_notebook_is_executed_from_a_command_line(user):
    notebook = {
        "cells": [
            {
                "cell_type": "code", "execution_count": None, "id": "a", "metadata": {}, "outputs": [],
                "source": "import pandas as pd\npd.Series([1, 2, 3]).sum()",
            }
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    (user.folder / "a.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    command = [user.tools / "jupyter", "nbconvert", "--execute", "--to"]
    user.run(*command, "notebook", "--output", "done", "a.ipynb")
    done = json.loads((user.folder / "done.ipynb").read_text(encoding="utf-8"))
    assert "6" in "".join(done["cells"][0]["outputs"][0]["data"]["text/plain"])
    user.run(*command, "html", "a.ipynb")
    assert "jp-OutputArea-output" in (user.folder / "a.html").read_text(encoding="utf-8")


@pytest.mark.packages("matplotlib", "pillow")
def test_figures_are_drawn_without_a_display(user):
    from PIL import Image

    assert not {"DISPLAY", "WAYLAND_DISPLAY", "MPLBACKEND"} & user.environment.keys()
    assert user.run(sys.executable, "-W", "ignore", user.script("draw.py", FIGURE)) == "agg"
    with Image.open(user.folder / "figure.png") as image:
        assert image.size == (640, 480)
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10


@pytest.mark.packages("matplotlib")
def test_figures_are_drawn_without_a_home(user):
    missing = str(user.folder / "file" / "home")
    (user.folder / "file").write_text("no folder can be made here", encoding="utf-8")
    variables = dict.fromkeys(("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), missing)
    assert user.run(sys.executable, "-W", "ignore", user.script("draw.py", FIGURE), **variables) == "agg"


@pytest.mark.packages("tzdata")
def test_time_zones_are_known_without_those_of_the_system(user):
    assert importlib.util.find_spec("tzdata") is not None
    code = (
        "import datetime, zoneinfo\n"
        "moment = datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('Asia/Kathmandu'))\n"
        "print(moment.utcoffset(), zoneinfo.TZPATH)"
    )
    assert user.python(code, PYTHONTZPATH="") == "5:45:00 ()"
