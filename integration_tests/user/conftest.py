"""A user of the release: a home of their own, a shell's environment, and a wheel to install."""

import base64
import hashlib
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

KEPT = ("LANG", "PATH", "PATHEXT", "SYSTEMROOT", "COMSPEC", "TEMP", "TMP", "TMPDIR", "TZ", "WINEPREFIX")


class User:
    """Someone who has the release first on PATH, and nothing else that belongs to Python."""

    def __init__(self, folder):
        self.folder, self.home = folder, folder / "home"
        self.tools = Path(sysconfig.get_path("scripts"))
        self.home.mkdir()
        names = ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
        self.environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self.environment |= dict.fromkeys(names, str(self.home))
        paths = [str(self.tools), str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
        self.environment["PATH"] = os.pathsep.join(dict.fromkeys(paths))
        self.environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        self.environment["PIP_NO_INDEX"] = "1"

    def run(self, *argv, data=None, check=True, **environment):
        """Run a program in the user's folder and return what it wrote to its standard output."""
        done = subprocess.run(
            [str(word) for word in argv],
            input=data,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=self.environment | environment,
            cwd=self.folder,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
            return done.stdout.strip()
        return done

    def python(self, code, *, data=None, options=(), **environment):
        """Run code with the release's interpreter and return its output."""
        return self.run(sys.executable, *options, "-c", code, data=data, **environment)

    def script(self, name, text):
        """Write a script into the user's folder, which anybody may run."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path


@pytest.fixture
def user(tmp_path):
    """Return a user with an empty home."""
    return User(tmp_path)


@pytest.fixture
def wheel(tmp_path):
    """Write a pure wheel with a module, a data file and a command, and return its path."""
    info = "greeter-1.2.dist-info"
    files = {
        "greeter/__init__.py": "from importlib.resources import files\n"
        "def main():\n    print(files(__name__).joinpath('word.txt').read_text(encoding='utf-8'))\n",
        "greeter/word.txt": "Grüezi",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: greeter\nVersion: 1.2\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: suite\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ngreet = greeter:main\n",
    }
    record = []
    path = tmp_path / "greeter-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            data = text.encode()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    return path


@pytest.fixture
def site():
    """Yield the release's site-packages, and fail if a test adds to it or removes from it."""
    folder = Path(sysconfig.get_path("purelib"))
    before = sorted(path.name for path in folder.iterdir())
    yield folder
    assert sorted(path.name for path in folder.iterdir()) == before, "the release itself was changed"
