"""Shells, the scripts that they start, and what activation does in each."""

import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.packages("python")

POSIX = pytest.mark.skipif(os.name != "posix", reason="scripts with #! lines are not started on Windows")
ASK = "import sys; print(sys.prefix)"
# shell: the options that read no start-up files, how it reads a script, the script of a venv
SHELLS = {
    "bash": (["--noprofile", "--norc"], ".", "activate"),
    "dash": ([], ".", "activate"),
    "zsh": (["-f"], ".", "activate"),
    "fish": (["--no-config"], "source", "activate.fish"),
    "tcsh": (["-f"], "source", "activate.csh"),
    "pwsh": (["-NoProfile", "-NonInteractive"], ".", "Activate.ps1"),
}


def found(shell):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed on this machine")
    return shutil.which(shell)


@pytest.mark.parametrize("shell", list(SHELLS))
@pytest.mark.skipif(
    not importlib.util.find_spec("venv"), reason="the release's Python was packed without venv"
)
def test_an_environment_is_activated_in(shell, user):
    program = found(shell)
    options, read, name = SHELLS[shell]
    folder = user.folder / "env"
    user.run(sys.executable, "-m", "venv", "--without-pip", folder)
    script = folder / ("Scripts" if sys.platform == "win32" else "bin") / name
    lines = [f'{read} "{script}"', f'python -c "{ASK}"', "deactivate", f'python -c "{ASK}"']
    shown = user.run(program, *options, "-c", "\n".join(lines)).splitlines()
    assert Path(shown[-2]).samefile(folder)
    assert Path(shown[-1]).samefile(sys.prefix)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "pwsh"])
def test_the_release_is_activated_in(shell, user):
    prefix = Path(sys.prefix)
    scripts = {
        "bash": [prefix / "bin" / "activate", prefix / "etc" / "profile.d" / "conda.sh"],
        "zsh": [prefix / "bin" / "activate", prefix / "etc" / "profile.d" / "conda.sh"],
        "fish": [prefix / "etc" / "fish" / "conf.d" / "conda.fish"],
        "pwsh": [prefix / "shell" / "condabin" / "conda-hook.ps1"],
    }
    present = [script for script in scripts[shell] if script.is_file()]
    if not present:
        pytest.skip(f"the release brings no activation script for {shell}")
    program, (options, read, _) = found(shell), SHELLS[shell]
    activate = "" if present[0].name == "activate" else f'conda activate "{prefix}"'
    lines = [f'{read} "{present[0]}"', activate, 'python -c "import os, sys; print(sys.prefix)"']
    shown = user.run(program, *options, "-c", "\n".join(lines), PATH=os.defpath).splitlines()
    assert Path(shown[-1]).samefile(prefix)


@POSIX
@pytest.mark.packages("numpy")
def test_a_script_finds_the_releases_python_by_env(user):
    script = user.script(
        "compute",
        "#!/usr/bin/env python\nimport numpy, sys\nprint(numpy.arange(5).sum(), sys.prefix, *sys.argv[1:])\n",
    )
    total, prefix, *arguments = user.run(script, "a b", "é").split(" ", 2)
    assert total == "10"
    assert Path(prefix).samefile(sys.prefix)
    assert arguments == ["a b é"]
    for name in ("python3", f"python3.{sys.version_info.minor}"):
        other = user.script("other", f"#!/usr/bin/env {name}\n{ASK}\n")
        assert Path(user.run(other)).samefile(sys.prefix)


@POSIX
@pytest.mark.packages("pygments", "jupyter-core")
def test_commands_need_no_path(user):
    """Desktop entries and cron jobs start commands by their path, with next to nothing on PATH."""
    code = user.script("code.py", "x = 'é'\n")
    shown = user.run(user.tools / "pygmentize", "-f", "html", "-l", "python", code, PATH=os.defpath)
    assert '<span class="n">x</span>' in shown
    assert "jupyter" in user.run(user.tools / "jupyter", "--help", PATH=os.defpath).lower()


def test_text_is_utf_8_even_in_a_poor_locale(user):
    for locale in ("C", "POSIX", "C.UTF-8"):
        if os.name == "posix":
            assert user.python("print('Grüße, 例')", LC_ALL=locale) == "Grüße, 例"
    name = user.folder / "naïve — 例.py"
    name.write_text("import sys; print(ascii(sys.argv[1]))", encoding="utf-8")
    assert user.run(sys.executable, name, "例") == ascii("例")


@pytest.mark.packages("jupyter-core")
def test_modules_of_the_working_folder_do_not_hide_those_of_commands(user):
    """Check that no command of the release imports from the folder in which it is started."""
    (user.folder / "json.py").write_text("raise RuntimeError('the wrong json')", encoding="utf-8")
    assert user.run(user.tools / "jupyter", "--paths", "--json").startswith("{")
    assert user.python("import json; print(json.dumps([1]))", options=["-P"]) == "[1]"
