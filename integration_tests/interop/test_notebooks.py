"""Notebooks: executed by a real kernel, converted, and served."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.packages("nbformat", "ipykernel")


@pytest.fixture
def notebook():
    from nbformat import v4

    return v4.new_notebook(
        cells=[
            v4.new_markdown_cell("# Sales\n\nSome *words* and $a^2$."),
            v4.new_code_cell("import pandas as pd\ntable = pd.DataFrame({'x': [1, 2, 3]})\ntable"),
            v4.new_code_cell("print(int(table['x'].sum()))"),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


def execute(notebook):
    from nbclient import NotebookClient

    return NotebookClient(notebook, timeout=90, kernel_name="python3").execute()


@pytest.mark.packages("nbclient", "pandas", "beautifulsoup4")
def test_a_notebook_is_executed(notebook):
    import nbformat
    from bs4 import BeautifulSoup

    done = execute(notebook)
    nbformat.validate(done)
    table = BeautifulSoup(done.cells[1].outputs[0]["data"]["text/html"], "html.parser")
    assert [cell.get_text() for cell in table.select("tbody td")] == ["1", "2", "3"]
    assert done.cells[2].outputs[0]["text"] == "6\n"


@pytest.mark.packages("nbclient", "pandas")
def test_a_kernel_is_the_release_itself_and_tells_of_errors(notebook):
    from nbclient.exceptions import CellExecutionError

    notebook.cells[1].source = "import sys\nprint(sys.prefix)"
    notebook.cells[2].source = "1 / 0"
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        execute(notebook)
    assert Path(notebook.cells[1].outputs[0]["text"].strip()).samefile(sys.prefix)


@pytest.mark.packages("nbclient", "nbconvert", "pandas", "beautifulsoup4", "lxml")
def test_a_notebook_becomes_a_page(notebook):
    from bs4 import BeautifulSoup
    from nbconvert import HTMLExporter, PythonExporter

    done = execute(notebook)
    html, _ = HTMLExporter().from_notebook_node(done)
    page = BeautifulSoup(html, "lxml")
    assert page.h1.get_text().startswith("Sales")
    assert page.select_one("table.dataframe") is not None
    assert "6" in page.select(".jp-OutputArea-output")[-1].get_text()
    script, _ = PythonExporter().from_notebook_node(done)
    compile(script, "script", "exec")


@pytest.mark.packages("jupyterlab", "requests")
def test_the_lab_serves_its_page_and_a_kernel_list(tmp_path):
    import requests

    log = tmp_path / "log"
    argv = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root"]
    argv += ["--IdentityProvider.token=secret", f"--ServerApp.root_dir={tmp_path}"]
    with log.open("wb") as output:
        server = subprocess.Popen(argv, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        base = address(server, log)
        session = requests.Session()
        session.trust_env = False
        headers = {"Authorization": "token secret"}
        kernels = session.get(f"{base}/api/kernelspecs", headers=headers, timeout=30).json()
        assert "python3" in kernels["kernelspecs"]
        page = session.get(f"{base}/lab", headers=headers, timeout=30)
        assert page.status_code == 200
        found = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', page.text, re.DOTALL)
        assert json.loads(found[1])["appName"] == "JupyterLab"
        assert requests.get(f"{base}/api/contents", timeout=30).status_code == 403  # not without the token
    finally:
        server.terminate()
        server.wait(30)


def address(server, log):
    for _ in range(400):
        found = re.search(r"(http://127\.0\.0\.1:\d+)/lab", log.read_text(errors="replace"))
        if found:
            return found[1]
        assert server.poll() is None, log.read_text(errors="replace")
        time.sleep(0.2)
    raise AssertionError(f"the server does not say where it is:\n{log.read_text(errors='replace')}")
