"""The environments of a release's builds: its channels, and the versions that it will have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from cuvee.channel.archive_download import all_or_raise, fetch_archives
from cuvee.channel.connection import Connection, package_names
from cuvee.conda.match_spec import read_spec
from cuvee.conda.package_record import LockedPackage
from cuvee.errors import BlockedError
from cuvee.files import fingerprint, sha256_file
from cuvee.graph.explain import explainer
from cuvee.lock.build_environment import EnvironmentProblem, exact, solve_environment
from cuvee.lock.solve import problem_of, solve
from cuvee.manifest.model import PlatformEntry
from cuvee.release.imported_channel import ImportedChannel
from cuvee.release.package_request import kept_lock
from cuvee.release.session import Session


class ReleaseEnvironments:
    """Resolves environments from the channels of a release, and from what was imported for it.

    Parameters
    ----------
    channel
        What was imported.
    connection
        One of its own: others have read the release's own channel.
    """

    def __init__(
        self, session: Session, entry: PlatformEntry, channel: ImportedChannel, connection: Connection
    ) -> None:
        self._session, self._entry, self._channel = session, entry, channel
        self._connection = connection
        self.made: frozenset[str] = frozenset()
        """Names of packages that recipes make, whatever channels have of them."""

    @property
    def platform(self) -> str:
        """The platform that builds run on."""
        return self._entry.name

    @property
    def _sources(self) -> tuple[str, ...]:
        manifest, own = self._session.manifest, str(self._channel.folder)
        return (own, *manifest.channels) if manifest.patched else (*manifest.channels, own)

    @cached_property
    def _carried(self) -> frozenset[str]:
        return package_names(self._sources, [self._entry.name], self._connection)

    @cached_property
    def pins(self) -> tuple[LockedPackage, ...]:
        """The closure of what the manifest requests, as far as channels have it.

        Raises
        ------
        UnsolvableError
            If there is no solution even without the packages of recipes.
        """
        session = self._session
        problem = problem_of(
            session.manifest,
            platforms=[self._entry.name],
            own_channel=self._channel.folder,
            additions=session.additions,
            keep=kept_lock(session),
        )
        carried = (item for item in problem.requirements if item.name in self._carried)
        explain = explainer(
            session.manifest.sources,
            imports=session.manifest.interpreter is not None,
            whole=session.options.verbose,
            reporter=session.reporter,
        )
        lock = solve(replace(problem, requirements=tuple(carried)), self._connection, explain=explain)
        return lock.by_platform[self._entry.name].packages

    def variant(self) -> dict[str, str]:
        """Return the version of each package of the release that no recipe makes."""
        return {package.name: package.version for package in self.pins if package.name not in self.made}

    def carried(self, platform: str) -> frozenset[str]:
        """Return the names of all packages that the channels have for a platform."""
        return self._carried

    def state(self) -> str:
        """Return a hash of channels, the release's versions, and the floor."""
        manifest, name = self._session.manifest, self._entry.name
        files = [
            self._connection.repodata_file(source, subdir)
            for source in self._sources
            for subdir in (name, "noarch")
        ]
        return fingerprint(
            [
                [path and sha256_file(path) for path in files],
                list(manifest.channels),
                dict(self._entry.floor),
                list(exact([package for package in self.pins if package.name not in self.made])),
                str(manifest.exclude_newer),
            ]
        )

    def resolve(
        self, specs: Sequence[str], platform: str, *, purpose: str, built: Path | None
    ) -> tuple[LockedPackage, ...]:
        """Return the packages of an environment; raise `BlockedError` if there is none."""
        first = () if built is None else (str(built),)
        manifest = self._session.manifest
        answer = solve_environment(
            EnvironmentProblem(
                platform=self._entry,
                specs=tuple(specs),
                constraints=exact([package for package in self.pins if package.name not in self.made]),
                channels=(*first, *self._sources),
                own_channel=self._channel.folder,
                exclude_newer=manifest.exclude_newer if manifest.channels else None,
            ),
            self._connection,
        )
        if isinstance(answer, str):
            lines = [f"  {line}" for line in answer.strip().splitlines()]
            raise BlockedError(
                "\n".join([f"There are no packages for {purpose}: {', '.join(specs)}", *lines]),
                hint=self._hint(specs, built),
            )
        return answer

    def _hint(self, specs: Sequence[str], built: Path | None) -> str:
        names = {read_spec(spec).name for spec in specs}
        known = set(self._carried)
        if built is not None:
            known |= package_names([str(built)], [self._entry.name], self._connection)
        unknown = sorted(names - known - {""})
        if not unknown:
            return "The versions of the release are fixed; change the recipe's requirements or the manifest."
        return (
            f"Neither a channel nor a recipe has {' and '.join(unknown)}: add "
            f"{'it' if len(unknown) == 1 else 'them'} to `wheels` or `recipes` in the manifest, or a channel."
        )

    def archives(self, packages: Iterable[LockedPackage]) -> Mapping[str, Path]:
        """Return the verified archive of each package by its identifier."""
        workspace = self._session.workspace
        return all_or_raise(
            fetch_archives(
                packages,
                release=self._channel.root,
                cache=workspace.cache,
                connection=self._connection,
                reporter=self._session.reporter,
            )
        )
