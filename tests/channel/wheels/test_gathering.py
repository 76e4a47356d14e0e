"""Resolving and fetching before interpreters are packed; uv's part is played by the test."""

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event

import pytest

from cuvee.channel.wheels import WheelGathering, WheelRequest, gathering, kept_inspections
from cuvee.channel.wheels.model import PinnedWheel, ResolutionTarget
from cuvee.channel.wheels.planned_packages import inspect
from cuvee.errors import BlockedError, IntegrityError, SourceUnreachableError
from played_imports import PLATFORMS, Notes, pin, request

MakeWheel = Callable[..., Path]


class Index:
    """What answers; ``asked`` are the questions, and ``fetched`` says that one was answered and fetched."""

    def __init__(self, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[PinnedWheel] | Exception] = {}
        self.asked: list[tuple[str, str]] = []
        self.cache = cache
        monkeypatch.setattr(gathering, "resolve", self._resolve)

    def _resolve(self, _: Sequence[WheelRequest], target: ResolutionTarget) -> Sequence[PinnedWheel]:
        self.asked.append((target.platform, target.python))
        answer = self.answers[target.platform]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def gather(self, *names: str, carried: Sequence[str] = ()) -> WheelGathering:
        return WheelGathering(
            requests=[request(name) for name in names],
            floors={name: {} for name in PLATFORMS},
            cache=self.cache,
            carried=carried,
            reporter=Notes(),
        )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    return Index(tmp_path / "cache", monkeypatch)


def test_a_platform_that_has_begun_is_resolved_once(index: Index, make_wheel: MakeWheel) -> None:
    demo, six = pin(make_wheel()), pin(make_wheel("six-1.17.0-py3-none-any.whl"))
    index.answers = {"linux-64": [demo, six], "win-64": [demo]}
    with index.gather("demo", carried=["six"]) as begun:
        begun.begin("linux-64", "3.11.7")
        begun.begin("linux-64", "3.11.7")
        found = begun.result({"linux-64": "3.11.7", "win-64": "3.11.9"})
    assert sorted(index.asked) == [("linux-64", "3.11.7"), ("win-64", "3.11.9")]
    assert found.resolved == {"linux-64": [demo, six], "win-64": [demo]}
    assert found.pinned == {"linux-64": [demo], "win-64": [demo]}
    assert list(found.wheels) == [demo.sha256]


def test_another_python_than_the_one_that_was_told_is_asked_for(index: Index, make_wheel: MakeWheel) -> None:
    index.answers = {"linux-64": [pin(make_wheel())]}
    with index.gather("demo") as begun:
        begun.begin("linux-64", "3.11.7")
        begun.result({"linux-64": "3.11.8"})
    assert ("linux-64", "3.11.8") in index.asked


def test_wheels_are_fetched_before_anybody_waits_for_them(index: Index, make_wheel: MakeWheel) -> None:
    demo = pin(make_wheel())
    index.answers = {"linux-64": [demo]}
    inspected = Event()
    with pytest.MonkeyPatch.context() as patch:

        def told(*arguments: object, **named: object) -> object:
            inspected.set()
            return inspect(*arguments, **named)  # type: ignore[arg-type]

        patch.setattr(kept_inspections, "inspect", told)
        with index.gather("demo") as begun:
            begun.begin("linux-64", "3.11.7")
            assert inspected.wait(60)
            assert begun.result({"linux-64": "3.11.7"}).wheels.keys() == {demo.sha256}


def test_a_platform_that_has_no_interpreter_after_all_fails_nothing(
    index: Index, make_wheel: MakeWheel
) -> None:
    index.answers = {"linux-64": [pin(make_wheel())], "win-64": BlockedError("nothing for win-64")}
    with index.gather("demo") as begun:
        begun.begin("win-64", "3.11.9")
        assert set(begun.result({"linux-64": "3.11.7"}).resolved) == {"linux-64"}


@pytest.mark.parametrize("error", [IntegrityError("bad"), SourceUnreachableError("gone")])
def test_what_fails_ahead_is_told_when_it_is_asked_for(index: Index, error: Exception) -> None:
    index.answers = {"linux-64": error}
    with index.gather("demo") as begun:
        begun.begin("linux-64", "3.11.7")
        with pytest.raises(type(error), match=f"^{error}"):
            begun.result({"linux-64": "3.11.7"})


def test_a_wheel_that_is_not_what_was_promised_ends_the_import(index: Index, make_wheel: MakeWheel) -> None:
    wheel = make_wheel()
    promised = pin(wheel)
    wheel.write_bytes(wheel.read_bytes()[:-1] + b"!")
    index.answers = {"linux-64": [promised]}
    with index.gather("demo") as begun:
        begun.begin("linux-64", "3.11.7")
        with pytest.raises(IntegrityError, match="has the SHA-256"):
            begun.result({"linux-64": "3.11.7"})


def test_nothing_begins_after_the_end(index: Index) -> None:
    with index.gather("demo") as begun:
        pass
    begun.begin("linux-64", "3.11.7")
    assert index.asked == []
