"""The standard library's text, made at home in any prefix."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.channel.interpreter.stdlib_patches import (
    is_patched,
    patched,
    relocatable_sysconfigdata,
    sitecustomize,
)
from cuvee.errors import CuveeError

DEBIAN_SITE = """
import os
import sys
PREFIXES = ["/one", "/one", ""]

def getsitepackages(prefixes=None):
    return [os.path.join(PREFIXES[0], "lib", "python3", "dist-packages")]

def main():
    return getsitepackages()
"""

DEBIAN_SYSCONFIG = """
_INSTALL_SCHEMES = {
    'posix_prefix': {'purelib': '{base}/lib/python{py_version_short}/site-packages'},
    'posix_local': {'purelib': '{base}/local/lib/python{py_version_short}/dist-packages'},
    'deb_system': {'purelib': '{base}/lib/python3/dist-packages'},
}

def _get_preferred_schemes():
    return {'prefix': 'posix_local'}

after = 1
"""


def _run(text: str, **names: Any) -> dict[str, Any]:
    namespace: dict[str, Any] = dict(names)
    exec(compile(text, "patched", "exec"), namespace)  # noqa: S102 - our own text
    return namespace


def test_debian_site_looks_in_site_packages_of_each_prefix_once() -> None:
    namespace = _run(patched("site.py", DEBIAN_SITE))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert namespace["main"]()[-1] == os.path.join("/one", "lib", version, "site-packages")  # noqa: PTH118
    assert len(set(namespace["main"]())) == len(namespace["main"]())
    assert "dist-packages" not in str(namespace["getsitepackages"](["/two"]))


def test_debian_schemes_become_those_of_upstream() -> None:
    namespace = _run(patched("sysconfig.py", DEBIAN_SYSCONFIG))
    assert namespace["_get_preferred_schemes"]()["prefix"] == "posix_prefix"
    schemes = namespace["_INSTALL_SCHEMES"]
    assert schemes["posix_local"] == schemes["deb_system"] == schemes["posix_prefix"]
    assert namespace["after"] == 1


def test_distutils_installs_as_in_a_virtual_environment() -> None:
    text = "import sys\ndef is_virtual_environment():\n    return False\nWHERE = 'dist-packages'\n"
    assert _run(patched("distutils/sysconfig.py", text))["is_virtual_environment"]() is True


@pytest.mark.parametrize(
    "name", ["site.py", "sysconfig.py", "sysconfig/__init__.py", "distutils/sysconfig.py"]
)
def test_what_upstream_wrote_stays_as_it_is(name: str) -> None:
    text = "def getsitepackages():\n    return ['site-packages']\n"
    assert is_patched(name)
    assert patched(name, text) == text


@pytest.mark.parametrize("name", ["site.py", "sysconfig.py", "distutils/sysconfig.py"])
def test_a_function_that_moved_is_an_error(name: str) -> None:
    with pytest.raises(CuveeError, match="cannot be relocated") as caught:
        patched(name, "WHERE = 'dist-packages'\n")
    assert caught.value.hint


def test_only_debian_needs_a_sitecustomize() -> None:
    assert sitecustomize("def getsitepackages(): ...") is None
    made = sitecustomize(DEBIAN_SITE)
    assert made is not None
    compile(made, "sitecustomize", "exec")


def test_settings_name_the_prefix_that_they_are_in(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "# made by CPython\nbuild_time_vars = {'prefix': '/build/py', 'LIBDIR': '/build/py/lib', 'N': 7,\n"
        " 'LDFLAGS': '-L/build/py/lib -Wl,-rpath,/build/py/lib -L/build/python',\n"
        " 'TZPATH': '/usr/share/zoneinfo'}\n"
    )
    monkeypatch.setattr(sys, "base_prefix", "/opt/a b")
    settings = _run(patched("_sysconfigdata__linux_x86_64-linux-gnu.py", text))["build_time_vars"]
    assert settings["prefix"] == "/opt/a b"
    assert settings["LIBDIR"] == "/opt/a b/lib"
    assert settings["LDFLAGS"] == "-L/opt/a b/lib -Wl,-rpath,/opt/a b/lib -L/build/python"
    assert settings["TZPATH"] == "/usr/share/zoneinfo"
    assert settings["N"] == 7


def test_of_debians_settings_only_places_move(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "build_time_vars = {'prefix': '/usr', 'MULTIARCH': 'x86_64-linux-gnu',\n"
        " 'INSTALL': '/usr/bin/install -c',\n"
        " 'LIBDIR': '/usr/lib/x86_64-linux-gnu', 'INCLUDEPY': '/usr/include/python3.11',\n"
        " 'TZPATH': '/usr/share/zoneinfo:/usr/lib/zoneinfo'}\n"
    )
    monkeypatch.setattr(sys, "base_prefix", "/p")
    settings = _run(relocatable_sysconfigdata(text))["build_time_vars"]
    assert settings["INSTALL"] == "/usr/bin/install -c"
    assert settings["TZPATH"] == "/usr/share/zoneinfo:/usr/lib/zoneinfo"
    assert settings["LIBDIR"] == "/p/lib"
    assert settings["INCLUDEPY"] == "/p/include/python3.11"


_NAMES = st.text(alphabet="abcdefgh-_.1", min_size=1, max_size=8).filter(lambda name: name.strip("."))


@given(prefix=st.lists(_NAMES, min_size=2, max_size=4), inside=_NAMES)
def test_no_trace_of_the_old_prefix_stays(prefix: list[str], inside: str) -> None:
    old = "/" + "/".join(prefix)
    text = f"build_time_vars = {{'prefix': {old!r}, 'BINDIR': {old + '/' + inside!r}, 'F': {'-L' + old!r}}}"
    assert old not in relocatable_sysconfigdata(text)


def test_ensurepip_takes_its_wheels_from_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/p")
    text = "build_time_vars = {'prefix': '/usr', 'VERSION': '3.11', 'WHEEL_PKG_DIR': '/usr/share/x/'}"
    settings = _run(relocatable_sysconfigdata(text))["build_time_vars"]
    assert settings["WHEEL_PKG_DIR"] == "/p/lib/python3.11/ensurepip/_bundled"
    text = "import sys\ndef _ensurepip_is_disabled_in_debian_for_system():\n    sys.exit(1)\n"
    assert (
        _run(patched("ensurepip/__init__.py", text))["_ensurepip_is_disabled_in_debian_for_system"]() is None
    )


def test_settings_of_another_shape_are_an_error() -> None:
    with pytest.raises(CuveeError, match="build_time_vars"):
        relocatable_sysconfigdata("other = {}")


class _Context:
    def __init__(self) -> None:
        self.loaded: list[str] = []

    def set_default_verify_paths(self) -> None:
        self.loaded.append("openssl's own")

    def load_verify_locations(self, *, cafile: str) -> None:
        self.loaded.append(cafile)


def _context(cafile: Path, capath: Path, system: Path) -> list[str]:
    paths = ("SSL_CERT_FILE_OF_TEST", str(cafile), "SSL_CERT_DIR_OF_TEST", str(capath))
    openssl = SimpleNamespace(get_default_verify_paths=lambda: paths)

    class Context(_Context): ...

    namespace = _run(patched("ssl.py", ""), SSLContext=Context, os=os, _ssl=openssl)
    namespace["_CERTIFICATE_FILES"] = (str(system / "missing"), str(system))
    context = Context()
    context.set_default_verify_paths()
    return context.loaded


def test_certificates_come_from_the_systems_place_when_openssl_finds_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = tmp_path / "ca-bundle.crt"
    system.touch()
    nothing = tmp_path / "nothing"
    assert _context(nothing, nothing, system) == ["openssl's own", str(system)]
    (tmp_path / "cert.pem").touch()
    assert _context(tmp_path / "cert.pem", nothing, system) == ["openssl's own"]
    (tmp_path / "certs").mkdir()
    assert _context(nothing, tmp_path / "certs", system) == ["openssl's own", str(system)]
    (tmp_path / "certs" / "5ed36f99.0").touch()
    assert _context(nothing, tmp_path / "certs", system) == ["openssl's own"]
    monkeypatch.setenv("SSL_CERT_FILE_OF_TEST", "/mine.pem")
    assert _context(nothing, nothing, system) == ["openssl's own"]
