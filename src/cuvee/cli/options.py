"""What the commands that work on a release have in common."""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cuvee.cache_folder import default_cache, own_cache
from cuvee.cli.output import say
from cuvee.cli.render import by_platform, conflict_as_json, write_json
from cuvee.cli.terminal import terminal
from cuvee.platforms import PLATFORMS

if TYPE_CHECKING:
    from cuvee.executors.executor_choice import ExecutorChoice
    from cuvee.graph.reasons import Needs, Why
    from cuvee.graph.release_graph import ReleaseGraph
    from cuvee.image.model import ImageSigner
    from cuvee.integration.unit_selection import Selection
    from cuvee.release.given_set import GivenSet
    from cuvee.release.session import Session

Command = Callable[..., Any]
Answer = TypeVar("Answer")
Reason = TypeVar("Reason", "Why", "Needs")


platform_option = click.option(
    "--platform",
    "platforms",
    multiple=True,
    type=click.Choice(list(PLATFORMS)),
    help="Only this platform; may be given several times.",
)
dist_option = click.option(
    "--dist",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("dist"),
    show_default=True,
    help="Where release folders are.",
)
cache_option = click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_cache,
    callback=lambda _context, _parameter, folder: own_cache(folder),
    help="Where downloads and whatever can be used again are kept. [env: CUVEE_CACHE_DIR]",
)
base_option = click.option(
    "--base",
    type=click.Path(path_type=Path),
    help="The release folder or the lock of the manifest's base, if it is neither in dist nor in reports/.",
)
history_option = click.option(
    "--history",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="CUVEE_HISTORY",
    help="The file that keeps what all runs have found.  [default: beside dist; env: CUVEE_HISTORY]",
)
refresh_option = click.option("--refresh", is_flag=True, help="Look at channels and the index again.")


built_option = click.option(
    "--built",
    multiple=True,
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="What another machine has built of the recipes for its platform; may be given several times.",
)


def executor_option(default: str, what: str) -> Callable[[Command], Command]:
    """Return the option that says where the units of a command run; ``what`` begins its help."""
    from cuvee.executors.executor_choice import ExecutorChoice

    return click.option(
        "--executor",
        metavar="EXECUTOR",
        default=default,
        show_default=True,
        callback=lambda _context, _parameter, text: ExecutorChoice.parse(text),
        help=f"{what}: threads, processes, or the workers of dask://HOST:PORT.",
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Write the result to stdout as JSON.")
environment_option = click.option(
    "--environment", metavar="NAME", help="Which environment of a pixi.lock.  [default: default]"
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="No progress.")
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="A line for each unit of work, and all conflicts of a set."
)


sign_key_option = click.option(
    "--sign-key",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="CUVEE_SIGNING_KEY",
    help="Sign with this Ed25519 key (PEM). [env: CUVEE_SIGNING_KEY]",
)


root_option = click.option(
    "--root",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    envvar="CUVEE_ROOT",
    help="The root that you got with the distribution. [env: CUVEE_ROOT]",
)


def release_options(
    command: Command,
    *,
    manifest_required: bool = True,
    installers: bool = False,
    metavar: str | None = None,
) -> Command:
    """Add the manifest and the options of a run to a command, and more to one that makes ``installers``."""
    options = [
        click.argument(
            "manifest", type=click.Path(path_type=Path), required=manifest_required, metavar=metavar
        ),
        platform_option,
        dist_option,
        cache_option,
        *(_INSTALLER_OPTIONS if installers else ()),
        base_option,
        built_option,
        refresh_option,
        json_option,
        quiet_option,
        verbose_option,
    ]
    for option in reversed(options):
        command = option(command)
    return command


_INSTALLER_OPTIONS = (
    click.option(
        "--keep-going",
        is_flag=True,
        help="Build and test what can be, even if findings block it, or a platform has no solution.",
    ),
    click.option("--retest", is_flag=True, help="Test again, even if nothing has changed."),
    click.option(
        "--emulate",
        is_flag=True,
        help="Test also what needs an emulator (win-64: Wine, linux-aarch64: QEMU); slow.",
    ),
    click.option(
        "--publish",
        is_flag=True,
        help="Make installers as small as they get; takes some minutes more.",
    ),
    sign_key_option,
    history_option,
    executor_option("threads", "Where the units of tests run"),
)


