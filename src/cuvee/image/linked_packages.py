"""Which files each package puts into a prefix, and where: from metadata only."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from cuvee.channel.windows_launcher import windows_launcher
from cuvee.conda.package_info import PackageInfo
from cuvee.conda.rattler_records import link_order
from cuvee.image.clobber import resolve_clobbers
from cuvee.image.extra_files import plan_extra_files
from cuvee.image.frames import Part
from cuvee.image.link_plan import plan_package, refuse_reserved
from cuvee.image.model import PlannedFile
from cuvee.image.python_paths import PythonPaths
from cuvee.lock.model import PlatformLock


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedPackages:
    """The link plan of each package, by its name."""

    python: PythonPaths
    infos: Mapping[str, PackageInfo]
    plans: Mapping[str, tuple[PlannedFile, ...]]
    archive: Callable[[str], Path]

    @classmethod
    def of(
        cls,
        lock: PlatformLock,
        infos: Mapping[str, PackageInfo],
        archives: Mapping[str, Path],
        distribution: str,
    ) -> Self:
        """Return the plans of all packages of a lock.

        Raises
        ------
        IntegrityError
            If a package is broken.
        BlockedError
            If the packages cannot share a prefix.
        """
        info = infos.get("python")
        python = PythonPaths.of_lock(lock, info.index.python_site_packages_path if info else None)
        needs_launcher = python.platform.is_windows and any(info.entry_points for info in infos.values())
        launcher = windows_launcher() if needs_launcher else None
        claims = {name: plan_package(info, python, launcher=launcher) for name, info in infos.items()}
        for name, claimed in claims.items():
            refuse_reserved(name, claimed, distribution=distribution, platform=python.platform)
        plans = resolve_clobbers(
            claims,
            link_order(lock.packages),
            ignore_case=python.platform.system != "linux",
            folders=("conda-meta", python.stdlib, python.scripts),
        )
        return cls(
            python=python,
            infos=infos,
            plans=plans,
            archive=lambda name: archives[lock.by_name[name].identifier],
        )

    def opened(self, name: str) -> PackageInfo:
        """Return the metadata of a package with its archive, whose hash has been checked."""
        return replace(self.infos[name], archive=self.archive(name))

    def plan_extra_files(self, extra: Sequence[Part], distribution: str) -> list[PlannedFile]:
        """Return what extra files are in the prefix; raise if a package has one of them."""
        planned = (file for plan in self.plans.values() for file in plan)
        return plan_extra_files(extra, planned, distribution=distribution, platform=self.python.platform)
