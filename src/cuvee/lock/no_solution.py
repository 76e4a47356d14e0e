"""The error when there is no solution: the manifest's lines, what channels have, the solver's explanation."""

import re
from collections.abc import Sequence

from cuvee.channel.connection import Connection, query
from cuvee.conda.match_spec import read_version
from cuvee.errors import BlockedError
from cuvee.manifest.model import Requirement

_NEAREST = 5


async def unsolvable(
    explanation: str,
    *,
    platform: str,
    requirements: Sequence[Requirement],
    constraints: Sequence[Requirement],
    sources: Sequence[str],
    connection: Connection,
) -> BlockedError:
    """Return the error for a platform that has no solution.

    It names the requirements that no record meets, with the nearest versions that exist. Without any, it
    names each line of the manifest about a package of the solver's explanation.
    """
    lines = [f"{platform} has no solution"]
    unmet = [
        line for package in requirements for line in await _unmet(package, platform, sources, connection)
    ]
    if unmet:
        lines += unmet
    else:
        mentioned = set(re.findall(r"[a-z0-9_][a-z0-9._-]*", explanation.lower()))
        named = [package for package in (*requirements, *constraints) if package.name in mentioned]
        lines += ["The manifest asks for:", *(f"  {item.spec}    {item.position}" for item in named)]
    lines += ["The solver says:", *(f"  {line}" for line in explanation.strip().splitlines())]
    return BlockedError(
        "\n".join(lines),
        hint="Relax or change one of the lines above, or add a channel that has what they ask for.",
    )


async def _unmet(
    package: Requirement, platform: str, sources: Sequence[str], connection: Connection
) -> list[str]:
    from rattler import MatchSpec

    spec = MatchSpec(package.spec)
    records = await query(sources, platform, [package.name], connection)
    if any(spec.matches(record) for record in records):
        return []
    versions = [str(version) for version in sorted({record.version for record in records}, reverse=True)]
    has = (
        f"nearest: {', '.join(nearest(package.version, versions))}"
        if versions
        else "there is no such package"
    )
    return [f"  {package.position}: no channel has {package.spec}; {has}"]


def nearest(spec: str, versions: Sequence[str]) -> list[str]:
    """Return a few of ``versions``, newest first, around the number that ``spec`` names."""
    match = re.search(r"\d[\w.]*", spec)
    target = read_version(match.group().rstrip(".")) if match else None
    if target is None or len(versions) <= _NEAREST:
        return list(versions[:_NEAREST])
    known = [(text, value) for text in versions if (value := read_version(text)) is not None]
    above = [text for text, value in known if value >= target][-2:]
    below = [text for text, value in known if value < target]
    return [*above, *below[: _NEAREST - len(above)]]
