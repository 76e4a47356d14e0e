"""Running a release in a container of podman or docker: the system of an image, with this kernel."""

import re
import shutil
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from cuvee import process
from cuvee.errors import SourceUnreachableError, ToolMissingError, UsageError
from cuvee.integration.model import PlannedSuite
from cuvee.integration.runners.far_client import is_alive
from cuvee.integration.runners.far_connection import one_line
from cuvee.integration.runners.far_machine import look_at
from cuvee.integration.runners.far_runner import FarRunner
from cuvee.integration.runners.far_scripts import CHANNEL
from cuvee.integration.runners.far_work import Reach
from cuvee.integration.runners.protocol import Sandbox
from cuvee.process import Request

CONTAINER = "container:"
_PROGRAMS = ("podman", "docker")
_PULL_SECONDS, _SECONDS = 3600.0, 120.0
_LONGEST_LIFE = 86400
"""Seconds after which a container ends that was not removed."""

_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@+-]*")
_ALONE = ("--network", "none", "--security-opt", "no-new-privileges")


class ContainerRunner(FarRunner):
    """Runs the release in a container that is made for it, without a network, and removed afterwards.

    Parameters
    ----------
    image
        The name of an image, which is pulled if it is not here.

    Raises
    ------
    ToolMissingError
        If there is neither podman nor docker.
    SourceUnreachableError
        If the image cannot be had.
    UsageError
        If it has no POSIX shell.
    """

    attempts = 1  # what is lost with a container is not there again

    def __init__(self, image: str) -> None:
        if not _IMAGE.fullmatch(image):
            raise UsageError(
                f"{image!r} is not a name of an image", hint="Such as container:docker.io/library/debian:12"
            )
        program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        if program is None:
            raise ToolMissingError(
                "Neither podman nor docker is installed", hint="Install the Debian package podman."
            )
        self._program, self._image = program, image
        self._identifier = self._pulled()
        run = (program, "run", "--rm", "-i", *_ALONE, image, "sh", "-c", CHANNEL)
        hint = f"`{PurePosixPath(program).name} run --rm {image} sh -c true` must work."
        machine = look_at(run, f"{CONTAINER}{image}", hint=hint)
        label = re.sub(r"[^a-z0-9.]+", "-", image.rpartition("/")[2].lower()).strip("-")
        super().__init__(name=f"container-{label}", title=f"{CONTAINER}{image}", machine=machine)
        self._name = PurePosixPath(self._top).name

    def suite_refusal(self, suite: PlannedSuite) -> str | None:
        """Return why it does not run a suite; `None` when it does."""
        if suite.network:
            return "a container has no network here"
        return super().suite_refusal(suite)

    def install(self, sandbox: Sandbox, installer: Path, *, timeout: float) -> Request:
        """Make the request that starts the container, takes the installer there and installs silently."""
        self._remove_dead()
        return super().install(sandbox, installer, timeout=timeout)

    def reach(self, control: Path) -> Reach:
        """Return how to start the container, to run the channel there, and to remove it."""
        sleep = ("sh", "-c", f"exec sleep {_LONGEST_LIFE}")
        start = (self._program, "run", "-d", "--rm", *_ALONE, "--name", self._name, self._image, *sleep)
        connect = (self._program, "exec", "-i", self._name, "sh", "-c", CHANNEL)
        stop = ((self._program, "kill", self._name), (self._program, "rm", "-f", self._name))
        return Reach(connect=connect, connect_again=connect, start=(start,), stop=stop)

    def environment(self) -> Mapping[str, str]:
        """Return which image it is, and what a container keeps away."""
        return {
            **super().environment(),
            "image": f"{self._image} ({self._identifier})",
            "network": "none but loopback",
            "files": "those of a container, which was removed afterwards",
        }

    def _pulled(self) -> str:
        """Return the image's identifier; pull it if it is not here."""
        look = (self._program, "image", "inspect", "--format", "{{.Id}}", self._image)
        done = process.run(Request(argv=look, timeout=_SECONDS))
        if not done.ok:
            pull = process.run(Request(argv=(self._program, "pull", self._image), timeout=_PULL_SECONDS))
            done = process.run(Request(argv=look, timeout=_SECONDS)) if pull.ok else pull
        if not done.ok:
            name = PurePosixPath(self._program).name
            raise SourceUnreachableError(
                f"{name} cannot get the image {self._image}: {one_line(done.stderr.encode())}",
                hint=f"`{name} pull {self._image}` must work.",
            )
        return done.stdout.strip()

    def _remove_dead(self) -> None:
        """Remove the containers of runs of this host that have died."""
        names = ("--filter", f"name={self._own}", "--format", "{{.Names}}")
        found = process.run(Request(argv=(self._program, "ps", "-a", *names), timeout=_SECONDS))
        for name in found.stdout.split():
            if name.startswith(self._own) and not is_alive(name.removeprefix(self._own)):
                process.run(Request(argv=(self._program, "rm", "-f", name), timeout=_SECONDS))
