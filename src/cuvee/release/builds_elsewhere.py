"""What another machine has built of the recipes, in a folder that came from there.

It has the answer of ``cuvee build --json`` as ``build.json``, and ``channel`` and ``builds`` of the release
folder there. Nothing in it is trusted: the recipes here decide what is wanted, under which name, and from
which files. That the machine has built and tested it in this way, only the folder says.
"""

import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.build.model import BuiltPackage, Output
from cuvee.channel.patches.patch_files import PATCHES
from cuvee.codec import decode, encode
from cuvee.conda.package_archive import read_info_files
from cuvee.conda.package_info import read_index
from cuvee.conda.printable_text import printable
from cuvee.errors import IntegrityError, SourceUnreachableError, UsageError
from cuvee.files import fingerprint, parse_json, replacing, sha256_file, storage_errors
from cuvee.manifest.model import Manifest
from cuvee.platforms import PLATFORMS, host
from cuvee.release.record import BuildResult

ANSWER = "build.json"

_SHA256 = re.compile(r"[0-9a-f]{64}")
_AGAIN = "Build there again from this manifest and these recipes, with the same version of cuvee."


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBuild:
    """A package that another machine has built.

    Attributes
    ----------
    output
        What the recipe makes, as this machine has rendered it.
    archive, log
        The files in the folder of that machine.
    isolated
        Whether builds had no network there.
    """

    output: Output
    package: BuiltPackage
    archive: Path
    log: Path
    isolated: bool

    def put(self, archive: Path, log: Path) -> None:
        """Copy package and log to other places.

        Raises
        ------
        IntegrityError
            If the package has changed since it was read.
        """
        for source, target in ((self.archive, archive), (self.log, log)):
            with storage_errors(target), replacing(target) as path:
                shutil.copyfile(source, path)
                if target == archive and sha256_file(path) != self.package.sha256:
                    raise _other_bytes(self.archive)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildsElsewhere:
    """A folder of what another machine has built, and what that says of it."""

    folder: Path
    answer: BuildResult

    @property
    def platforms(self) -> frozenset[str]:
        """The platforms that packages are for, besides noarch."""
        return frozenset(item.subdir for item in self.answer.packages) - {"noarch"}

    @property
    def digest(self) -> str:
        """A hash of all that is taken from the answer, whatever folder it is in."""
        answer = self.answer
        without = frozenset({"seconds", "reused", "wave"})
        return fingerprint(
            [
                answer.machine,
                answer.isolated,
                encode(answer.packages, without=without),
                encode(answer.made_from),
            ]
        )

    def taken(self, output: Output) -> TakenBuild:
        """Return the package that a recipe makes for the platform of the machine.

        Raises
        ------
        UsageError
            If the folder has none, or one of another recipe, variant or patch.
        IntegrityError
            If the archive is not the one that was built, or cannot be read.
        SourceUnreachableError
            If a file is not there.
        """
        stated = self._stated(output)
        archive = self._file("channel", output.subdir, f"{output.stem}.conda")
        if sha256_file(archive) != stated.sha256:
            raise _other_bytes(archive)
        index = read_index(archive)
        if (index.name, index.version, index.build, index.subdir) != (
            output.name,
            output.version,
            output.build,
            output.subdir,
        ):
            raise IntegrityError(
                f"{archive} is {index.name} {index.version} {index.build} for {index.subdir}",
                hint="Its name says something else. " + _AGAIN,
            )
        patches = output.recipe.patches
        if read_info_files(archive, (PATCHES,)).get(PATCHES) != (patches and patches.info_files()[PATCHES]):
            raise UsageError(f"{archive} has other patches than the manifest states", hint=_AGAIN)
        package = BuiltPackage(
            recipe=output.recipe.name,
            name=output.name,
            version=output.version,
            build=output.build,
            subdir=output.subdir,
            file_name=archive.name,
            sha256=stated.sha256,
            key=stated.key,
            seconds=stated.seconds,
            not_tested=printable(stated.not_tested),
            built_on=self.answer.machine,
        )
        return TakenBuild(
            output=output,
            package=package,
            archive=archive,
            log=self._file("builds", package.log),
            isolated=self.answer.isolated,
        )

    def _stated(self, output: Output) -> BuiltPackage:
        """Return what the folder says of a package; raise `UsageError` if it is not what is wanted."""
        wanted = f"{output.name} for {output.subdir}"
        of_name = [
            item for item in self.answer.packages if (item.name, item.subdir) == (output.name, output.subdir)
        ]
        if not of_name:
            raise UsageError(f"{self.folder} has no {wanted}", hint=_AGAIN)
        stated = next((item for item in of_name if item.stem == output.stem), None)
        if stated is None:
            raise UsageError(
                f"{self.folder} has {printable(of_name[0].stem)} for {output.subdir}, and the recipe makes "
                f"{output.stem} here, with the versions of this release",
                hint=_AGAIN,
            )
        digests = {item.recipe_sha256 for item in self.answer.made_from if item.sha256 == stated.sha256}
        if digests != {output.recipe.digest}:
            raise UsageError(
                f"{self.folder} has {output.stem} for {output.subdir} from another recipe than "
                f"{output.recipe.file}",
                hint=_AGAIN,
            )
        return stated

    def _file(self, *parts: str) -> Path:
        """Return a file of the folder; a link must not lead out of it."""
        path = self.folder.joinpath(*parts)
        with storage_errors(path):
            if not path.is_file():
                raise SourceUnreachableError(f"There is no {path}", hint="Copy the folder again, whole.")
            if not path.resolve().is_relative_to(self.folder.resolve()):
                raise IntegrityError(f"{path} is a link to a file outside of {self.folder}")
        return path


