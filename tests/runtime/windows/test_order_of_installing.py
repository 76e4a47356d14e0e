"""What an `.exe` does after the release is in its place: it is registered before byte code is made."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from cuvee.runtime.failure import InstallError
from cuvee.runtime.windows import windows_install
from cuvee.runtime.windows.nsis_call import NsisCall
from cuvee.runtime.windows.registry import Product


@pytest.fixture
def did(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace what changes the system; return what was done, in order."""
    done: list[str] = []

    def put(name: str, replacement: Any) -> None:
        monkeypatch.setattr(windows_install, name, replacement)

    def add(*_: object, **__: object) -> None:
        done.append("registered")

    def run_installer(run: SimpleNamespace) -> int:
        done.append("installed" if "--compile-later" in run.options else "installed and compiled")
        return 0

    for name in ("recover", "_check_system", "fill"):
        put(name, lambda *_, **__: None)
    put("hold", lambda _: nullcontext())
    put("decide", lambda *_: (None, False))
    put("run_installer", run_installer)
    put("read_registration", lambda _: SimpleNamespace(add=add))
    put("remove", lambda *_: done.append("removed"))
    put("desktop_byte_code", SimpleNamespace(complete_in=lambda _: done.append("compiled")))
    return done


def call() -> NsisCall:
    def installer_run(_: str, options: list[str]) -> SimpleNamespace:
        return SimpleNamespace(options=frozenset(options), read_index=lambda: None)

    found = SimpleNamespace(prefix="/nowhere", staged="", run="", options=(), installer_run=installer_run)
    return cast("NsisCall", found)


def test_byte_code_is_last(did: list[str]) -> None:
    assert windows_install.install(cast("Product", None), call()) == 0
    assert did == ["installed", "registered", "compiled"]


def test_nothing_is_compiled_for_what_is_removed_again(
    did: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(windows_install, "read_registration", lambda _: SimpleNamespace(add=refuse))
    with pytest.raises(InstallError, match="Nothing was installed"):
        windows_install.install(cast("Product", None), call())
    assert did == ["installed", "removed"]
