"""Kernels over their sockets, and what libraries show in them."""

import base64
import io
import json
import queue
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.packages("jupyter-client", "ipykernel", "pyzmq", "ipython")


@pytest.fixture(scope="module")
def client():
    """Yield a client of a kernel that runs for all tests of this file."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3", startup_timeout=90)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(client, code):
    """Run code in the kernel; return its reply and the messages of its output."""
    shown = []
    reply = client.execute_interactive(
        code, timeout=90, output_hook=lambda message: shown.append((message["msg_type"], message["content"]))
    )
    return reply["content"], shown


def rich(client, code):
    """Return the representations of the code's result, by MIME type."""
    reply, shown = run(client, code)
    assert reply["status"] == "ok", reply
    found = [said["data"] for kind, said in shown if kind in {"execute_result", "display_data"}]
    assert found, shown
    return found[-1]


def test_a_kernel_answers_on_all_its_channels(client):
    reply, shown = run(client, "x = 6\nprint('é')\nx * 7")
    assert reply["status"] == "ok"
    texts = {kind: said for kind, said in shown if kind in {"stream", "execute_result"}}
    assert texts["stream"]["text"] == "é\n"
    assert texts["execute_result"]["data"]["text/plain"] == "42"
    completed = client.complete("x.bit_l", reply=True, timeout=30)["content"]["matches"]
    assert "bit_length" in [match.rpartition(".")[2] for match in completed]
    assert client.inspect("x", reply=True, timeout=30)["content"]["found"]
    assert client.history(reply=True, timeout=30)["content"]["status"] == "ok"
    assert client.kernel_info(reply=True, timeout=30)["content"]["language_info"]["name"] == "python"


@pytest.mark.packages("tornado")
def test_input_and_the_event_loop_work(client):
    identifier = client.execute(
        "import asyncio\nname = input('who? ')\nawait asyncio.sleep(0)\nname", allow_stdin=True
    )
    asked = client.get_stdin_msg(timeout=60)["content"]
    assert asked["prompt"] == "who? "
    client.input("Ada")
    while True:
        message = client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == identifier and message["msg_type"] == "execute_result":
            break
    assert message["content"]["data"]["text/plain"] == "'Ada'"
    with pytest.raises(queue.Empty):
        client.get_stdin_msg(timeout=0.1)


@pytest.mark.packages("pandas", "sympy", "pillow", "numpy")
def test_libraries_have_rich_representations(client):
    from PIL import Image

    table = rich(client, "import pandas as pd\npd.DataFrame({'a & b': [1.5]}, index=['<i>'])")
    assert "a &amp; b" in table["text/html"]
    assert "&lt;i&gt;" in table["text/html"]
    formula = rich(client, "import sympy\nsympy.init_printing()\nsympy.sqrt(sympy.Symbol('alpha')) / 2")
    assert formula["text/latex"] == r"$\displaystyle \frac{\sqrt{\alpha}}{2}$"
    picture = rich(client, "from PIL import Image\nImage.new('RGB', (3, 2), (255, 0, 9))")
    with Image.open(io.BytesIO(base64.b64decode(picture["image/png"]))) as image:
        assert (image.size, image.getpixel((0, 0))) == ((3, 2), (255, 0, 9))


@pytest.mark.packages("matplotlib", "matplotlib-inline", "pandas", "pillow")
def test_figures_appear_below_their_cell(client):
    from PIL import Image

    shown = rich(
        client,
        "%matplotlib inline\nimport pandas as pd\n"
        "pd.Series([1, 3, 2]).plot(figsize=(2, 1), color='#ff0000', lw=9).axis('off');",
    )
    with Image.open(io.BytesIO(base64.b64decode(shown["image/png"]))) as image:
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 16)}
    assert (255, 0, 0) in colours


