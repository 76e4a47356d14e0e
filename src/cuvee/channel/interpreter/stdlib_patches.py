"""Changes to the sources of the standard library, so that a packed interpreter works in any prefix.

Debian's and Ubuntu's interpreters import from ``dist-packages`` (https://wiki.debian.org/Python); packed ones
import from the ``site-packages`` of their prefix. Functions are found by name in the syntax tree; it is an
error if one cannot be found, since an interpreter that imports from other folders must not ship.
"""

import ast
import re
from pprint import pformat

from cuvee.errors import CuveeError

_GETSITEPACKAGES = '''\
def getsitepackages(prefixes=None):
    """Give the site-packages folder of each prefix (of sys.prefix and sys.exec_prefix by default)."""
    folders = []
    version = "python%d.%d" % sys.version_info[:2]
    for prefix in dict.fromkeys(PREFIXES if prefixes is None else prefixes):
        if prefix:
            for libdir in dict.fromkeys((sys.platlibdir, "lib")):
                folders.append(os.path.join(prefix, libdir, version, "site-packages"))
    return folders
'''

# The module `site` is also frozen into the executable, where no text can be changed; its result is corrected.
_SITECUSTOMIZE = """\
# Makes a Debian interpreter import from its prefix's site-packages; then runs another sitecustomize.
import os
import site
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec

{getsitepackages}

def _mend():
    if "dist-packages" in str(site.getsitepackages()):
        site.getsitepackages = getsitepackages
        known = set(sys.path)
        for folder in getsitepackages(site.PREFIXES):
            if os.path.isdir(folder) and folder not in known:
                site.addsitedir(folder)


def _run_another():
    here = os.path.dirname(os.path.abspath(__file__))
    elsewhere = [folder for folder in sys.path if os.path.abspath(folder or ".") != here]
    spec = PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)


PREFIXES = site.PREFIXES
_mend()
_run_another()
"""

_PREFERRED_SCHEMES = """\
def _get_preferred_schemes():
    return {"prefix": "posix_prefix", "home": "posix_home", "user": "posix_user"}
"""

_DEBIAN_SCHEMES = """
for _name in ("posix_local", "deb_system"):
    if _name in _INSTALL_SCHEMES:
        _INSTALL_SCHEMES[_name] = dict(_INSTALL_SCHEMES["posix_prefix"])
"""

# Debian's distutils behaves as upstream's does where this is true.
_IS_VIRTUAL_ENVIRONMENT = """\
def is_virtual_environment():
    return True
"""

_NOT_DISABLED = """\
def _ensurepip_is_disabled_in_debian_for_system():
    return
"""

_SYSTEM_CERTIFICATES = '''

# This OpenSSL was built for one system's certificate store; the interpreter runs on others too.
_CERTIFICATE_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/var/lib/ca-certificates/ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def _set_default_verify_paths(self, _set=SSLContext.set_default_verify_paths):
    """Load the certificates that OpenSSL finds by itself, or else those of the system's usual places."""
    _set(self)
    known = _ssl.get_default_verify_paths()
    if os.environ.get(known[0]) or os.environ.get(known[2]) or os.path.isfile(known[1]):
        return
    try:
        if any(name[-2:-1] == "." for name in os.listdir(known[3])):
            return
    except OSError:
        pass
    for name in _CERTIFICATE_FILES:
        if os.path.isfile(name):
            self.load_verify_locations(cafile=name)
            return


SSLContext.set_default_verify_paths = _set_default_verify_paths
'''

_PATCHED = frozenset({"ssl.py", "site.py", "distutils/sysconfig.py", "ensurepip/__init__.py"})
_SYSCONFIG = frozenset({"sysconfig.py", "sysconfig/__init__.py"})
_SYSCONFIGDATA = re.compile(r"_sysconfigdata_[\w.-]*\.py")

BUNDLED_WHEELS = "lib/python{}/ensurepip/_bundled"
"""The folder of the wheels that `ensurepip` installs in the package, by minor version."""

_PREFIX_TOKEN = "@base_prefix@"  # noqa: S105 - a placeholder, not a password

# The variables that are paths below the prefix when the prefix is /usr, which contains most other paths too.
_PLACES = re.compile(
    r"(exec_prefix|prefix|host_prefix|host_exec_prefix|BINDIR|BINLIBDEST|CONFINCLUDE(DIR|PY)|DESTDIRS|DESTLIB"
    r"|DESTSHARED|INCLDIRSTOMAKE|INCLUDEDIR|INCLUDEPY|LIBDEST|LIBDIR|LIBP|LIBPC|LIBPL|MACHDESTLIB|MANDIR"
    r"|SCRIPTDIR|datarootdir)"
)


