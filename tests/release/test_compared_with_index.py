"""A release whose wheel is yanked after it was cut."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from cuvee.channel.wheels import uv
from cuvee.graph.findings import Verdict
from cuvee.process import Completed
from cuvee.release.check_stage import ArchiveAccess
from cuvee.release.pipeline import check_release
from tiny_distribution import Distribution

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('warning: `tqdm==4.70.0` is yanked (reason: "broken")', "yanked"),
        ("error: Failed to fetch: https://i.org/simple/tqdm/\n  cause: dns error", "not compared"),
    ],
)
def test_a_wheel_that_is_yanked_later_is_found_by_the_next_check(
    copied: Callable[[], Distribution], monkeypatch: pytest.MonkeyPatch, said: str, kind: str
) -> None:
    distribution = copied()
    path = distribution.root / "manifests" / "tiny" / "2026.11.0.yaml"
    before = check_release(distribution.session(path), access=ArchiveAccess.REQUIRE)
    outcomes = {outcome.identifier: outcome for outcome in before.checks}
    assert not outcomes["withdrawn"].findings
    assert not outcomes["corrections"].findings
    asked = uv.compile_requirements

    def answering(*arguments: object, **options: object) -> Completed:
        done = asked(*arguments, **options)  # type: ignore[arg-type]
        is_down = said.startswith("error")
        return replace(done, stderr=said, stdout="" if is_down else done.stdout, exit_code=2 * is_down)

    monkeypatch.setattr(uv, "compile_requirements", answering)
    release = check_release(distribution.session(path), access=ArchiveAccess.REQUIRE)
    outcome = next(outcome for outcome in release.checks if outcome.identifier == "withdrawn")
    if kind == "yanked":
        (finding,) = outcome.findings
        assert (finding.kind, finding.verdict) == (kind, Verdict.NEEDS_APPROVAL)
        assert finding.evidence == ("reason: broken",)
        assert finding.cause.endswith("was yanked from the Python index")
        assert release.verdict >= Verdict.NEEDS_APPROVAL
    else:
        assert "not compared with the Python index" in outcome.reason
