"""Fetching over HTTP: the system's trust, the user's proxies, and no way out of a protected place."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import requests
import truststore
from requests.adapters import HTTPAdapter

from cuvee.errors import IntegrityError


class ProtectedSession(requests.Session):
    """Trusts what the system trusts, and follows no redirect from a protected place to an unprotected one."""

    def __init__(self) -> None:
        super().__init__()
        self.mount("https://", _SystemTrust())
        self.headers["Accept-Encoding"] = "identity"  # the hash is that of the file, not of a packed one

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        if target is None:
            return None
        before, after = urlsplit(resp.url), urlsplit(requests.compat.urljoin(resp.url, target))
        allowed = after.scheme == "https" or (before.scheme, before.netloc) == (after.scheme, after.netloc)
        if not allowed:
            raise IntegrityError(
                f"{before.netloc} leads to {after.scheme}://{after.netloc}, which is not protected",
                hint="Use an index that serves its files through https.",
            )
        return target


class _SystemTrust(HTTPAdapter):
    """Verifies with the operating system's trust store; bundles named in the environment are added to it."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=_context(), **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, ssl_context=_context(), **kwargs)


def _context() -> ssl.SSLContext:
    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
