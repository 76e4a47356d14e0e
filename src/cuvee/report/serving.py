"""Serving a folder of reports on this machine only."""

from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cuvee.errors import UsageError

LOOPBACK = "127.0.0.1"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".csv": "text/csv; charset=utf-8",
    ".svg": "image/svg+xml",
    ".atom": "application/atom+xml",
    ".xml": "application/xml",
    ".log": "text/plain; charset=utf-8",
    ".md": "text/plain; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}


def make_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of the files below a folder, which listens on the loopback address only.

    Parameters
    ----------
    port
        0 for any that is free; `server_port` of the result says which.

    Raises
    ------
    UsageError
        If the folder does not exist, or the port is in use.
    """
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {folder}", hint="Name the folder with the reports, such as dist."
        )
    try:
        return ThreadingHTTPServer((LOOPBACK, port), partial(_Reader, folder.resolve()))
    except (OSError, OverflowError) as error:
        raise UsageError(
            f"Port {port} of {LOOPBACK} cannot be used: {error}", hint="Choose another with --port."
        ) from error


def file_of(root: Path, address: str) -> Path | None:
    """Return the file below ``root`` that a request's path names; `None` if there is none that may be read.

    A link that leads out of ``root`` leads nowhere, and a folder is its ``index.html``.
    """
    try:
        name = unquote(urlsplit(address).path, errors="strict")
        if "\\" in name or "\0" in name:
            return None
        path = (root / name.lstrip("/")).resolve()
        if path.is_dir():
            path = (path / "index.html").resolve()
        return path if path.is_relative_to(root) and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


class _Reader(BaseHTTPRequestHandler):
    server_version = "cuvee"
    sys_version = ""

    def __init__(self, root: Path, *args: object) -> None:
        self._root = root
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """Send a file."""
        self._send(body=True)

    def do_HEAD(self) -> None:
        """Send the header of a file."""
        self._send(body=False)

    def log_message(self, *args: object) -> None:
        """Print nothing: standard error is for what users must know."""

    def _send(self, *, body: bool) -> None:
        # A page elsewhere could give its name this address (DNS rebinding), and read what is served.
        host = self.headers.get("Host", "").rpartition(":")[0] or self.headers.get("Host", "")
        if host not in {LOOPBACK, "localhost"}:
            self.send_error(HTTPStatus.FORBIDDEN)
            return
        path = file_of(self._root, self.path)
        if path is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        name = urlsplit(self.path).path
        if path.name == "index.html" and not name.endswith(("/", "index.html")):
            self.send_response(HTTPStatus.MOVED_PERMANENTLY)  # else its relative links would lead elsewhere
            self.send_header("Location", f"/{name.strip('/')}/")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        try:
            stream = path.open("rb")
        except OSError:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        with stream:
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES.get(path.suffix, "application/octet-stream"))
            self.send_header("Content-Length", str(path.stat().st_size))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            while body and (chunk := stream.read(1 << 20)):
                self.wfile.write(chunk)
