"""What several files of this suite need."""

import http.server
import io
import subprocess
import sys
import threading

import pytest


@pytest.fixture
def plt():
    """Yield pyplot with the backend that needs no display; close its figures afterwards."""
    import matplotlib as mpl

    mpl.use("Agg")
    import matplotlib.pyplot as plt

    yield plt
    plt.close("all")


@pytest.fixture
def pixels():
    """Return a function that turns a figure into an array of height x width x RGB, by way of a PNG file."""
    import numpy as np
    from PIL import Image

    def draw(figure):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        buffer.seek(0)
        with Image.open(buffer) as image:
            assert image.format == "PNG"
            return np.asarray(image.convert("RGB"))

    return draw


@pytest.fixture
def in_a_new_process():
    """Return a function that runs Python code in a new interpreter of the release and returns its output.

    It takes the code, bytes for its standard input, and more options of the interpreter.
    """

    def run(code, data=b"", *options) -> str:
        argv = [sys.executable, "-I", *options, "-c", code]
        done = subprocess.run(argv, input=data, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode().strip()

    return run


class _Pages(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body, headers = self.server.pages[self.path]
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def serve():
    """Return a function that serves pages, with TLS if a context is given, and returns the port."""
    servers = []

    def start(pages, context=None):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
        server.pages = pages
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return server.server_port

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()
