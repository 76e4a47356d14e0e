"""Recipes with patches of the manifest: other builds of the same sources, with numbers above all others.

Engines find out themselves how many parts of a path to remove, and take hunks whose context differs a
little. So each patch is applied strictly here first, and the engine gets it only if it fits exactly.
"""

import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from cuvee.build.model import Output, Recipe
from cuvee.channel.patches.applied_patch import apply_patch
from cuvee.channel.patches.patch_files import PatchSet, patched_build
from cuvee.channel.patches.unified_diff import FilePatch, Hunk
from cuvee.errors import DocumentError

FOLDER = "cuvee-patched"
"""The folder in the copy of a recipe that has the patches of the manifest."""

_MOST_FILE = 64 << 20
Read = Callable[[str], bytes | None]
T = TypeVar("T")


def patched_outputs(outputs: Sequence[Output], patches: PatchSet) -> tuple[Output, ...]:
    """Return what a recipe makes, with patches; for those that pin each other exactly, the new builds.

    Raises
    ------
    DocumentError
        If the recipe does not make the package, or its sources are not one.
    """
    package = patches.package
    if outputs and package.name not in {output.name for output in outputs}:
        names = ", ".join(output.name for output in outputs)
        raise DocumentError(
            f"{package.position}: {package.recipe} makes {names}, not {package.name}",
            hint="State the patches below the name of one of its packages.",
        )
    builds = {
        f"{output.name} =={output.version} {output.build}": (
            f"{output.name} =={output.version} {patched_build(output.build, _number(output, patches))}"
        )
        for output in outputs
    }
    return tuple(_patched(output, patches, builds) for output in outputs)


def _number(output: Output, patches: PatchSet) -> int:
    build = json.loads(output.document).get("build") or {}
    return int(build.get("number") or 0) + patches.number


def _patched(output: Output, patches: PatchSet, builds: Mapping[str, str]) -> Output:
    document = json.loads(output.document)
    source = _source(document, output, patches)
    source["patches"] = [
        *(source.get("patches") or ()),
        *(f"{FOLDER}/{item.name}" for item in patches.patches),
    ]
    number = _number(output, patches)
    build = patched_build(output.build, number)
    document["build"] = {**(document.get("build") or {}), "number": number, "string": build}
    for items in (document.get("requirements") or {}).values():
        if isinstance(items, list):
            items[:] = [builds.get(item, item) if isinstance(item, str) else item for item in items]

    def renamed(specs: Sequence[str]) -> tuple[str, ...]:
        return tuple(builds.get(spec, spec) for spec in specs)

    return replace(
        output,
        recipe=replace(output.recipe, patches=patches),
        build=build,
        build_specs=renamed(output.build_specs),
        host_specs=renamed(output.host_specs),
        run_specs=renamed(output.run_specs),
        document=json.dumps(document, sort_keys=True),
    )


def _source(document: Mapping[str, Any], output: Output, patches: PatchSet) -> dict[str, Any]:
    stated = document.get("source") or []
    sources: list[dict[str, Any]] = stated if isinstance(stated, list) else [stated]
    if len(sources) != 1:
        raise DocumentError(
            f"{patches.package.position}: {output.recipe.file} has {len(sources)} sources, "
            "and patches of a manifest are for a recipe with one",
            hint="State the patches in the recipe.",
        )
    return sources[0]


def write_patches(folder: Path, recipe: Recipe) -> None:
    """Write what the manifest adds into the copy of a recipe, where its sources name it."""
    for item in recipe.patches.patches if recipe.patches is not None else ():
        path = folder / FOLDER / item.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(for_gnu_patch(item.diff) if recipe.engine == "conda-build" else item.data)


def for_gnu_patch(files: Sequence[FilePatch]) -> bytes:
    """Return a patch with which conda-build, which starts GNU patch, has nothing to guess.

    Its hunks have no context, so there is no fuzz. Its paths begin at the top of the source: conda-build
    removes as many folders from them as the source suggests, and none if one path has none, as on the last
    line, which GNU patch ignores.
    """
    return b"".join([*map(_for_gnu_patch, files), b"--- end\n"])


def _for_gnu_patch(file: FilePatch) -> bytes:
    old, new = (
        b"/dev/null" if is_nothing else file.path.encode() for is_nothing in (file.adds, file.removes)
    )
    parts = [b"--- %s\t\n+++ %s\t\n" % (old, new)]
    longer = 0
    for hunk in file.hunks:
        parts.append(_hunk(hunk, longer))
        longer += len(hunk.after) - len(hunk.before)
    return b"".join(parts)


def _hunk(hunk: Hunk, longer: int) -> bytes:
    """Return a hunk in a file that is ``longer`` by some lines after the hunks above."""
    start = hunk.start + longer + (not hunk.before) - (not hunk.after)
    head = b"@@ -%d,%d +%d,%d @@\n" % (hunk.start, len(hunk.before), start, len(hunk.after))
    lines = (
        sign + (line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n")
        for sign, of_side in ((b"-", hunk.before), (b"+", hunk.after))
        for line in of_side
    )
    return head + b"".join(lines)


def check_patches(output: Output, sources: Mapping[str, Path]) -> None:
    """Raise `BlockedError` if patches do not apply exactly to the source of a recipe.

    What patches of the recipe itself change before them is left to the engine.
    """
    patches = output.recipe.patches
    if patches is None:
        return
    source = _source(json.loads(output.document), output, patches)
    own = [output.recipe.folder / name for name in source["patches"] if not name.startswith(f"{FOLDER}/")]
    before = b"\n".join(path.read_bytes() for path in own if path.is_file())
    read = _reader(source, output.recipe.folder, sources)
    changed: dict[str, bytes | None] = {}

    def now(path: str) -> bytes | None:
        return changed[path] if path in changed else read(path)

    for item in patches.patches:
        diff = [file for file in item.diff if file.path.encode() not in before]
        changed |= apply_patch(diff, now, name=item.name, subject=f"the source of {output.recipe.name}")


def _reader(source: Mapping[str, Any], folder: Path, sources: Mapping[str, Path]) -> Read:
    """Return what reads files of a source as the engine unpacks it: without the one folder around all."""
    archive = sources.get(str(source.get("sha256", "")))
    if archive is None:
        root = folder / str(source.get("path", "."))
        return lambda path: (root / path).read_bytes() if (root / path).is_file() else None
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            found = [info for info in zipped.infolist() if not info.is_dir()]
            names = _without_top({info.filename: info for info in found})

        def read_zip(path: str) -> bytes | None:
            info = names.get(path)
            if info is None:
                return None
            with zipfile.ZipFile(archive) as zipped, zipped.open(info) as stream:
                return stream.read(_MOST_FILE)

        return read_zip
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            members = _without_top({member.name: member for member in tar if member.isreg()})

        def read_tar(path: str) -> bytes | None:
            member = members.get(path)
            if member is None:
                return None
            with tarfile.open(archive) as tar:
                stream = tar.extractfile(member)
                return stream.read(_MOST_FILE) if stream is not None else None

        return read_tar
    return lambda path: archive.read_bytes() if path == archive.name else None


def _without_top(members: Mapping[str, T]) -> dict[str, T]:
    tops = {PurePosixPath(name).parts[0] for name in members if PurePosixPath(name).parts}
    nested = all("/" in name.removeprefix("./") for name in members)
    if len(tops) != 1 or not nested:
        return {name.removeprefix("./"): member for name, member in members.items()}
    return {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix(): item for name, item in members.items()}
