"""The payload behind the image's manifest: its frames, and at the end the signature, if there is one.

The frames are those of packages, of extra files, and of records.
"""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes, writing_behind
from cuvee.image.frames import CompressedFrame
from cuvee.image.model import PAYLOAD


class PayloadWriter:
    """Writes the payload into a folder, in threads, while the caller makes what comes later.

    Parameters
    ----------
    repair
        Makes a frame again that is not as it was when it was packed.
    """

    def __init__(self, folder: Path, *, repair: Callable[[CompressedFrame], None] = lambda _: None) -> None:
        self._path, self._repair = folder / PAYLOAD, repair
        self._digest = hashlib.sha256()
        self._stack = ExitStack()
        self._reader = ThreadPoolExecutor(1, thread_name_prefix="payload")
        self._added: list[Future[None]] = []

    def __enter__(self) -> Self:
        self._stream = self._stack.enter_context(self._path.open("wb"))
        self._write = self._stack.enter_context(writing_behind(self._append))
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.shutdown(cancel_futures=True)
        self._stack.close()

    def add(self, frames: Iterable[CompressedFrame]) -> None:
        """Have frames written behind those that were added before."""
        self._added += [self._reader.submit(self._copy, frame) for frame in frames]

    def end(self, signature: bytes) -> str:
        """Write the signature, which may be empty, and return the SHA-256 of the payload.

        Raises
        ------
        IntegrityError
            If a frame in the cache has changed, and cannot be repaired.
        """
        for written in self._added:
            written.result()
        self._write(signature)
        self._stack.close()
        return self._digest.hexdigest()

    def _copy(self, frame: CompressedFrame) -> None:
        data = _as_packed(frame)
        if data is None:
            self._repair(frame)
            data = _as_packed(frame)
        if data is None:
            raise IntegrityError(
                f"{frame.file} has changed while the image was made",
                hint="Run the same command again; it compresses the frame again.",
            )
        self._write(data)

    def _append(self, data: bytes) -> None:
        self._stream.write(data)
        self._digest.update(data)


def _as_packed(frame: CompressedFrame) -> bytes | None:
    """Return a frame if it is as it was when it was packed."""
    try:
        data = frame.file.read_bytes()
    except OSError:
        return None
    return data if sha256_bytes(data) == frame.sha256 else None
