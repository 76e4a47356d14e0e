"""A server whose answers tests write themselves, over HTTP or TLS, and an authority for TLS."""

import datetime as dt
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(kw_only=True)
class ScriptedServer:
    """Its answers by path, and what it was asked: the path, and those of its headers that are noted."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    noted: tuple[str, ...] = ("Range", "If-None-Match", "Authorization")
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def host(self) -> str:
        return self.url.partition("://")[2]

    def give(self, path: str, data: bytes | object, **headers: str) -> None:
        """Answer with data, or with a value as JSON."""
        body = data if isinstance(data, bytes) else json.dumps(data).encode()
        self.answers[path] = lambda request: send(request, 200, body, headers)


def send(
    request: BaseHTTPRequestHandler, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None
) -> None:
    request.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
        request.send_header(name.replace("_", "-"), value)
    request.end_headers()
    request.wfile.write(body)


def missing(request: BaseHTTPRequestHandler) -> None:
    send(request, 404)


def redirect(url: str, body: bytes = b"") -> Answer:
    return lambda request: send(request, 302, body, {"Location": url})


def in_turn(*answers: Answer) -> Answer:
    """Give the first answer to the first request, and so on; the last one stays."""
    left = list(answers)

    def answer(request: BaseHTTPRequestHandler) -> None:
        now = left.pop(0) if len(left) > 1 else left[0]
        now(request)

    return answer


def cut(data: bytes, after: int, **headers: str) -> Answer:
    """Promise all of ``data``, and close the connection in the middle of it."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        send(request, 200, data[:after], {"Content-Length": str(len(data)), **headers})
        request.close_connection = True

    return answer


def stall(server: ScriptedServer, data: bytes, **headers: str) -> Answer:
    """Send some of what is promised, and then nothing until the test ends."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        send(request, 200, data, {"Content-Length": str(len(data) + 1), **headers})
        server.ended.wait()

    return answer


def endless(request: BaseHTTPRequestHandler) -> None:
    """Send zeros as long as somebody reads them."""
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(bytes(1 << 16))
    except OSError:
        request.close_connection = True


@contextmanager
def serving(certificate: tuple[Path, Path] | None = None) -> Iterator[ScriptedServer]:
    """Serve on 127.0.0.1; with a certificate and its key, over TLS."""
    server = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            noted = (f" {name}={value}" for name in server.noted if (value := self.headers.get(name)))
            server.seen.append(self.path + "".join(noted))
            answer: Answer = server.answers.get(self.path, missing)
            answer(self)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *args: Any) -> None:
            """Say nothing of clients that go."""

    with Server(("127.0.0.1", 0), Handler) as listening:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            listening.socket = context.wrap_socket(listening.socket, server_side=True)
        scheme = "http" if certificate is None else "https"
        server.url = f"{scheme}://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.ended.set()
            listening.shutdown()
            thread.join()


def make_authority(folder: Path) -> tuple[Path, tuple[Path, Path]]:
    """Write a certificate authority, and a certificate for 127.0.0.1 with its key; return the three paths."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def write(name: str, key: Any, subject: str, issuer: str, signer: Any, *, is_authority: bool) -> Path:
        def named(text: str) -> x509.Name:
            return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        start = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(named(subject)).issuer_name(named(issuer)).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start).not_valid_after(start + dt.timedelta(days=36500))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(signer, hashes.SHA256())
        )  # fmt: skip
        path = folder / name
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return path

    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = write("authority.pem", root, "Test CA", "Test CA", root, is_authority=True)
    certificate = write("server.pem", leaf, "127.0.0.1", "Test CA", root, is_authority=False)
    key = folder / "server.key"
    key.write_bytes(
        leaf.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return authority, (certificate, key)
