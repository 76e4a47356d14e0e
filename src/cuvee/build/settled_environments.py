"""Environments that need no solving: those of the last build, if all that decides them is as it was.

That is what the build asks for, the channels and the release's versions, the compilers of this machine, and
name, version, build and requirements of what earlier waves make. Their contents are not: the key of a build
has the keys of the packages that are in its environments.
"""

from collections.abc import Iterable, Mapping

from cuvee.build.build_order import BuildOrder
from cuvee.build.environments import EnvironmentSources
from cuvee.build.kept_builds import KeptBuild
from cuvee.build.model import BuiltPackage, Output
from cuvee.build.settings_packages import compiler_version, compilers_in
from cuvee.files import fingerprint


class EnvironmentQuestions:
    """Hashes of what decides the environments of each output.

    Parameters
    ----------
    sources
        What resolves environments, and says in which state the channels and the release's versions are; if
        that is not known, nothing is settled.
    """

    def __init__(self, order: BuildOrder, sources: EnvironmentSources) -> None:
        self._platform, self._machine = sources.platform, sources.machine
        self._state = _state_of(sources)
        self._carried = sources.at_build.carried(sources.machine)
        self._earlier: dict[str, str] = {}
        self._stems: dict[str, str] = {}
        made: list[object] = []
        for wave in order.waves:
            before = fingerprint(made)
            for output in wave:
                self._earlier[output.name] = before
                self._stems[output.stem] = output.name
            made += [[output.stem, output.subdir, list(output.run_specs)] for output in wave]

    def of(self, output: Output) -> str:
        """Return the hash for one output; "" if it cannot be told."""
        if not self._state:
            return ""
        compilers = compilers_in(output.build_specs, self._platform, self._carried)
        specs = (output.build_specs, output.host_specs, output.run_specs, output.test_specs)
        return fingerprint(
            [
                self._platform,
                self._state,
                self._earlier[output.name],
                [list(part) for part in specs],
                [[name, compiler_version(name, self._platform, self._machine)] for name in compilers],
            ]
        )

    def settled(
        self, output: Output, last: KeptBuild | None, before: Iterable[BuiltPackage]
    ) -> tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]] | None:
        """Return what build, host and test environment have, as keys do; `None` if they must be solved.

        Parameters
        ----------
        last
            The last build of the output.
        before
            What earlier waves have made.
        """
        if last is None or not last.question or last.question != self.of(output):
            return None
        keys = {package.stem: package.key for package in before}
        parts = last.parts
        environments = (parts.build_environment, parts.host_environment, parts.test_environment)
        if any(stem in self._stems and stem not in keys for part in environments for stem in part):
            return None
        build, host, test = (
            {stem: keys.get(stem, digest) for stem, digest in part.items()} for part in environments
        )
        return build, host, test


def _state_of(sources: EnvironmentSources) -> str:
    states = [sources.of_target.state()]
    if sources.platform != sources.machine:
        states.append(sources.at_build.state())
    return states[0] if len(states) == 1 else (fingerprint(states) if all(states) else "")
