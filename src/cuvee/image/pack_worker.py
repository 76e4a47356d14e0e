"""The program of `pack_workers`: packs packages into the cache, one after the other, until its stdin ends."""

import pickle
import sys
from dataclasses import dataclass, field, replace

from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.errors import CuveeError
from cuvee.image.pack_jobs import PackAnswer, PackJob, PackSettings
from cuvee.image.packed_cache import PackedCache
from cuvee.image.packer import Packer
from cuvee.progress import Silent


@dataclass(slots=True)
class _Heard(Silent):
    warnings: list[str] = field(default_factory=list)

    def warn(self, message: str) -> None:
        self.warnings.append(message)


def main() -> int:
    """Pack what comes."""
    settings: PackSettings = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the cuvee that has started us
    heard = _Heard()
    compiler = None
    if settings.executable is not None:
        compiler = ByteCompiler(settings.executable, settings.cache, heard)
    packer = Packer(
        python=settings.python,
        stage0=(),
        compiler=compiler,
        cache=settings.cache,
        level=settings.level,
        byte_code=settings.byte_code,
        reporter=heard,
    )
    kept = PackedCache.of(packer)
    while True:
        try:
            job: PackJob = pickle.load(sys.stdin.buffer)  # noqa: S301 - the same
        except EOFError:
            return 0
        error = None
        try:
            kept.save(job.target, replace(packer, stage0=job.stage0).pack(job.info, job.plan))
        except CuveeError as caught:
            error = caught
        answer = PackAnswer(warnings=tuple(heard.warnings), error=error)
        heard.warnings.clear()
        pickle.dump(answer, sys.stdout.buffer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    raise SystemExit(main())
