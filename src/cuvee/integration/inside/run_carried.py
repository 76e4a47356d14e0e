"""Run a script of a package's own tests as the tools do that have put it there.

Usage: ``python run_carried.py SPEC.json``. Keys of the spec:

``script``       the script's file
``interpreter``  what runs it: ``python`` is the release's own; ``bash``, ``cmd`` and others are searched for
``options``      options of the interpreter
``copied``       a folder of the prefix, whose files are copied to the current one before; "" for none
``beside``       a prefix with packages that the test needs besides; "" for none
``package``      ``name``, ``version``, ``build``, ``build_number``, ``subdir`` and ``platform``
``environment``  more variables, which the test states
``variants``     the variants that the package was built for, which are variables too

The exit code is the script's; 121 if its interpreter is missing, 120 if the files to copy are. The variables
are those of https://docs.conda.io/projects/conda-build/en/stable/user-guide/environment-variables.html and
https://rattler.build/latest/testing/ that make sense without a build. Scripts in ``etc/conda/activate.d`` run
before, as they do when a prefix is activated.
"""

from __future__ import annotations  # for releases with an old Python

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

NO_INTERPRETER, NO_FILES = 121, 120
_WINDOWS = os.name == "nt"
_PROGRAMS = {
    "cmd": ("cmd.exe",),
    "lua": ("lua",),
    "nodejs": ("node",),
    "nushell": ("nu",),
    "powershell": ("pwsh", "powershell"),
    "rscript": ("Rscript",),
}
_FIRST_OPTIONS = {"cmd": ("/d", "/c"), "powershell": ("-File",)}
_LANGUAGES = {"perl", "lua", "r", "numpy", "python", "ruby", "nodejs"}
_ENDINGS = {"win32": ".dll", "darwin": ".dylib"}
_WINDOWS_FOLDERS = (r"Library\mingw-w64\bin", r"Library\usr\bin", r"Library\bin", "Scripts", "bin")
_SOURCING = 'left=$1; shift; while [ $left -gt 0 ]; do . "$1"; shift; left=$((left - 1)); done; exec "$@"'


def main(spec: dict[str, Any]) -> int:
    if spec["copied"] and not copied(os.path.join(sys.prefix, spec["copied"])):  # noqa: PTH118
        sys.stderr.write(f"the package has not installed {spec['copied']}, where the test's files are\n")
        return NO_FILES
    environment = {**os.environ, **variables(spec), **spec["environment"]}
    if _WINDOWS:
        folders = [sys.prefix, *(os.path.join(sys.prefix, name) for name in _WINDOWS_FOLDERS)]  # noqa: PTH118
        environment["PATH"] = os.pathsep.join([*folders, environment.get("PATH", "")])
    name = spec["interpreter"]
    program = sys.executable if name == "python" else found(name, environment["PATH"])
    if program is None:
        sys.stderr.write(f"there is no {name} to run this test with\n")
        return NO_INTERPRETER
    argv = [program, *_FIRST_OPTIONS.get(name, ()), *spec["options"], spec["script"]]
    if _WINDOWS:
        return subprocess.run(argv, env=environment, check=False).returncode
    scripts = activation_scripts(spec["beside"])
    bash = shutil.which("bash", path=environment["PATH"])
    if scripts and bash is not None:
        argv = [bash, "-c", _SOURCING, "activate", str(len(scripts)), *scripts, *argv]
    return os.execve(argv[0], argv, environment)  # noqa: S606


def copied(folder: str) -> bool:
    """Copy the files of a folder, so that a test leaves nothing there; return whether it is there."""
    if not os.path.isdir(folder):  # noqa: PTH112
        return False
    shutil.copytree(folder, os.curdir, symlinks=True, dirs_exist_ok=True)
    return True


def found(name: str, path: str) -> str | None:
    for program in _PROGRAMS.get(name, (name,)):
        where = shutil.which(program, path=path)
        if where is not None:
            return where
    return None


def activation_scripts(beside: str) -> list[str]:
    """Return the scripts that conda would source in a shell: those of what rides beside come first."""
    prefixes = [prefix for prefix in (beside, sys.prefix) if prefix]
    return [
        file
        for prefix in prefixes
        for file in sorted(glob.glob(os.path.join(glob.escape(prefix), "etc/conda/activate.d/*.sh")))  # noqa: PTH118, PTH207
    ]


def variables(spec: dict[str, Any]) -> dict[str, str]:
    package, prefix = spec["package"], sys.prefix
    platform = package["platform"]
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    hashed = re.search(r"h[0-9a-f]{7}(?![0-9a-f])", package["build"])
    made = {
        "CONDA_BUILD": "1",
        "CONDA_BUILD_STATE": "TEST",
        "CONDA_BUILD_CROSS_COMPILATION": "0",
        "CONDA_PREFIX": prefix,
        "CONDA_DEFAULT_ENV": prefix,
        "CONDA_SHLVL": "1",
        "CONDA_PY": minor.replace(".", ""),
        "PREFIX": prefix,
        "SRC_DIR": os.getcwd(),  # noqa: PTH109
        "PKG_NAME": package["name"],
        "PKG_VERSION": package["version"],
        "PKG_BUILDNUM": str(package["build_number"]),
        "PKG_BUILD_NUMBER": str(package["build_number"]),
        "PKG_BUILD_STRING": package["build"],
        "PKG_HASH": hashed.group() if hashed else "",
        "SUBDIR": package["subdir"],
        "target_platform": package["subdir"],
        "build_platform": platform,
        "host_platform": platform,
        "ARCH": platform.partition("-")[2],
        "PYTHON": sys.executable,
        "PYTHONNOUSERSITE": "1",
        "PY3K": "1",
        "PY_VER": minor,
        "STDLIB_DIR": sysconfig.get_path("stdlib"),
        "SP_DIR": sysconfig.get_path("purelib"),
        "SHLIB_EXT": _ENDINGS.get(sys.platform, ".so"),
        "CPU_COUNT": str(os.cpu_count() or 1),
        **system_variables(prefix),
    }
    for name, value in spec["variants"].items():
        if name.lower() not in _LANGUAGES and name not in {**made, **os.environ} and isinstance(value, str):
            made[name] = value
    return {name: value for name, value in made.items() if "\0" not in name + value and "=" not in name}


def system_variables(prefix: str) -> dict[str, str]:
    if _WINDOWS:
        library = os.path.join(prefix, "Library")  # noqa: PTH118
        return {
            "SCRIPTS": os.path.join(prefix, "Scripts"),  # noqa: PTH118
            "LIBRARY_PREFIX": library,
            "LIBRARY_BIN": os.path.join(library, "bin"),  # noqa: PTH118
            "LIBRARY_INC": os.path.join(library, "include"),  # noqa: PTH118
            "LIBRARY_LIB": os.path.join(library, "lib"),  # noqa: PTH118
        }
    return {
        "PKG_CONFIG_PATH": os.path.join(prefix, "lib", "pkgconfig"),  # noqa: PTH118
        "CMAKE_GENERATOR": "Unix Makefiles",
        "LD_RUN_PATH": os.path.join(prefix, "lib"),  # noqa: PTH118
    }


if __name__ == "__main__":
    sys.exit(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
