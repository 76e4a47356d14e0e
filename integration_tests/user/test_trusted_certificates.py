"""Certificates that the user or the system trusts, and clients that must honour them."""

import datetime as dt
import http.server
import ipaddress
import json
import shutil
import ssl
import sys
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.packages("python")


@pytest.fixture
def server(tmp_path):
    """Yield the URL of a TLS server on loopback, and the file with its certificate, which nothing trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=7,
        not_valid_before=now - dt.timedelta(1), not_valid_after=now + dt.timedelta(1),
    )  # fmt: skip
    for extension in (
        x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
        x509.BasicConstraints(ca=True, path_length=0),
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
    ):
        builder = builder.add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
    certificate, secret = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    (tmp_path / "served").mkdir()
    handler = type(
        "Handler",
        (http.server.SimpleHTTPRequestHandler,),
        {
            "log_message": lambda *_: None,
            "__init__": lambda self, *arguments: http.server.SimpleHTTPRequestHandler.__init__(
                self, *arguments, directory=str(tmp_path / "served")
            ),
        },
    )
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    listening.socket = context.wrap_socket(listening.socket, server_side=True)
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    # Minimal systems have no /etc/hosts, and so no localhost.
    yield f"https://127.0.0.1:{listening.server_port}/", certificate
    listening.shutdown()
    thread.join()
    listening.server_close()


CLIENTS = {
    "urllib": "import sys, urllib.request as r\nprint(r.urlopen(sys.argv[1], timeout=30).status)",
    "httpx": "import sys, httpx\nprint(httpx.get(sys.argv[1]).status_code)",
    "requests": "import sys, requests\nprint(requests.get(sys.argv[1], timeout=30).status_code)",
}
VARIABLES = {"urllib": "SSL_CERT_FILE", "httpx": "SSL_CERT_FILE", "requests": "REQUESTS_CA_BUNDLE"}


@pytest.mark.packages("cryptography", "requests", "httpx")
@pytest.mark.parametrize("client", list(CLIENTS))
def test_certificates_of_the_company_are_honoured(client, user, server):
    url, certificate = server
    script = user.script("client.py", CLIENTS[client])
    done = user.run(sys.executable, script, url, check=False)
    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
    assert user.run(sys.executable, script, url, **{VARIABLES[client]: str(certificate)}) == "200"


@pytest.mark.packages("cryptography")
def test_a_folder_of_certificates_is_honoured(user, server):
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl, which names the files of such a folder, is not installed on this machine")
    url, certificate = server
    name = user.run(openssl, "x509", "-noout", "-hash", "-in", certificate)
    folder = user.folder / "certificates"
    folder.mkdir()
    shutil.copy(certificate, folder / f"{name}.0")
    script = user.script("client.py", CLIENTS["urllib"])
    assert user.run(sys.executable, script, url, SSL_CERT_DIR=str(folder)) == "200"


def test_the_systems_certificates_are_found(user):
    # Where Debian, Fedora, openSUSE and Alpine keep them.
    known = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
    if not any(Path(path).is_file() for path in known):
        pytest.skip("no certificates are installed on this machine")
    code = (
        "import json, os, ssl\npaths = ssl.get_default_verify_paths()\n"
        "folder = paths.capath and any(name.endswith('.0') for name in os.listdir(paths.capath))\n"
        "print(json.dumps([ssl.create_default_context().cert_store_stats()['x509_ca'], bool(folder)]))"
    )
    certificates, folder = json.loads(user.python(code))
    assert certificates or folder, "the release's OpenSSL searches where this system has no certificates"
