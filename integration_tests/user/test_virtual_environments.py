"""Environments that are made from the release, and what pip installs into them and beside them."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.packages("python"),
    pytest.mark.usefixtures("site"),
    pytest.mark.skipif(
        not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")),
        reason="the release's Python was packed without venv or ensurepip",
    ),
]
ABOUT = "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix]))"


def tools(folder):
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


def make(user, *options):
    folder = user.folder / "env with space"
    user.run(sys.executable, "-m", "venv", *options, folder)
    return folder, tools(folder) / "python"


def test_an_environment_is_made_from_the_release(user):
    folder, python = make(user, "--without-pip")
    prefix, base = map(Path, json.loads(user.run(python, "-c", ABOUT)))
    assert prefix.samefile(folder)
    assert base.samefile(sys.prefix)
    code = "import ctypes, lzma, sqlite3, ssl, zlib; print(ssl.create_default_context().verify_mode.name)"
    assert user.run(python, "-c", code) == "CERT_REQUIRED"
    done = user.run(python, "-c", "import numpy", check=False)
    assert "ModuleNotFoundError" in done.stderr


def test_pip_installs_a_wheel_into_an_environment(user, wheel):
    folder, python = make(user)
    user.run(python, "-m", "pip", "install", "--no-index", wheel)
    assert user.run(tools(folder) / "greet") == "Grüezi"
    assert "greeter" in user.run(python, "-m", "pip", "list")
    user.run(python, "-m", "pip", "check")
    user.run(python, "-m", "pip", "uninstall", "--yes", "greeter")
    assert user.run(python, "-c", "import greeter", check=False).returncode == 1


@pytest.mark.packages("numpy", "pandas", "tqdm")
def test_an_environment_may_see_the_releases_packages(user, site):
    _, python = make(user, "--system-site-packages", "--without-pip")
    code = "import numpy, pandas, sys; print(pandas.Series(numpy.arange(4)).sum(), numpy.__file__)"
    total, _, file = user.run(python, "-c", code).partition(" ")
    assert total == "6"
    assert Path(file).is_relative_to(site)
    # What the environment has of its own comes first.
    own = json.loads(
        user.run(python, "-c", "import json, sysconfig; print(json.dumps(sysconfig.get_path('purelib')))")
    )
    Path(own, "tqdm.py").write_text("own = True", encoding="utf-8")
    assert user.run(python, "-c", "import tqdm; print(tqdm.own)") == "True"


def test_pip_installs_for_the_user_only(user, wheel):
    code = "import sys, site; print(site.ENABLE_USER_SITE, site.getusersitepackages())"
    enabled, _, folder = user.python(code).partition(" ")
    assert enabled == "True"
    assert Path(folder).is_relative_to(user.home)
    user.run(sys.executable, "-m", "ensurepip", "--user", "--default-pip")
    user.run(
        sys.executable, "-m", "pip", "install", "--user", "--no-index", "--no-warn-script-location", wheel
    )
    assert user.python("import greeter; greeter.main()") == "Grüezi"
    assert Path(user.python("import greeter; print(greeter.__file__)")).is_relative_to(user.home)
    for options in (["-s"], ["-I"]):
        done = user.run(sys.executable, *options, "-c", "import greeter", check=False)
        assert "ModuleNotFoundError" in done.stderr


@pytest.mark.packages("ipykernel", "jupyter-client", "nbclient", "nbformat")
def test_an_environment_becomes_a_kernel_of_the_user(user):
    folder, python = make(user, "--system-site-packages", "--without-pip")
    user.run(python, "-m", "ipykernel", "install", "--user", "--name", "mine", "--display-name", "Mine")
    code = (
        "from jupyter_client.manager import start_new_kernel\n"
        "manager, client = start_new_kernel(kernel_name='mine', startup_timeout=90)\n"
        "client.execute_interactive('import sys; print(sys.prefix)', timeout=60)\n"
        "client.stop_channels()\nmanager.shutdown_kernel(now=True)"
    )
    assert Path(user.python(code).splitlines()[-1]).samefile(folder)
    listed = user.run(user.tools / "jupyter", "kernelspec", "list", "--json")
    assert {"mine", "python3"} <= json.loads(listed)["kernelspecs"].keys()
