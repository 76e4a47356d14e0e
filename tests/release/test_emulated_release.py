"""The tiny release for Windows: its installer made here, and its smoke suite run with it under Wine."""

import tempfile
from pathlib import Path

import pytest

from cuvee.channel.package_writer import PackageContent, PackageFile, write_package
from cuvee.channel.repodata_writer import index_channel
from cuvee.integration.outcomes import OutcomeState
from needed_programs import needs
from tiny_distribution import Distribution, Recorder
from wine_desktop import running_below

pytestmark = pytest.mark.real

TOOL = PackageContent(
    name="sidetool",
    version="1.0",
    build="py_0",
    subdir="noarch",
    noarch="python",
    timestamp=1_700_000_000_000,
    depends=("python",),
    entry_points=("sidetool = sidetool:main",),
    files=(
        PackageFile(
            path="site-packages/sidetool.py",
            content=b"import sys, tqdm\n\n\ndef main():\n    print(sys.prefix, *sys.argv[1:])\n",
        ),
    ),
)
"""What rides beside the release, which does not have it."""

SUITE = """\
kind: command
title: Beside the release
owner: core
tools: [sidetool]
commands:
- {program: sidetool, arguments: [a b], says: a b}
- {script: check.py}
"""
CHECK = """\
import subprocess, sys, sidetool, tqdm
assert tqdm.__file__.startswith(sys.prefix), tqdm.__file__
assert not sidetool.__file__.startswith(sys.prefix), sidetool.__file__
done = subprocess.run(["sidetool"], capture_output=True, text=True, check=True)
assert done.stdout.strip() == sys.prefix, done
"""


@needs("wine")
@needs("makensis")
def test_windows_is_tested_with_its_own_installer(
    tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    distribution = Distribution(tmp_path, Recorder())
    (tmp_path / "channel" / "noarch").mkdir(parents=True)
    write_package(TOOL, tmp_path / "channel" / "noarch")
    index_channel(tmp_path / "channel", ())
    suite = tmp_path / "integration_tests" / "beside"
    suite.mkdir(parents=True)
    (suite / "suite.yaml").write_text(SUITE)
    (suite / "check.py").write_text(CHECK)
    path = distribution.write(
        tiny_text.replace("linux: [sh]", "win: [exe]")
        .replace("suites: [smoke]", "suites: [smoke, beside]")
        .replace("interpreter: host", "channels: [../../channel]\ninterpreter: host")
    )
    result = distribution.cut(path, "win-64", emulate=True)
    (run,) = result.runs
    outcomes = {outcome.test: (outcome.state, outcome.reason) for outcome in run.outcomes}
    assert run.runner == "wine"
    assert outcomes["install"][0] is OutcomeState.PASS, outcomes["install"]
    for test in (
        "verify",
        "check",
        "interpreter",
        "import:attrs",
        "import:tqdm",
        "command:tqdm",
        "metadata:tqdm",
        "sidetool",
        "check.py",
    ):
        assert outcomes[test][0] is OutcomeState.PASS, (test, outcomes[test])
    assert not result.verdict.exit_code
    assert not running_below(tmp_path)
    assert not list(tmp_path.glob("cuvee-test-*"))
