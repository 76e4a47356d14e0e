"""Fetching over HTTPS with the system's trust store, the user's proxies, and no redirects to plain HTTP."""

import ssl
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import truststore
from requests.adapters import HTTPAdapter

from cuvee.conda.printable_text import printable
from cuvee.conda.url_secrets import without_secrets
from cuvee.conda.url_trust import may_lead_to
from cuvee.errors import IntegrityError

_MOST_REDIRECTS = 10


class ProtectedSession(requests.Session):
    """A session that verifies with the system's trust store, and refuses redirects to unprotected URLs."""

    def __init__(self) -> None:
        super().__init__()
        self.mount("https://", _SystemTrust())
        self.headers["Accept-Encoding"] = "identity"  # hashes are of files as they are
        self.max_redirects = _MOST_REDIRECTS

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        resp._content = b""  # noqa: SLF001  requests would read a redirect's body, however long it is
        resp.close()
        after = urljoin(resp.url, target)
        if not may_lead_to(resp.url, after):
            raise IntegrityError(
                f"{urlsplit(resp.url).hostname} redirects to {printable(without_secrets(after))}, "
                "which is not protected",
                hint="Use a channel or an index that serves its files through https.",
            )
        return target


class _SystemTrust(HTTPAdapter):
    """Verifies with the system's trust store, to which bundles that the environment names are added."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_context(), **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=_context(), **kwargs)


def _context() -> ssl.SSLContext:
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
