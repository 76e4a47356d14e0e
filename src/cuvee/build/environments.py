"""The environments that a build needs: which packages are in them, and the channel that has exactly these."""

import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cuvee.build.engine import BuildFolder
from cuvee.build.model import Output
from cuvee.build.settings_packages import compiler_version, compilers_in, write_compiler, write_settings
from cuvee.channel.repodata_writer import index_channel, record_of, write_repodata
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import BlockedError


class EnvironmentSource(Protocol):
    """Resolves environments of builds from the release's channels, at the release's own versions."""

    def carried(self, platform: str) -> frozenset[str]:
        """Return the names of all packages that the channels have for a platform."""

    def state(self) -> str:
        """Return a hash of all that decides answers besides their specs; "" if that cannot be told."""

    def resolve(
        self, specs: Sequence[str], platform: str, *, purpose: str, built: Path | None
    ) -> tuple[LockedPackage, ...]:
        """Return the packages of an environment.

        Parameters
        ----------
        purpose
            What messages call it: ``the host environment of pyerfa``.
        built
            The channel of what this run or earlier ones have built; it comes first.

        Raises
        ------
        BlockedError
            If there is no such environment.
        """

    def archives(self, packages: Iterable[LockedPackage]) -> Mapping[str, Path]:
        """Return the verified archive of each package by its identifier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSources:
    """Where the environments of builds come from.

    Attributes
    ----------
    machine
        The platform of this machine, on which programs of build environments run.
    platform
        The platform that packages are built for.
    at_build, of_target
        What resolves environments of either; the same if the platforms are.
    """

    machine: str
    platform: str
    at_build: EnvironmentSource
    of_target: EnvironmentSource

    @property
    def subdirs(self) -> tuple[str, ...]:
        """The folders of channels that builds take packages from."""
        return tuple(dict.fromkeys(("noarch", self.machine, self.platform)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Environments:
    """What is in the environments of one build.

    Attributes
    ----------
    build, host, test
        The packages from channels.
    compilers
        The host's compilers that stand for packages, with their versions.
    """

    build: tuple[LockedPackage, ...]
    host: tuple[LockedPackage, ...]
    test: tuple[LockedPackage, ...]
    compilers: Mapping[str, str]

    def compiler_versions(self, platform: str, machine: str) -> dict[str, str]:
        """Return the compilers of a machine for a platform, as the key of a build has them."""
        suffix = "" if platform == machine else f" for {platform}"
        return {f"{name} {version} of this machine{suffix}": "" for name, version in self.compilers.items()}


def digests_of(packages: Iterable[LockedPackage], keys: Mapping[str, str]) -> dict[str, str]:
    """Return what stands for each package in the key of a build; ``keys`` has those of what recipes make."""
    return {package.stem: keys.get(package.sha256, package.sha256) for package in packages}


def resolve_environments(output: Output, sources: EnvironmentSources, built: Path | None) -> Environments:
    """Return the environments of a build.

    Raises
    ------
    BlockedError
        If one of them has no solution.
    ToolMissingError
        If a compiler is needed that neither a channel nor this machine has.
    """
    platform, machine = sources.platform, sources.machine
    names = compilers_in(output.build_specs, platform, sources.at_build.carried(machine))
    stand_ins = {f"{name}_{platform}" for name in names}
    specs = [spec for spec in output.build_specs if spec.split()[0] not in stand_ins]

    def resolved(wanted: Sequence[str], kind: str) -> tuple[LockedPackage, ...]:
        if not wanted:
            return ()
        purpose = f"the {kind} environment of {output.name}"
        if platform != machine:
            purpose += f" for {platform}"
        source, where = (sources.at_build, machine) if kind == "build" else (sources.of_target, platform)
        return source.resolve(wanted, where, purpose=purpose, built=built)

    build, host = resolved(specs, "build"), resolved(output.host_specs, "host")
    both = sorted({package.name for package in build} & {package.name for package in host})
    if both and platform != machine:
        raise BlockedError(
            f"The build of {output.name} for {platform} needs {', '.join(both)} for {machine}, too",
            hint="The engine cannot tell them apart. Remove them from `build`: programs of the host "
            f"environment run in builds, or request the package for other platforms than {platform}.",
        )
    return Environments(
        build=build,
        host=host,
        test=resolved([*output.run_specs, *output.test_specs], "test"),
        compilers={name: compiler_version(name, platform, machine) for name in names},
    )


def write_build_channel(
    folder: BuildFolder,
    archives: Iterable[tuple[str, Path]],
    platform: str,
    machine: str,
    compilers: Iterable[str] = (),
) -> None:
    """Write the channel of a build: exactly these archives, each with its subdir, and what sets it up.

    The engine resolves host environments for the platform of the machine, whatever it builds for: so packages
    for another one are listed as if they were for the machine.
    """
    _copy(folder, ((machine if subdir == platform else subdir, archive) for subdir, archive in archives))
    write_settings(folder.epoch, machine, folder.channel, home=folder.home, temporary=folder.temporary)
    for name in compilers:
        write_compiler(name, platform, machine, folder.channel)
    for subdir in ("noarch", machine):
        found = sorted((folder.channel / subdir).glob("*.conda"))
        write_repodata(
            folder.channel, subdir, {path.name: {**record_of(path), "subdir": subdir} for path in found}
        )


def write_test_channel(folder: BuildFolder, archives: Iterable[tuple[str, Path]], platform: str) -> None:
    """Write the channel of a package's tests: exactly these archives, each with its subdir."""
    _copy(folder, archives)
    index_channel(folder.channel, [platform])


def _copy(folder: BuildFolder, archives: Iterable[tuple[str, Path]]) -> None:
    for subdir, archive in archives:
        target = folder.channel / subdir / archive.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(archive, target)  # a link would let programs of the build change what it links to


def link_or_copy(source: Path, target: Path) -> None:
    """Put a file at another place: a hard link where the disk allows it, a copy elsewhere."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
