"""Which programs of another platform run on this machine while packages are built for it, and how."""

from cuvee.build.cross_building import BuildTarget
from cuvee.integration.runners.qemu import QemuRunner
from cuvee.release.session import Session


def target_of(session: Session, platform: str) -> BuildTarget:
    """Return how packages are built for another platform than that of this machine."""
    if platform.startswith("win-"):
        return BuildTarget(platform=platform, not_run="programs of a build for Windows need Windows")
    runner = QemuRunner(session.workspace.cache)
    refusal = runner.refusal(platform)
    if refusal is None:
        command, environment = runner.emulation()
        return BuildTarget(platform=platform, command=command, environment=environment)
    return BuildTarget(platform=platform, not_run=refusal or f"nothing here runs programs of {platform}")
