"""Packages that carry tests of every kind: good ones, and one that fails for each kind."""

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import zstandard

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel
from hand_made_archives import entry, regular

OLD_VERSION = "1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A noarch package with tests.

    ``files`` are below the prefix, in ``noarch: python`` packages as these name them. ``tests`` become
    ``info/tests/tests.yaml``; ``info`` are more files of ``info/``.
    """

    name: str
    files: Mapping[str, str] = field(default_factory=dict)
    tests: Any = None
    info: Mapping[str, str] = field(default_factory=dict)
    depends: tuple[str, ...] = ()
    python: bool = False
    executable: tuple[str, ...] = ()

    def write(self, channel: Path) -> Path:
        index = {
            "name": self.name,
            "version": OLD_VERSION,
            "build": "h1234567_0",
            "build_number": 0,
            "subdir": "noarch",
            "noarch": "python" if self.python else "generic",
            "depends": ["python", *self.depends] if self.python else list(self.depends),
            "license": "MIT",
            "timestamp": 1_700_000_000_000,
        }
        info = {"licenses/LICENSE": "MIT", "index.json": json.dumps(index), **self.info}
        if self.tests is not None:
            info["tests/tests.yaml"] = self.tests if isinstance(self.tests, str) else json.dumps(self.tests)
        if self.python:
            info["link.json"] = json.dumps({"noarch": {"type": "python"}, "package_metadata_version": 1})
        paths = [entry(name, text.encode()) for name, text in self.files.items()]
        info["paths.json"] = json.dumps({"paths": paths, "paths_version": 1})
        target = channel / "noarch" / f"{self.name}-{OLD_VERSION}-h1234567_0.conda"
        with zipfile.ZipFile(target, "w") as archive:
            archive.writestr("metadata.json", '{"conda_pkg_format_version": 2}')
            archive.writestr(f"pkg-{target.stem}.tar.zst", compressed(self.files, self.executable))
            members = {f"info/{name}": text for name, text in info.items()}
            archive.writestr(f"info-{target.stem}.tar.zst", compressed(members))
        return target


def compressed(files: Mapping[str, str], executable: tuple[str, ...] = ()) -> bytes:
    """Return a compressed tar with files."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, text in files.items():
            member, data = regular(name, text.encode())
            member.mode = 0o755 if name in executable else 0o644
            tar.addfile(member, io.BytesIO(data))
    return zstandard.ZstdCompressor().compress(stream.getvalue())


def module(name: str, text: str = "", requires: str = "") -> dict[str, str]:
    """Return the files of a Python distribution with one module."""
    folder = f"site-packages/{name}-{OLD_VERSION}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {OLD_VERSION}\n"
    metadata += f"Requires-Dist: {requires}\n" if requires else ""
    record = (
        f"{name}.py,,\n{name}-{OLD_VERSION}.dist-info/METADATA,,\n{name}-{OLD_VERSION}.dist-info/RECORD,,\n"
    )
    return {
        f"site-packages/{name}.py": text,
        f"{folder}/METADATA": metadata,
        f"{folder}/RECORD": record,
    }


def python(*imports: str, **more: Any) -> dict[str, Any]:
    """Return a test of rattler-build that imports modules."""
    return {"python": {"imports": list(imports), **more}}


def script(content: Any, **more: Any) -> dict[str, Any]:
    """Return a test of rattler-build that runs a script."""
    stated = {key: more.pop(key) for key in ("interpreter", "env", "cwd") if key in more}
    return {"script": {"content": content, **stated}, **more}


_CHECK_ENVIRONMENT = """
import os, sys
assert os.environ["PKG_NAME"] == "condaone", os.environ["PKG_NAME"]
assert os.environ["PKG_VERSION"] == "1.0"
assert os.environ["PKG_BUILDNUM"] == "0"
assert os.environ["CONDA_BUILD_STATE"] == "TEST"
assert os.environ["flavour"] == "sweet"
assert os.path.samefile(os.environ["PREFIX"], sys.prefix)
assert open("data.txt").read() == "42"
import condaone
"""

GOOD = (
    Carrier(
        name="condaone",
        python=True,
        files=module("condaone"),
        info={
            "test/run_test.py": _CHECK_ENVIRONMENT,
            "test/run_test.sh": 'set -ex\ntest "$(cat data.txt)" = 42\ntest -d "$PREFIX/conda-meta"\n',
            "test/data.txt": "42",
            "hash_input.json": json.dumps({"flavour": "sweet", "python": "3.0", "PREFIX": "nowhere"}),
        },
    ),
    Carrier(
        name="condatwo",
        info={
            # A script for Windows, and variables that only conda-build sets.
            "test/run_test.bat": "exit /b 1\n",
            "test/run_test.py": "import os\nassert os.environ['PKG_HASH'] == 'h1234567'\n"
            "assert os.path.samefile(os.environ['SRC_DIR'], '.')\n",
        },
    ),
    Carrier(
        name="rattlerone",
        python=True,
        files={**module("rattlerone"), "etc/conda/test-files/rattlerone/0/data.txt": "42"},
        tests=[
            script('test "$(cat data.txt)" = 42', cwd="etc/conda/test-files/rattlerone/0"),
            script(["cd /", 'test "$PWD" = /', 'test "$GREETING" = hello'], env={"GREETING": "hello"}),
            script(
                "import rattlerone, os\nassert os.environ['PKG_NAME'] == 'rattlerone'", interpreter="python"
            ),
            python("rattlerone"),
            {"downstream": "condaone"},
            {"downstream": "absent"},
            {"downstream": "condaone >=2"},
        ],
    ),
    Carrier(
        name="perlone",
        tests=[{"perl": {"uses": ["strict", "File::Spec"]}}],
    ),
    Carrier(
        name="contentsone",
        files={"bin/tool": "x", "include/deep/a.h": "x", "share/contentsone/read.me": "x"},
        tests=[
            {
                "package_contents": {
                    "bin": ["tool"],
                    "include": ["**/a.h"],
                    "files": {"exists": ["share/*/*.{me,txt}"], "not_exists": ["*.pyc"]},
                    "strict": True,
                }
            }
        ],
    ),
    Carrier(name="plainone", files={"share/plainone/x": "x"}),
)