def read_builds_elsewhere(folders: Iterable[Path], manifest: Manifest) -> Mapping[str, BuildsElsewhere]:
    """Return what other machines have built, by platform; noarch packages are built here.

    Raises
    ------
    UsageError
        If a folder has nothing for another platform of the release, or two have packages for the same one.
    IntegrityError
        If what a folder says of itself cannot be read.
    SourceUnreachableError
        If a folder says nothing.
    """
    here = host()
    found: dict[str, BuildsElsewhere] = {}
    for folder in folders:
        builds = BuildsElsewhere(folder=folder, answer=_answer(folder / ANSWER))
        platforms = builds.platforms - ({here.name} if here is not None else set())
        known = {entry.name for entry in manifest.present_platforms}
        if not platforms:
            raise UsageError(
                f"{folder} has no package for another platform than that of this machine",
                hint="noarch packages and those for this machine are built here. Leave it out.",
            )
        if not platforms <= known or not manifest.recipes:
            raise UsageError(
                f"{folder} has packages for {', '.join(map(printable, sorted(platforms)))}, and "
                f"{manifest.release_name} has no recipes for that",
                hint="Name what was built from this manifest.",
            )
        for platform in sorted(platforms):
            if platform in found:
                raise UsageError(
                    f"{found[platform].folder} and {folder} both have packages for {platform}",
                    hint="One machine builds all of a platform. Leave one of them out.",
                )
            found[platform] = builds
    return found


def _answer(path: Path) -> BuildResult:
    try:
        with storage_errors(path):
            data = path.read_bytes()
    except FileNotFoundError as error:
        raise SourceUnreachableError(
            f"There is no {path}", hint="It is what `cuvee build --json` has written there."
        ) from error
    try:
        answer = decode(BuildResult, parse_json(data))
    except ValueError as error:
        raise IntegrityError(f"{path} cannot be read: {error}", hint=_AGAIN) from error
    texts = [text for item in answer.packages for text in (item.sha256, item.key)]
    if answer.machine not in PLATFORMS or not all(map(_SHA256.fullmatch, texts)):
        raise IntegrityError(
            f"{path} does not say on which platform it was built, or which files", hint=_AGAIN
        )
    return answer


def _other_bytes(archive: Path) -> IntegrityError:
    return IntegrityError(
        f"{archive} is not the package that was built: its SHA-256 is not that of {ANSWER}",
        hint="It was changed or damaged on the way. Copy the folder again.",
    )
