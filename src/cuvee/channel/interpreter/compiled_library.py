"""The byte code of a packed standard library."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock

from cuvee.byte_code.byte_compiler import ByteCompiler
from cuvee.channel.compiled_files import compiled_files
from cuvee.channel.interpreter.model import TIMESTAMP, InterpreterContent
from cuvee.progress import Reporter


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryCompiler:
    """Compiles standard libraries of one minor version with an interpreter of that version.

    ``version`` is the interpreter's full version, and ``cache`` the folder of all caches.
    """

    executable: Path
    version: str
    cache: Path
    reporter: Reporter
    _lock: Lock = field(default_factory=Lock)

    def compiled(self, content: InterpreterContent) -> InterpreterContent:
        """Return an interpreter's content with the byte code of its standard library."""
        start = "/os.py"
        library = next(file.path for file in content.files if file.path.endswith(start)).removesuffix(start)
        with self._lock:  # most sources are those of another platform's, which the cache has then
            compiler = ByteCompiler(self.executable, self.cache, self.reporter)
            made = compiled_files(content.files, roots=(library,), timestamp=TIMESTAMP, compiler=compiler)
        return replace(content, files=(*content.files, *made))
