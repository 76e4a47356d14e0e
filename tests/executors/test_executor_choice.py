"""What --executor may say."""

import pytest

from cuvee.errors import UsageError
from cuvee.executors.executor_choice import ExecutorChoice, ExecutorKind


@pytest.mark.parametrize("text", ["threads", "processes", "dask://127.0.0.1:8786", "dask://[::1]:8786"])
def test_an_executor_is_one_text(text: str) -> None:
    choice = ExecutorChoice.parse(text)
    assert str(choice) == text
    assert choice.is_remote is text.startswith("dask")


def test_a_trailing_slash_is_no_part_of_the_address() -> None:
    choice = ExecutorChoice.parse("dask://build-1.example.org:8786/")
    assert (choice.kind, choice.address) == (ExecutorKind.DASK, "build-1.example.org:8786")


@pytest.mark.parametrize(
    "text",
    [
        "", "thread", "dask", "dask://", "dask://host", "dask://:8786", "dask://host:0", "dask://host:65536",
        "dask://host:8786/path", "dask://user@host:8786", "dask://ho st:8786", "dask://host:\uff18\uff17",
        "tcp://host:8786",
    ],
)  # fmt: skip
def test_what_is_no_executor_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        ExecutorChoice.parse(text)
    assert "dask://" in (caught.value.hint or "")