def question_options(command: Command, *, computes: bool = False, of_locks: bool = True) -> Command:
    """Add what is asked about, and the options of a question about a set that is locked.

    One whose answer is computed from channels or archives has the cache and progress, too. One that other
    tools' locks cannot answer is not ``of_locks``, and so has no environment.
    """
    options = [
        click.argument("manifest", type=click.Path(path_type=Path), metavar="SET"),
        platform_option,
        *((environment_option,) if of_locks else ()),
        dist_option,
        *((cache_option,) if computes else ()),
        json_option,
        *((quiet_option, verbose_option) if computes else ()),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def answer_from_graph(
    question: "Callable[[ReleaseGraph, str], tuple[Reason, ...]]",
    lines: "Callable[[Reason, str], list[str]]",
    name: str,
    *,
    manifest: Path,
    environment: str | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Print the answer of a locked set's graph to a question about the package ``name``."""
    from cuvee.codec import encode
    from cuvee.release.recorded_lock import recorded_graph

    def work(session: "Session") -> "tuple[str, tuple[Reason, ...]]":
        graph = recorded_graph(session)
        return graph.manifest.release_name, question(graph, name)

    given = given_set(manifest, platforms=options["platforms"], environment=environment)
    if given is None:
        release_name, answers = ask(work, manifest=manifest, **options)
    else:
        release_name, answers = given.graph.manifest.release_name, question(given.graph, name)
    if as_json:
        write_json({"release": release_name, "name": name, "platforms": encode(answers)})
        return 0
    for line in by_platform((answer.platform, lines(answer, name)) for answer in answers):
        say(line)
    return 0


def given_set(
    path: Path, *, platforms: tuple[str, ...], environment: str | None, needs: tuple[str, ...] = ("depends",)
) -> "GivenSet | None":
    """Return the set of a lock or an installed environment, and print what was assumed to stderr.

    Of a manifest and of a release folder it is `None`: these have a session.
    """
    from cuvee.release.named_set import is_given_set

    if not is_given_set(path, environment):
        return None
    from cuvee.release.given_set import read_given_set

    today = dt.datetime.now(dt.UTC).date()
    found = read_given_set(path, today=today, environment=environment, only=platforms, needs=needs)
    for note in found.notes:
        say(f"note: {note}", err=True)
    return found


def of_release_folder(path: Path, dist: Path) -> tuple[Path, Path]:
    """Return the manifest of a release folder, and the folder that this is in; other paths as they are."""
    from cuvee.graph.diff.readers.input_kinds import InputKind, kind_of
    from cuvee.release.manifest_of_folder import manifest_of

    if (path / "lock").is_dir() and kind_of(path) is InputKind.RELEASE:
        return manifest_of(path), path.resolve().parent
    return path, dist


def run_pipeline(work: "Callable[[Session], Answer]", *, as_json: bool = False, **options: Any) -> "Answer":
    """Return what ``work`` makes of the release of a manifest, with progress on stderr.

    No other process may work on the release meanwhile. Why a set has no solution goes to stdout as JSON, if
    that is what was asked for.
    """
    with conflict_as_json(as_json), _session(**options) as session, session.workspace.locked():
        return work(session)


def ask(work: "Callable[[Session], Answer]", **options: Any) -> "Answer":
    """Return what ``work`` finds out about the release of a manifest, of which it may change nothing.

    Other processes may work on the release meanwhile, and its folder may be read-only.
    """
    with _session(takes_folder=True, **options) as session:
        return work(session)


@contextmanager
def _session(
    *,
    manifest: Path,
    platforms: tuple[str, ...],
    dist: Path,
    cache: Path | None = None,
    refresh: bool = False,
    quiet: bool = False,
    verbose: bool = False,
    emulate: bool = False,
    publish: bool = False,
    sign_key: Path | None = None,
    keep_going: bool = False,
    retest: bool = False,
    takes_folder: bool = False,
    base: Path | None = None,
    history: Path | None = None,
    selection: "Selection | None" = None,
    place: str | None = None,
    executor: "ExecutorChoice | None" = None,
    results: Path | None = None,
    built: tuple[Path, ...] = (),
) -> "Iterator[Session]":
    """Yield the session of a manifest, or of a release folder by its record if the command takes that."""
    from dataclasses import replace

    from cuvee.executors.executor_choice import ExecutorChoice
    from cuvee.release.session import Options, Session

    now = dt.datetime.now(dt.UTC)
    options = Options(
        dist=dist,
        cache=cache or default_cache(),
        now=now,
        platforms=platforms,
        refresh=refresh,
        emulate=emulate,
        publish=publish,
        signer=_signer(sign_key),
        secrets=() if sign_key is None else (sign_key,),
        keep_going=keep_going,
        retest=retest,
        base=base,
        history=history,
        selection=selection,
        place=place,
        executor=executor or ExecutorChoice(),
        results=results,
        built=built,
        verbose=verbose,
    )
    if takes_folder and (manifest / "lock").is_dir() and _is_release(manifest):
        from cuvee.release.manifest_of_folder import manifest_of_release

        options = replace(options, dist=manifest.resolve().parent, folder=manifest.resolve())
        loaded = manifest_of_release(manifest, today=now.date())
    else:
        from cuvee.release.named_manifest import named_manifest

        loaded = named_manifest(manifest, today=now.date())
    with terminal(quiet=quiet, verbose=verbose) as reporter:
        session = Session(loaded, options, reporter)
        try:
            yield session
        finally:
            session.close()


def _signer(sign_key: Path | None) -> "ImageSigner | None":
    if sign_key is None:
        return None
    from cuvee.trust.keys import SigningKey

    return SigningKey.read(sign_key)


def _is_release(folder: Path) -> bool:
    from cuvee.graph.diff.readers.input_kinds import InputKind, kind_of

    return kind_of(folder) is InputKind.RELEASE
