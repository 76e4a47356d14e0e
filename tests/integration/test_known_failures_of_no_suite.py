"""A known failure must be of a suite that is beside its file."""

from pathlib import Path

import pytest

from cuvee.errors import DocumentError
from cuvee.integration.accepted_tests import read_known_failures

ENTRY = "- {{suite: {}, test: t, reason: it is known}}\n"


def test_a_misspelt_suite_is_a_problem_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "interop").mkdir()
    path = tmp_path / "known-failures.yaml"
    path.write_text("".join(map(ENTRY.format, ["interop", "smoke", "inter*", "interpo"])))
    with pytest.raises(DocumentError) as error:
        read_known_failures(path)
    assert f'{path}:4:11: there is no suite "interpo"' in error.value.message
    assert 'did you mean "interop"?' in error.value.message
    path.write_text("".join(map(ENTRY.format, ["interop", "smoke", "inter*"])))
    assert len(read_known_failures(path)) == 3
