"""Every wrong document in ``bad/<kind>/`` gets exactly the message in the ``.txt`` file beside it.

After changing a message on purpose, write the files again and review the difference::

    CUVEE_REGENERATE=1 pytest tests/manifest/documents/test_bad_documents.py
"""

import os
import shutil
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.errors import DocumentError
from yaml_documents import DOCUMENTS, HERE, READERS

CASES = sorted(HERE.glob("bad/*/*.yaml"))
GOOD = sorted(HERE.glob("good/*.yaml"))


def read(kind: str, data: bytes, folder: Path) -> object:
    shutil.copytree(HERE / "beside", folder, dirs_exist_ok=True)
    (folder / f"{kind}.yaml").write_bytes(data)
    return READERS[kind](folder)


@pytest.mark.skipif(not yaml.__with_libyaml__, reason="needs PyYAML with libyaml, whose words these follow")
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_a_wrong_document_gets_its_message(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DocumentError) as caught:
        read(case.parent.name, case.read_bytes(), Path())
    document = DOCUMENTS[case.parent.name]
    assert caught.value.hint == document.hint
    assert f"cuvee schema {document.name}" in document.hint
    assert caught.value.exit_code == 2
    golden = case.with_suffix(".txt")
    if os.environ.get("CUVEE_REGENERATE"):
        golden.write_text(caught.value.message + "\n")
    assert golden.read_text() == caught.value.message + "\n"


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_an_empty_file_says_nothing_or_is_refused(kind: str, tmp_path: Path) -> None:
    if start := DOCUMENTS[kind].start:
        with pytest.raises(DocumentError, match=f"begin with {start}"):
            read(kind, b"# nothing\n", tmp_path / "a")
        return
    nothing = read(kind, b"# nothing\n", tmp_path / "a")
    assert nothing == read(kind, b"", tmp_path / "a")


@pytest.mark.parametrize("case", GOOD, ids=lambda case: case.stem)
def test_good_documents_are_read(case: Path, tmp_path: Path) -> None:
    assert read(case.stem, case.read_bytes(), tmp_path)


@given(
    case=st.sampled_from([*GOOD, *CASES]),
    at=st.integers(0, 400),
    text=st.sampled_from("\t{}[]:-*&!|\0\xe9\n"),
)
@settings(max_examples=100)
def test_damaged_documents_are_read_or_refused(
    case: Path, at: int, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    kind = case.stem if case in GOOD else case.parent.name
    data = case.read_bytes()
    damaged = data[:at] + text.encode("latin-1") + data[at:]
    try:
        read(kind, damaged, tmp_path_factory.mktemp("damaged"))
    except DocumentError as error:
        message = error.message
    else:
        return
    assert " problem" in message.splitlines()[0]
