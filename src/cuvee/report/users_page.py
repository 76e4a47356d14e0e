"""The page for users of a release: how to install it with any tool, and how to stay on it."""

import shlex
from typing import TYPE_CHECKING

from cuvee.errors import UsageError
from cuvee.graph.metapackages import metapackage_names
from cuvee.manifest.model import Deprecation
from cuvee.platforms import PLATFORMS
from cuvee.release.artefacts import ArtefactKind
from cuvee.release.record import Release
from cuvee.report.issue_text import one_line

if TYPE_CHECKING:
    from jinja2 import Template

_COMMANDS = {
    "sh": "sh {name}",
    "pkg": "sudo installer -pkg {name} -target /",
    "exe": "{name}",
    "msi": "msiexec /i {name}",
}


def users_page(release: Release, channel: str) -> str:
    """Return the page, in Markdown.

    Parameters
    ----------
    channel
        The URL at which the release's packages and metapackages are published.

    Raises
    ------
    UsageError
        If the release has no metapackages.
    """
    manifest = release.manifest
    made = release.metapackages.records if release.metapackages is not None else ()
    if not made:
        raise UsageError(
            f"{release.name} has no metapackages, by which users could stay on it",
            hint="Cut it again with this cuvee; `cuvee report` says why, if it cannot have any.",
        )
    channels = [channel, *(name for name in manifest.channels if "://" in name or "/" not in name)]
    complete, base, constraints = metapackage_names(manifest.distribution)
    version = manifest.version
    return _template().render(
        title=one_line(f"{manifest.title} {version}"),
        name=complete,
        base=base if base in {record.name for record in made} else "",
        constraints=constraints,
        version=str(version),
        series=f"{version.year}.{version.month}",
        channels=channels,
        options=" ".join(f"--channel {shlex.quote(item)}" for item in channels),
        platforms=list(release.lock.by_platform),
        has_pip=all("pip" in lock.by_name for lock in release.lock.platforms),
        example=_example(release),
        leaving=[(item.name, _leaves(item.deprecated)) for item in manifest.packages if item.deprecated],
        installers=[
            (PLATFORMS[item.platform or ""].title, item.name, _COMMANDS[item.format].format(name=item.name))
            for item in release.handed_out
            if item.kind is ArtefactKind.INSTALLER and item.not_made is None and item.format in _COMMANDS
        ],
    )


def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # Markdown, in which names of packages and URLs are in code: nothing is escaped for HTML.
    tools = Environment(
        loader=PackageLoader("cuvee.report"),
        autoescape=False,  # noqa: S701 - see above
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return tools.get_template("users.md.j2")


def _leaves(gone: Deprecation) -> str:
    """Return when and why a package leaves, and what to use instead, as Markdown."""
    when = f"in {gone.removed_in}" if gone.removed_in else "in a later release"
    instead = f" Use {one_line(gone.instead)} instead." if gone.instead else ""
    return f"leaves {when}: {one_line(gone.reason).rstrip('.')}.{instead}"


def _example(release: Release) -> str:
    """Return a requested package, as an example of one whose version the release states."""
    names = [item.name for item in release.manifest.packages if item.name != "python"]
    return names[0] if names else "python"
