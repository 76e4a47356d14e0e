"""Where secrets of keys come from: a file, an environment variable, or a prompt. Never the command line."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cuvee.trust.key_files import SecretsHandler

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file whose first line is the passphrase or PIN.  [default: CUVEE_KEY_PASSPHRASE, or a prompt]",
)


def secrets_handler(file: Path | None, *, of: str, new: bool = False) -> "SecretsHandler":
    """Return what gives the passphrase or PIN of the key ``of``; a ``new`` one is typed twice."""

    def secret(name: str) -> str:
        if file is not None:
            return _first_line(file)
        if text := os.environ.get("CUVEE_KEY_PASSPHRASE", ""):
            return text
        if not sys.stdin.isatty():
            raise UsageError(
                f"The {name} of {of} is not known, and cannot be asked for here",
                hint="Use --passphrase-file FILE, or CUVEE_KEY_PASSPHRASE.",
            )
        ask: Callable[..., str] = click.prompt
        return ask(f"{name} of {of}", hide_input=True, err=True, confirmation_prompt=new)

    return secret


def _first_line(file: Path) -> str:
    from cuvee.trust.keys import refuse_if_shared

    try:
        with file.open("rb") as stream:
            refuse_if_shared(file, os.fstat(stream.fileno()), what="passphrase")
            return stream.read(1 << 16).split(b"\n", 1)[0].rstrip(b"\r").decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The passphrase file {file} cannot be read: {error}") from error
