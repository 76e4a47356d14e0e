"""``cuvee impact``."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cuvee.cli.completion import package_names
from cuvee.cli.options import ask, question_options
from cuvee.cli.output import say
from cuvee.cli.render import write_json
from cuvee.errors import UsageError

if TYPE_CHECKING:
    from cuvee.graph.diff import Change
    from cuvee.graph.upgrade_impact import Impact


@click.command()
@click.argument("name", metavar="NAME[=VERSION]", shell_complete=package_names)
@partial(question_options, computes=True, of_locks=False)
def command(name: str, *, manifest: Path, as_json: bool, **options: Any) -> int:
    """Show what an upgrade of the package NAME would change, break and unblock in a release.

    The locked release is solved with that version; other packages change only where they must. Without
    VERSION, any version newer than the locked one will do. Nothing is written. The exit code is 1 if the
    upgrade is impossible; the output then says why, and which changes of the manifest would make it possible.
    SET is a manifest or a release folder: other locks do not state what is requested from which channels.

    \b
    Examples:
      cuvee impact numpy manifests/starter/2026.11.0.yaml
      cuvee impact numpy=2.5 manifests/starter/2026.11.0.yaml --platform linux-64
      cuvee impact openssl=3.6 dist/starter-2026.11.0 --json
    """
    from cuvee.release.named_set import is_given_set
    from cuvee.release.upgrade_trial import impact_of

    if is_given_set(manifest, None):
        raise UsageError(
            f"{manifest} does not state what is requested from which channels, so no upgrade can be solved",
            hint="Name a manifest or a release folder. `cuvee needs` says who depends on a package of it.",
        )
    impact = ask(partial(impact_of, upgrade=name), manifest=manifest, **options)
    if as_json:
        write_json(impact_json(impact))
    else:
        for line in impact_lines(impact):
            say(line)
    return int(impact.conflict is not None)


def impact_lines(impact: "Impact") -> list[str]:
    """Return what would happen as lines of text."""
    if impact.conflict is not None:
        lines = [f"{impact.spec} is impossible", impact.conflict.message]
        return [*lines, f"next: {impact.conflict.hint}"]
    lines = [f"{impact.spec} is possible"]
    for title, changes in (
        ("would change", impact.changes),
        ("unblocks, if all were as new as they can be", impact.unblocked),
        ("holds back, if all were as new as they can be", impact.held_back),
    ):
        if changes:
            lines += [f"{title}:", *(f"  {change_line(change)}" for change in changes)]
    return lines if impact.changes else [*lines, "nothing would change"]


def change_line(change: "Change") -> str:
    """Return one change: kind, versions, platforms, and whether the manifest requests the package."""
    versions = " → ".join(version for version in (change.before, change.after) if version)
    level = f", {change.level.value}" if change.level is not None else ""
    kind = "requested" if change.requested else "indirect"
    return f"{change.kind.value} {change.package} {versions} ({kind}{level}) on {', '.join(change.platforms)}"


def impact_json(impact: "Impact") -> dict[str, object]:
    """Return what would happen as JSON values."""
    return {
        "name": impact.name,
        "spec": impact.spec,
        "possible": impact.conflict is None,
        "changes": [_change(item) for item in impact.changes],
        "unblocked": [_change(item) for item in impact.unblocked],
        "held_back": [_change(item) for item in impact.held_back],
        "conflict": None if impact.conflict is None else impact.conflict.details,
    }


def _change(change: "Change") -> dict[str, object]:
    from cuvee.codec import encode_object

    stated = encode_object(change, without=frozenset({"per_platform", "forced_by"}))
    return {**stated, "platforms": list(change.platforms)}
