"""What to say when there is no solution: the manifest's lines, what channels do have, the solver's words."""

import re
from collections.abc import Sequence

from cuvee.channel.connection import Connection, channel
from cuvee.errors import BlockedError
from cuvee.manifest.model import Requirement

_NEAREST = 5


async def unsolvable(
    explanation: str,
    *,
    platform: str,
    wanted: Sequence[Requirement],
    constraints: Sequence[Requirement],
    sources: Sequence[str],
    connection: Connection,
) -> BlockedError:
    """Make the error for a platform that has no solution.

    Requirements that no record meets are named first, with the nearest versions there are; then every line
    of the manifest that asks for a package of the solver's explanation.
    """
    lines = [f"{platform} has no solution"]
    unmet = [line for package in wanted for line in await _unmet(package, platform, sources, connection)]
    if unmet:
        lines += unmet
    else:
        mentioned = set(re.findall(r"[a-z0-9_][a-z0-9._-]*", explanation.lower()))
        asked = [package for package in (*wanted, *constraints) if package.name in mentioned]
        lines += ["The manifest asks for:", *(f"  {item.spec}    {item.position}" for item in asked)]
    lines += ["The solver says:", *(f"  {line}" for line in explanation.strip().splitlines())]
    return BlockedError(
        "\n".join(lines),
        hint="Relax or change one of the lines above, or add a channel that has what they ask for.",
    )


async def _unmet(
    package: Requirement, platform: str, sources: Sequence[str], connection: Connection
) -> list[str]:
    from rattler import MatchSpec, Subdir

    spec = MatchSpec(package.spec)
    answer = await connection.gateway.query(
        [channel(source) for source in sources],
        [Subdir(platform), Subdir("noarch")],
        [MatchSpec(package.name)],
        recursive=False,
    )
    records = [record for found in answer for record in found]
    if any(spec.matches(record) for record in records):
        return []
    versions = [str(version) for version in sorted({record.version for record in records}, reverse=True)]
    has = (
        f"nearest: {', '.join(_nearest(package.version, versions))}"
        if versions
        else "there is no such package"
    )
    return [f"  {package.position}: no channel has {package.spec}; {has}"]


def _nearest(spec: str, versions: Sequence[str]) -> list[str]:
    """Give a few versions around the numbers that the spec names, newest first."""
    match = re.search(r"\d[\w.]*", spec)
    if match is None or len(versions) <= _NEAREST:
        return list(versions[:_NEAREST])
    from rattler import Version

    try:
        target = Version(match.group().rstrip("."))
    except Exception:  # noqa: BLE001 - rattler's errors share no base, and this is a courtesy only
        return list(versions[:_NEAREST])
    above = [version for version in versions if Version(version) >= target]
    below = [version for version in versions if Version(version) < target]
    return [*above[-2:], *below[: _NEAREST - len(above[-2:])]]
