"""Fetching over HTTPS with the system's trust store, the user's proxies, and no redirects to plain HTTP."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import requests
import truststore
from requests.adapters import HTTPAdapter

from cuvee.errors import IntegrityError


class ProtectedSession(requests.Session):
    """A session that verifies with the system's trust store, and refuses redirects to unprotected URLs."""

    def __init__(self) -> None:
        super().__init__()
        self.mount("https://", _SystemTrust())
        self.headers["Accept-Encoding"] = "identity"  # hashes are of files as they are

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        before, after = urlsplit(resp.url), urlsplit(requests.compat.urljoin(resp.url, target))
        allowed = after.scheme == "https" or (before.scheme, before.netloc) == (after.scheme, after.netloc)
        if not allowed:
            raise IntegrityError(
                f"{before.netloc} redirects to {after.scheme}://{after.netloc}, which is not protected",
                hint="Use an index that serves its files through https.",
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
