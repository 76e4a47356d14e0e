"""Two levels of compression: frames of the high one are larger, and zstd looks back over all of them."""

import hashlib
from pathlib import Path

import pytest

from cuvee.files import sha256_bytes
from cuvee.image import frames
from cuvee.image.frames import HIGH_LEVEL, QUICK_LEVEL, Part, pack
from cuvee.runtime.decompression import decompress

NOISE = hashlib.shake_128(b"noise").digest(300_000)


def parts() -> list[Part]:
    return [Part(path=f"lib/{letter}", mode=0o644, data=NOISE, how="plain") for letter in "ab"]


@pytest.fixture(autouse=True)
def _small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "FRAME_BYTES", 100_000)
    monkeypatch.setattr(frames, "HIGH_FRAME_BYTES", 500_000)


def test_high_level_finds_what_is_far_away(tmp_path: Path) -> None:
    quick = pack(parts(), level=QUICK_LEVEL, cache=tmp_path)
    high = pack(parts(), level=HIGH_LEVEL, cache=tmp_path)
    assert [len(frame.entries) for frame in quick] == [1, 1]
    assert [len(frame.entries) for frame in high] == [2]
    assert high[0].size < 0.6 * sum(frame.size for frame in quick)


@pytest.mark.parametrize("level", [QUICK_LEVEL, HIGH_LEVEL])
def test_runtime_reads_each_level(level: int, tmp_path: Path) -> None:
    raw = b"".join(
        decompress(frame.file.read_bytes(), frame.raw) for frame in pack(parts(), level=level, cache=tmp_path)
    )
    assert raw == NOISE * 2


def test_frames_of_other_parameters_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = [Part(path="lib/a", mode=0o644, data=NOISE * 2, how="plain")]
    (wide,) = pack(one, level=QUICK_LEVEL, cache=tmp_path)
    monkeypatch.setattr(frames, "_TUNING", {QUICK_LEVEL: {"window_log": 17, "hash_log": 20}})
    (narrow,) = pack(one, level=QUICK_LEVEL, cache=tmp_path)
    assert narrow.size > 1.5 * wide.size
    monkeypatch.setattr(frames, "_TUNING", {})
    names = {wide.file.name, narrow.file.name, pack(one, level=QUICK_LEVEL, cache=tmp_path)[0].file.name}
    assert len(names) == 3


def test_levels_do_not_share_frames_in_the_cache(tmp_path: Path) -> None:
    one = [Part(path="lib/a", mode=0o644, data=b"text " * 9000, how="plain")]
    (quick,), (high,) = (pack(one, level=level, cache=tmp_path) for level in (QUICK_LEVEL, HIGH_LEVEL))
    assert quick.file != high.file
    assert sha256_bytes(quick.file.read_bytes()) == quick.sha256
    assert pack(one, level=HIGH_LEVEL, cache=tmp_path)[0] == high