@pytest.mark.packages("altair", "pandas")
def test_charts_are_sent_as_their_specification(client):
    shown = rich(
        client,
        "import altair as alt, pandas as pd\nalt.renderers.enable('mimetype')\n"
        "alt.Chart(pd.DataFrame({'x': [1, 2]})).mark_bar().encode(x='x:O')",
    )
    (kind,) = [name for name in shown if "vegalite" in name]
    assert shown[kind]["encoding"]["x"] == {"field": "x", "type": "ordinal"}


@pytest.mark.packages("comm", "traitlets")
def test_messages_of_a_comm_arrive(client):
    _, shown = run(
        client,
        "from comm import create_comm\nchannel = create_comm(target_name='test', data={'n': 1})\n"
        "channel.send({'n': 2}, buffers=[b'abc'])\nchannel.close()",
    )
    kinds = [(kind, said.get("data", {}).get("n")) for kind, said in shown if kind.startswith("comm_")]
    assert kinds == [("comm_open", 1), ("comm_msg", 2), ("comm_close", None)]


@pytest.mark.packages("jedi", "parso", "pandas")
def test_names_are_completed_by_types(client):
    run(client, "import pandas as pd\ntable = pd.DataFrame({'amount': [1]})")
    for code, wanted in (
        ("table.amou", "amount"),
        ("table.groupb", "groupby"),
        ("pd.read_exc", "read_excel"),
    ):
        matches = client.complete(code, reply=True, timeout=60)["content"]["matches"]
        assert wanted in [match.rpartition(".")[2] for match in matches], (code, matches)


@pytest.mark.packages("stack-data", "executing", "pygments", "numpy")
def test_tracebacks_show_the_code_of_libraries(client):
    reply, _ = run(client, "import numpy as np\nnp.linalg.inv(np.zeros((2, 2)))")
    assert (reply["status"], reply["ename"]) == ("error", "LinAlgError")
    text = "\n".join(reply["traceback"])
    assert "Singular matrix" in text
    assert "numpy" in text
    assert "\x1b[" in text  # coloured


@pytest.mark.packages("jupyter-core", "jupyterlab", "nbconvert", "jupyter-server")
def test_jupyter_finds_its_parts():
    folder = Path(sys.executable).parent
    scripts = folder / "Scripts" if sys.platform == "win32" else folder
    done = subprocess.run([scripts / "jupyter", "--version"], capture_output=True, text=True, check=True)
    versions = dict(line.split(":", 1) for line in done.stdout.splitlines() if ":" in line)
    found = {name.strip(): version.strip() for name, version in versions.items()}
    for name in ("jupyterlab", "jupyter_server", "nbconvert", "jupyter_client", "ipykernel"):
        assert found[name] != "not installed", found
    done = subprocess.run(
        [scripts / "jupyter", "--paths", "--json"], capture_output=True, text=True, check=True
    )
    assert str(Path(sys.prefix, "share", "jupyter")) in json.loads(done.stdout)["data"]
    done = subprocess.run(
        [scripts / "jupyter", "kernelspec", "list", "--json"], capture_output=True, text=True, check=True
    )
    spec = json.loads(done.stdout)["kernelspecs"]["python3"]
    assert Path(spec["resource_dir"], "logo-64x64.png").is_file()


@pytest.mark.packages("nbconvert", "jupyter-core", "traitlets", "pygments", "jupyterlab")
def test_entry_points_of_plugins_load():
    from importlib.metadata import entry_points

    wanted = {
        "nbconvert.exporters": {"html", "latex", "markdown", "notebook", "python", "rst", "script", "slides"},
        "jupyter_client.kernel_provisioners": {"local-provisioner"},
        "pygments.lexers": {"ipython3", "ipythonconsole"},
        "console_scripts": {"jupyter", "jupyter-lab", "jupyter-nbconvert", "ipython"},
    }
    for group, names in wanted.items():
        points = {point.name: point for point in entry_points(group=group)}
        assert names <= points.keys(), f"{group} lacks {sorted(names - points.keys())}"
        for name in names:
            assert points[name].load() is not None
    from pygments.lexers import get_lexer_by_name

    assert get_lexer_by_name("ipython3").name.startswith("IPython")
