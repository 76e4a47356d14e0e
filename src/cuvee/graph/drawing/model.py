"""The contents of a picture: boxes with a verdict, and arrows between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cuvee.graph.findings import Finding, Verdict

Role = Literal["centre", "requested", "indirect", "missing", "system", "more"]
"""The kind of a box: the package in question, a requested package, an indirect one, a missing one, a virtual
package, or several packages that are not drawn one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNode:
    """One box.

    Attributes
    ----------
    key
        The name that arrows refer to.
    title, note
        Its two lines: a name, and a version or a count.
    verdict
        The worst verdict of the findings about it.
    details
        Further lines for its tooltip.
    """

    key: str
    title: str
    note: str = ""
    role: Role = "indirect"
    verdict: Verdict = Verdict.READY
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureArrow:
    """An arrow from a package to its dependency; ``satisfied`` tells whether that is met."""

    source: str
    target: str
    spec: str = ""
    satisfied: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Boxes and arrows, in a stable order."""

    title: str
    nodes: tuple[PictureNode, ...]
    arrows: tuple[PictureArrow, ...]


def verdicts(findings: Iterable[Finding], platform: str) -> Mapping[str, Verdict]:
    """Return the worst verdict of each package that findings on a platform are about.

    A package at fault has its finding's verdict. A victim has at most a warning.
    """
    found: dict[str, Verdict] = {}
    for finding in findings:
        if finding.platforms and platform not in finding.platforms:
            continue
        of_victims = min(finding.verdict, Verdict.WARNING)
        for name in finding.packages:
            found[name] = max(found.get(name, Verdict.READY), finding.verdict)
        for victim in finding.victims:
            stem, _, where = victim.rpartition("@")
            name = stem.rsplit("-", 2)[0]
            if where == platform:
                found[name] = max(found.get(name, Verdict.READY), of_victims)
    return found