BAD = (
    Carrier(
        name="condabad",
        python=True,
        files=module("condabad"),
        info={
            "test/run_test.py": "import condabad\nimport no_such_module\n",
            "test/run_test.sh": "echo before\nfalse\necho after\n",
        },
    ),
    Carrier(name="importbad", python=True, files=module("importbad"), tests=[python("importbad.missing")]),
    Carrier(
        name="pipbad",
        python=True,
        files=module("pipbad", requires="nowhere-to-be-found"),
        tests=[python("pipbad"), python("pipbad", pip_check=False)],
    ),
    Carrier(name="scriptbad", tests=[script(["true", "false", "true"]), script("exit 7")]),
    Carrier(name="perlbad", tests=[{"perl": {"uses": ["No::Such::Module"]}}]),
    Carrier(
        name="contentsbad",
        files={"bin/tool": "x"},
        tests=[
            {"package_contents": {"bin": ["other"]}},
            {"package_contents": {"bin": {"not_exists": ["tool"]}}},
            {"package_contents": {"files": ["bin/t*"], "lib": ["tool"], "strict": True}},
        ],
    ),
    Carrier(name="downstreambad", tests=[{"downstream": "condabad"}]),
    Carrier(name="brokenyaml", tests="- {python: [["),
)

TOOLS = (
    Carrier(
        name="helperone",
        python=True,
        # It has a module that the release has, too, which must not be the one that is imported.
        files={
            **module("helperone", "import rattlerone\nvalue = 1\n"),
            "site-packages/rattlerone.py": "stranger = True\n",
            "python-scripts/helper": "#!/usr/bin/env python\nimport helperone, sys\nprint(sys.prefix)\n",
        },
        executable=("python-scripts/helper",),
    ),
    Carrier(
        name="helpertwo", python=True, files=module("helpertwo", "import helperone\n"), depends=("helperone",)
    ),
    Carrier(
        name="shelltool",
        files={"bin/shelltool": "#!/bin/sh\necho from beside\n"},
        executable=("bin/shelltool",),
    ),
)
"""What a channel has and the release does not request."""

_USES_TOOLS = """
import os, shutil, subprocess, sys
import helpertwo, helperone, rattlerone
assert not hasattr(rattlerone, "stranger"), "a tool shadows the release"
assert rattlerone.__file__.startswith(sys.prefix), rattlerone.__file__
assert not helperone.__file__.startswith(sys.prefix), "a tool is in the release"
program = shutil.which("helper")
assert not program.startswith(sys.prefix)
assert subprocess.check_output([program], text=True).strip() == sys.prefix
assert shutil.which("python").startswith(sys.prefix)
"""

NEEDY = (
    Carrier(
        name="condaneeds",
        python=True,
        files=module("condaneeds"),
        info={
            "test/run_test.py": _USES_TOOLS,
            "test/test_time_dependencies.json": '["helpertwo", "rattlerone"]',
        },
    ),
    Carrier(
        name="rattlerneeds",
        tests=[
            script("shelltool | grep 'from beside'", requirements={"run": ["shelltool"]}),
            script("shelltool"),
            script("true", requirements={"build": ["nowhere-at-all"]}),
            script("true", requirements={"run": ["tqdm <4"]}),
            script("true", requirements={"run": ["tqdm >4"]}),
            script("print(1)", interpreter="nushell"),
        ],
    ),
    Carrier(name="oddspec", tests=[script("true", requirements={"run": ["pytest["]})]),
)

ODD = (
    Carrier(name="futureone", tests=[{"quantum": {"qubits": 3}}]),
    Carrier(name="oldpythonone", python=True, files=module("oldpythonone"), tests=[
        python("oldpythonone", python_version="2.7")
    ]),
)  # fmt: skip


def write_carriers(channel: Path, carriers: tuple[Carrier, ...]) -> dict[str, Path]:
    """Write a channel with packages; return their archives by name."""
    (channel / "noarch").mkdir(parents=True)
    found = {carrier.name: carrier.write(channel) for carrier in carriers}
    index_channel(channel, ())
    return found


def write_installed(channel: Path, *names: str, entry_points: tuple[str, ...] = ()) -> None:
    """Write pure distributions of the interpreter that runs the tests, as packages without dependencies."""
    for name in names:
        found = distribution(name)
        files = [file for file in found.files or () if ".." not in file.parts and file.suffix != ".pyc"]
        content = PackageContent(
            name=name,
            version=found.version,
            build="py_0",
            subdir="noarch",
            noarch="python",
            timestamp=1_700_000_000_000,
            depends=("python",),
            entry_points=entry_points,
            files=tuple(
                PackageFile(path=f"site-packages/{file}", content=Path(str(file.locate()))) for file in files
            ),
        )
        write_package(content, channel / "noarch")
    index_channel(channel, ())
