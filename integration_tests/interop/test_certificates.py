"""Certificates that clients check, over a server on loopback."""

import datetime as dt
import ipaddress
import ssl

import pytest

pytestmark = pytest.mark.packages("requests", "urllib3", "certifi", "cryptography")


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """Return a certificate authority's file, and a TLS context of a server that it signed for localhost."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    def certificate(name, issuer, key, signer, *extensions):
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(key.public_key())
        )
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(1))
        builder = builder.not_valid_after(now + dt.timedelta(2))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def named(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    folder = tmp_path_factory.mktemp("authority")
    root, leaf = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    subject_key = x509.SubjectKeyIdentifier.from_public_key(root.public_key())
    (folder / "ca.pem").write_bytes(
        certificate(
            named("Ours"),
            named("Ours"),
            root,
            root,
            (x509.BasicConstraints(ca=True, path_length=0), True),
            (x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), True),
            (subject_key, False),
        )
    )
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key)
    own = certificate(
        named("localhost"),
        named("Ours"),
        leaf,
        root,
        (x509.SubjectAlternativeName(addresses), False),
        (issuer_key, False),
    )
    key = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(key + own)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    return folder / "ca.pem", context


def session():
    import requests

    made = requests.Session()
    made.trust_env = False
    return made


def test_certificates_are_checked(authority, serve):
    import certifi
    import requests

    ca, context = authority
    # Minimal systems have no /etc/hosts, and so no localhost.
    url = f"https://127.0.0.1:{serve({'/': (b'ok', {})}, context)}/"
    assert session().get(url, verify=str(ca), timeout=30).text == "ok"
    for bundle in (True, certifi.where()):
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            session().get(url, verify=bundle, timeout=30)
    trusted = ssl.create_default_context(cafile=certifi.where()).get_ca_certs()
    assert len(trusted) > 80
    assert not any("Ours" in str(found["subject"]) for found in trusted)


@pytest.mark.packages("httpx", "httpcore", "h11")
def test_two_clients_refuse_another_hosts_certificate(authority, serve):
    import httpx
    import requests
    import urllib3

    ca, context = authority
    port = serve({"/": (b"ok", {})}, context)
    trusting = ssl.create_default_context(cafile=str(ca))
    with httpx.Client(verify=trusting, trust_env=False) as client:
        assert client.get(f"https://127.0.0.1:{port}/").text == "ok"
    pool = urllib3.HTTPSConnectionPool("127.0.0.1", port, ca_certs=str(ca), assert_hostname="example.org")
    with pytest.raises(urllib3.exceptions.MaxRetryError, match=r"doesn't match|mismatch"):
        pool.request("GET", "/", retries=0)
    with httpx.Client(verify=trusting, trust_env=False) as client:
        asked = client.build_request(
            "GET", f"https://127.0.0.1:{port}/", extensions={"sni_hostname": "a.org"}
        )
        with pytest.raises(httpx.ConnectError, match="mismatch"):
            client.send(asked)
    with pytest.raises(requests.exceptions.SSLError):
        session().get(f"https://127.0.0.1:{port}/", timeout=30)
