"""Tests of hashing what a file system gives in parts."""

import hashlib
import os
from pathlib import Path

import pytest

from cuvee.runtime.hashing import sha256_of_handle


def test_a_read_that_gives_less_than_asked_is_continued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    read = os.read
    monkeypatch.setattr(os, "read", lambda handle, size: read(handle, min(size, 7)))
    handle = os.open(path, os.O_RDONLY)
    try:
        assert sha256_of_handle(handle, 60) == hashlib.sha256(bytes(range(60))).hexdigest()
        assert sha256_of_handle(handle, 60) == hashlib.sha256(bytes(range(60, 100))).hexdigest()
    finally:
        os.close(handle)
