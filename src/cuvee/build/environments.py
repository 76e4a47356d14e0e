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
from cuvee.channel.repodata_writer import index_channel
from cuvee.conda.package_record import LockedPackage


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

    @property
    def compiler_versions(self) -> dict[str, str]:
        """The compilers of this machine, as the key of a build has them."""
        return {f"{name} {version} of this machine": "" for name, version in self.compilers.items()}


def digests_of(packages: Iterable[LockedPackage], keys: Mapping[str, str]) -> dict[str, str]:
    """Return what stands for each package in the key of a build; ``keys`` has those of what recipes make."""
    return {package.stem: keys.get(package.sha256, package.sha256) for package in packages}


def resolve_environments(
    output: Output, platform: str, source: EnvironmentSource, built: Path | None
) -> Environments:
    """Return the environments of a build on ``platform``.

    Raises
    ------
    BlockedError
        If one of them has no solution.
    ToolMissingError
        If a compiler is needed that neither a channel nor this machine has.
    """
    names = compilers_in(output.build_specs, platform, source.carried(platform))
    stand_ins = {f"{name}_{platform}" for name in names}
    specs = [spec for spec in output.build_specs if spec.split()[0] not in stand_ins]

    def resolved(wanted: Sequence[str], kind: str) -> tuple[LockedPackage, ...]:
        purpose = f"the {kind} environment of {output.name}"
        return source.resolve(wanted, platform, purpose=purpose, built=built) if wanted else ()

    return Environments(
        build=resolved(specs, "build"),
        host=resolved(output.host_specs, "host"),
        test=resolved([*output.run_specs, *output.test_specs], "test"),
        compilers={name: compiler_version(name) for name in names},
    )


def write_channel(
    folder: BuildFolder, archives: Iterable[tuple[str, Path]], platform: str, compilers: Iterable[str] = ()
) -> None:
    """Write a channel with exactly these archives, each with its subdir, and with what sets up builds."""
    for subdir, archive in archives:
        target = folder.channel / subdir / archive.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(archive, target)  # a link would let programs of the build change what it links to
    write_settings(folder.epoch, platform, folder.channel, home=folder.home, temporary=folder.temporary)
    for name in compilers:
        write_compiler(name, platform, folder.channel)
    index_channel(folder.channel, [platform])


def link_or_copy(source: Path, target: Path) -> None:
    """Put a file at another place: a hard link where the disk allows it, a copy elsewhere."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
