"""The tiny release for Windows: its installer made here, and its smoke suite run with it under Wine."""

import tempfile
from pathlib import Path

import pytest

from cuvee.integration.outcomes import OutcomeState
from needed_programs import needs
from tiny_distribution import Distribution, Recorder
from wine_desktop import running_below

pytestmark = pytest.mark.real


@needs("wine")
@needs("makensis")
def test_windows_is_tested_with_its_own_installer(
    tmp_path: Path, tiny_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    distribution = Distribution(tmp_path, Recorder())
    path = distribution.write(tiny_text.replace("linux: [sh]", "win: [exe]"))
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
    ):
        assert outcomes[test][0] is OutcomeState.PASS, (test, outcomes[test])
    assert not result.verdict.exit_code
    assert not running_below(tmp_path)
    assert not list(tmp_path.glob("cuvee-test-*"))
