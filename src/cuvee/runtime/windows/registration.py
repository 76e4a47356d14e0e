"""Registering a release with Windows, and removing that; ``windows.json`` keeps what was registered."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from ..failure import InstallError
from ..moved_prefix import known_names
from ..prefix_state import KEPT
from ..prefix_tree import PrefixTree, is_inside
from . import registry, search_path, start_menu
from .registry import Product

STATE = f"{KEPT}/windows.json"


class Registration(NamedTuple):
    """What is registered: for all users (``machine``) or one, registry keys, empty for none, PATH entries.

    ``folders`` are the Start menu and the desktop, where shortcuts go, ``stage0`` the files of stage 0.
    """

    machine: bool
    program: str
    python: str
    path: list[str]
    folders: list[str]
    stage0: list[str] = []  # noqa: RUF012 - never changed

    def write(self, folder: str) -> None:
        """Write it to the prefix in ``folder``."""
        with open(f"{folder}/{STATE}", "w", encoding="utf-8", newline="") as stream:
            stream.write(json.dumps(self._asdict(), indent=1, ensure_ascii=False) + "\n")

    def add(self, prefix: str, run: str, *, before: Registration | None, others: Sequence[str] = ()) -> None:
        """Register the release in ``prefix``, and remove what only ``before`` has.

        ``run`` is a folder for a temporary file, ``others`` are shortcuts of the release that was there.
        """
        product, machine = registry.read_product(f"{prefix}/{KEPT}/product.json"), self.machine
        if self.program:
            registry.list_program(self.program, product, prefix, machine=machine)
        if self.python:
            registry.register_python(self.python, product, prefix, machine=machine)
        if before is not None:
            before._replace(
                program=before.program if before.program != self.program else "",
                python=before.python if before.python != self.python else "",
                path=[folder for folder in before.path if folder not in self.path],
            ).remove(known_names(prefix))
        if self.path and not search_path.add(self.path, machine=machine):
            sys.stderr.write("Warning: PATH is too long already, so it was left as it is.\n")
        start_menu.update(prefix, self.folders, run, others, shared=machine)

    def remove(self, names: Sequence[str]) -> None:
        """Remove from the registry what names one of the places that are the release's own."""
        if self.path:
            search_path.remove(self.path, machine=self.machine)
        for name in names:
            if self.python:
                registry.forget_python(self.python, name, machine=self.machine)
            if self.program:
                registry.forget_program(self.program, name, machine=self.machine)


def read_registration(prefix: str) -> Registration:
    """Return what is registered of the release in a prefix."""
    try:
        return _believed(Registration(**json.loads(PrefixTree(prefix).read(STATE))), prefix)
    except (OSError, ValueError, TypeError, AttributeError):
        raise InstallError(f"{prefix} holds no release that this uninstaller knows.") from None


def _believed(found: Registration, prefix: str) -> Registration:
    """Return what an installer registers for this prefix; whoever may write in it may name anything else."""
    if not all(map(is_inside, found.stage0)):
        raise ValueError("it names a file outside the prefix")
    names = known_names(prefix)
    own = [search_path.plain(folder) for name in names for folder in (name, f"{name}\\Scripts")]
    return found._replace(
        program=found.program if registry.is_program_key(found.program) else "",
        python=found.python if registry.is_python_key(found.python) else "",
        path=[folder for folder in found.path if search_path.plain(folder) in own],
    )


def guess_registration(product: Product, prefix: str) -> Registration:
    """Return what Windows may know of a release that has lost its own list; what is not its own stays."""
    machine = is_machine(prefix)
    program = registry.program_key(product, prefix, machine=machine)
    path = [prefix, f"{prefix}\\Scripts"]
    return Registration(machine, program, registry.python_key(product), path, [])


def is_machine(prefix: str) -> bool:
    """Return whether the release was installed for all users."""
    return not os.path.exists(f"{prefix}/.nonadmin")
