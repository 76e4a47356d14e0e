"""The runner of a platform on this host: the one module that knows all runners."""

from pathlib import Path

from cuvee.errors import UsageError
from cuvee.integration.runners.native import NativeRunner
from cuvee.integration.runners.protocol import Runner


def all_runners(*, emulate: bool = False, cache: Path | None = None) -> tuple[Runner, ...]:
    """Return all runners, the preferred first; with ``emulate`` also those that emulate a platform.

    QEMU's keeps what it fetches in ``cache``, and is left out without one.
    """
    from cuvee.integration.runners.windows_native import WindowsRunner

    if not emulate:
        return (NativeRunner(), WindowsRunner())
    from cuvee.integration.runners.qemu import QemuRunner
    from cuvee.integration.runners.wine import WineRunner

    return (NativeRunner(), WindowsRunner(), WineRunner(), *(() if cache is None else (QemuRunner(cache),)))


def select_runner(
    platform: str, *, emulate: bool = False, cache: Path | None = None, place: Runner | None = None
) -> tuple[Runner | None, str]:
    """Return the first runner that can run ``platform`` here, or `None` and why none can.

    With a ``place``, which is the runner of one, it runs there or nowhere.
    """
    refusals = []
    runners = all_runners(emulate=emulate, cache=cache) if place is None else (place,)
    for runner in runners:
        refusal = runner.refusal(platform)
        if refusal is None:
            return runner, ""
        refusals.append(refusal)
    return None, "; ".join(filter(None, refusals))


def runner_at(place: str) -> Runner:
    """Return what runs releases in a place: ``ssh://HOST``, ``container:IMAGE``, or a folder with a system.

    Raises
    ------
    UsageError
        If it is no such place.
    ToolMissingError
        If the program is missing that reaches it.
    SourceUnreachableError
        If it is a machine that does not answer.
    """
    from cuvee.integration.runners.container import CONTAINER, ContainerRunner
    from cuvee.integration.runners.root import RootRunner
    from cuvee.integration.runners.ssh import SCHEME, SshAddress, SshRunner

    if place.startswith(SCHEME):
        return SshRunner(SshAddress.parse(place))
    if place.startswith(CONTAINER):
        return ContainerRunner(place.removeprefix(CONTAINER))
    if not Path(place).exists():
        raise UsageError(
            f"There is no folder {place}",
            hint="Name a folder with a Linux system, a machine (ssh://HOST), or an image (container:IMAGE).",
        )
    return RootRunner(Path(place))
