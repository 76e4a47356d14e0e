"""The command `cuvee`: its commands are imported when they are called, so that ``--help`` answers at once."""

import gc
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress

import click

from cuvee.cli.output import say
from cuvee.cli.terminal import is_dumb
from cuvee.errors import CuveeError, ExhaustedError, InternalError, StorageError
from cuvee.runtime.standard_streams import with_streams

COMMANDS = {
    "release": "Cut a release: all stages, from the manifest to the report.",
    "show": "Print an evaluated manifest, with where each value came from.",
    "schema": "Print the JSON Schema of manifests, for editors.",
    "check-channel": "Say of each record of a channel whether it can be installed, and why not.",
    "build": "Build the packages of recipes, and put them into the release's channel.",
    "lock": "Solve a manifest on every platform and write its lock.",
    "coinstall": "Find packages that can each be installed, but never together.",
    "check": "Prove that a locked release fits together.",
    "certify": "Prove that a release fits together, in a file that others can check.",
    "why": "Say why a package is in a release.",
    "needs": "Say who needs a package of a release.",
    "inclusion": "Say whether a package can come into a set, as a checklist.",
    "impact": "Say what an upgrade would change, break and unblock.",
    "diff": "Print what changed between two releases, locks, manifests or environments.",
    "graph": "Draw a locked release, or the surroundings of packages or findings.",
    "installers": "Make our installers from a constructor project.",
    "delta": "Make installers that upgrade one release to another, with only what changed.",
    "test": "Install a release with its own installer and run its suites in it.",
    "bisect": "Find the package that turns a test red between two releases.",
    "import-results": "Add results of tests that ran elsewhere to a release.",
    "ci": "Write a workflow that cuts a release and tests it on machines of its platforms.",
    "history": "Print what became of a test, or of the tests of a package, over the releases.",
    "keys": "Make and show the keys with which people approve releases.",
    "approve": "Show what a release is, and approve it with your key.",
    "sign": "Sign a release, here or on another machine.",
    "publish": "Publish releases as a site that a web server can serve, and sign it.",
    "fetch": "Fetch an installer from a site, verified, and install nothing.",
    "mirror": "Copy a signed site to a folder, such as a disk for machines without a network.",
    "verify": "Verify a release from the root to each installed file, without a network.",
    "log": "Read and verify the log of a site, or revoke a key in it.",
    "docs": "Write the page that tells users how to have a release, and stay on it.",
    "errata": "Check errata against the locks of releases, and publish them.",
    "governance": "Write the page that says who decides, and what was decided.",
    "report": "Print what the report of a release says, or write it to another folder.",
}
"""In the order of the flow. Each lives in ``cuvee.cli.<name>`` as ``command``, with ``_`` for ``-``."""

_COLLECT_AFTER = 50_000
"""New objects after which Python looks for garbage; its own 700 take a thirtieth of a run's time."""


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"cuvee.cli.{cmd_name.replace('-', '_')}").command
        if not isinstance(command, click.Command):
            raise TypeError(f"cuvee.cli.{cmd_name}.command is not a command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and not ctx.resilient_parsing:
            from cuvee.manifest.documents.suggestions import did_you_mean

            ctx.fail(f"No such command {name!r}. {did_you_mean(name, COMMANDS).capitalize()}".strip())
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cuvee")
def cli() -> None:
    """Cut numbered releases of a curated conda distribution.

    \b
    Examples:
      cuvee release manifests/starter/2026.11.0.yaml
      cuvee show manifests/starter/2026.11.1.yaml
      cuvee check manifests/starter/2026.11.0.yaml --json

    Exit codes: 0 ready, 1 blocked, 2 usage or manifest, 3 a tool is missing, 4 a source could not be
    reached, 5 integrity, 6 a file cannot be written or too little memory, 7 another cuvee is working on the
    release, 70 a bug in cuvee, 130 interrupted.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit; the only place where exceptions become exit codes."""
    # What imports and reading make lives until the end: looking for garbage that often finds none.
    gc.set_threshold(_COLLECT_AFTER)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    # Output without a reader, as behind `| head`, changes no verdict.
    code = with_streams(lambda: run(sys.argv[1:] if argv is None else argv), lost=StorageError.exit_code)
    # py-rattler's threads may outlive a solve, and abort an interpreter that is being torn down.
    os._exit(code)


def _interrupt(*_: object) -> None:
    from cuvee import process

    process.stop_all(refuse_more=True)
    raise KeyboardInterrupt


def run(argv: Sequence[str]) -> int:
    """Run the command line and give its exit code."""
    try:
        result = cli.main(args=list(argv), prog_name="cuvee", standalone_mode=False, color=_color())
    except CuveeError as error:
        return _tell(error)
    except click.ClickException as error:
        error.show()
        return 2
    except (KeyboardInterrupt, click.Abort):
        say("Interrupted. What was finished is kept; run the same command to go on.", err=True)
        return 130
    except OSError as error:
        return _tell(StorageError(f"{error.strerror or error}: {error.filename or 'this machine'}"))
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - a bug must not end in a traceback either; nor one in Rust
        return _tell(_exhausted() if _is_exhausted(error) else _bug())
    return result if isinstance(result, int) else 0


def _is_exhausted(error: BaseException) -> bool:
    """Whether memory ran out: Python's own error, and what the same is called for threads and libraries."""
    words = ("can't start new thread", "failed to map segment", "Cannot allocate memory")
    is_killed = type(error).__name__ == "BrokenProcessPool"  # the system stopped one of our processes
    return isinstance(error, MemoryError) or is_killed or any(word in str(error) for word in words)


def _exhausted() -> CuveeError:
    return ExhaustedError(
        "This machine has too little memory for that. What was finished is kept.",
        hint="Stop other programs or raise the limit (ulimit -v), and run the same command to go on.",
    )


def _bug() -> CuveeError:
    import tempfile
    import traceback

    name = "the command that you ran"
    with (
        suppress(OSError),
        tempfile.NamedTemporaryFile(
            "w", prefix="cuvee-bug-", suffix=".log", delete=False, errors="backslashreplace"
        ) as log,
    ):
        traceback.print_exc(file=log)
        name = log.name
    return InternalError(
        "This is a bug in cuvee. What was finished is kept.",
        hint=f"Please report it with {name}; the same command goes on where it stopped.",
    )


def _tell(error: CuveeError) -> int:
    say(f" {error.message}", badge="error:", colour="red", err=True, color=_color())
    if error.hint:
        say(f" {error.hint}", badge="next:", colour="cyan", err=True, color=_color())
    return error.exit_code


def _color() -> bool | None:
    """Return `False` if colours are refused (https://no-color.org), `None` if the terminal decides."""
    return False if os.environ.get("NO_COLOR") or is_dumb() else None
