"""Byte code in packages that are not noarch, so that no installer and no prefix has to compile them.

Installers keep the modification time of a package's files, which byte code states. They give another one to
files in which they replace the prefix, so those have no byte code here; nor has what does not compile.
"""

from collections.abc import Iterable, Sequence

from cuvee.byte_code.batches import batches
from cuvee.byte_code.byte_compiler import ByteCompiler, PythonSource
from cuvee.byte_code.pyc_paths import module_path, pyc_path
from cuvee.channel.package_writer import PackageFile

_AT_ONCE = 16 << 20
"""Bytes of sources that are in memory at once."""


def compiled_files(
    files: Sequence[PackageFile],
    *,
    roots: Sequence[str],
    timestamp: int,
    compiler: ByteCompiler,
) -> list[PackageFile]:
    """Return the byte code of a package's Python sources, which the package has none of yet.

    Parameters
    ----------
    roots
        The folders of modules: ``site-packages``, and for `python` itself the standard library.
    timestamp
        That of the package, in milliseconds since 1970.
    """
    taken = {file.path for file in files}
    sources = [
        (name, file)
        for file in files
        if file.link_target is None
        and file.placeholder is None
        and (name := module_path(file.path, roots)) is not None
        and pyc_path(file.path, compiler.version) not in taken
    ]
    made: list[PackageFile] = []
    for batch in batches(_read(sources), lambda source: len(source[1].data), _AT_ONCE):
        results = compiler.compile([source for _, source in batch], time=timestamp // 1000)
        made += [
            PackageFile(path=pyc_path(path, compiler.version), content=data)
            for (path, _), data in zip(batch, results, strict=True)
            if data is not None
        ]
    return made


def _read(sources: Iterable[tuple[str, PackageFile]]) -> Iterable[tuple[str, PythonSource]]:
    for name, file in sources:
        yield file.path, PythonSource(name=name, data=file.read())