def patched(path: str, text: str) -> str:
    """Return the text of the standard library's file ``path`` (relative, with ``/``) in the package.

    Raises
    ------
    CuveeError
        If a function that must be changed cannot be found.
    """
    if path == "ssl.py":
        return text + _SYSTEM_CERTIFICATES
    if _SYSCONFIGDATA.fullmatch(path):
        return relocatable_sysconfigdata(text, path)
    if path == "ensurepip/__init__.py" and "_ensurepip_is_disabled_in_debian_for_system" in text:
        return _replaced(text, "_ensurepip_is_disabled_in_debian_for_system", _NOT_DISABLED, path)
    return _without_dist_packages(path, text) if "dist-packages" in text else text


def _without_dist_packages(path: str, text: str) -> str:
    if path == "site.py":
        return _replaced(text, "getsitepackages", _GETSITEPACKAGES, path)
    if path in _SYSCONFIG:
        text = _replaced(text, "_get_preferred_schemes", _PREFERRED_SCHEMES, path)
        lines = text.splitlines(keepends=True)
        end = _assignment(text, "_INSTALL_SCHEMES", path).end_lineno
        return "".join((*lines[:end], _DEBIAN_SCHEMES, *lines[end:]))
    if path == "distutils/sysconfig.py":
        return _replaced(text, "is_virtual_environment", _IS_VIRTUAL_ENVIRONMENT, path)
    return text


def sitecustomize(site: str) -> bytes | None:
    """Return the `sitecustomize` that an interpreter with this text of `site` needs, if it needs one."""
    if "dist-packages" not in site:
        return None
    return _SITECUSTOMIZE.format(getsitepackages=_GETSITEPACKAGES).encode()


def is_patched(path: str) -> bool:
    """Whether `patched` may change this file."""
    return path in _PATCHED or path in _SYSCONFIG or _SYSCONFIGDATA.fullmatch(path) is not None


def relocatable_sysconfigdata(text: str, path: str = "_sysconfigdata.py") -> str:
    """Return build settings with the prefix that the interpreter is in, not the one that it was built for."""
    value = ast.literal_eval(_assignment(text, "build_time_vars", path).value)
    if not isinstance(value, dict):
        raise _unexpected(path, "build_time_vars")
    variables: dict[str, object] = value
    prefix = str(variables.get("prefix", ""))
    multiarch = str(variables.get("MULTIARCH", ""))
    if prefix.startswith("/"):
        variables = {
            key: _relocated(key, value, prefix, multiarch) if isinstance(value, str) else value
            for key, value in variables.items()
        }
    if variables.get("WHEEL_PKG_DIR"):
        variables["WHEEL_PKG_DIR"] = f"{_PREFIX_TOKEN}/{BUNDLED_WHEELS.format(variables.get('VERSION'))}"
    return (
        "# What this interpreter was built with; places below its prefix are where the prefix is now.\n"
        f"import sys\n\nbuild_time_vars = {pformat(variables, width=110)}\n\n"
        "for _key, _value in build_time_vars.items():\n"
        "    if isinstance(_value, str):\n"
        f"        build_time_vars[_key] = _value.replace({_PREFIX_TOKEN!r}, sys.base_prefix)\n"
    )


def _relocated(key: str, value: str, prefix: str, multiarch: str) -> str:
    if prefix == "/usr" and not _PLACES.fullmatch(key):
        return value
    value = re.sub(rf"(?:(?<![\w/-])|(?<=-[LI])){re.escape(prefix)}(?![\w.-])", _PREFIX_TOKEN, value)
    return value.replace(f"{_PREFIX_TOKEN}/lib/{multiarch}", f"{_PREFIX_TOKEN}/lib") if multiarch else value


def _assignment(text: str, name: str, path: str) -> ast.Assign:
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            if isinstance(target, ast.Name) and target.id == name:
                return node
    raise _unexpected(path, name)


def _replaced(text: str, function: str, replacement: str, path: str) -> str:
    nodes = [
        node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name == function
    ]
    if len(nodes) != 1 or nodes[0].end_lineno is None:
        raise _unexpected(path, function)
    lines = text.splitlines(keepends=True)
    return "".join((*lines[: nodes[0].lineno - 1], replacement, *lines[nodes[0].end_lineno :]))


def _unexpected(path: str, name: str) -> CuveeError:
    return CuveeError(
        f"The standard library's {path} has no {name}, so it cannot be relocated",
        hint="Run cuvee with another CPython, or use a channel that carries python.",
    )
