"""The packages that run in installers: `python`, what decompresses zstd, and all that these depend on."""

from cuvee.conda.match_spec import read_spec
from cuvee.image.python_paths import is_decoder
from cuvee.lock.model import PlatformLock


def core_packages(lock: PlatformLock) -> frozenset[str]:
    """Return the names of the packages whose files stage 0 may have: no other one runs in installers."""
    todo = [name for name in lock.by_name if name == "python" or is_decoder(name)]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in lock.by_name and name not in found:
            found.add(name)
            todo += (read_spec(text).name for text in lock.by_name[name].depends)
    return frozenset(found)
