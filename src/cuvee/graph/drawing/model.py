"""What is drawn: boxes with a status, and the links between them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from cuvee.graph.findings import Finding, Verdict

Role = Literal["centre", "blessed", "closure", "missing", "system", "more"]
"""What a box stands for: the package at hand, one of the blessed set, one that is pulled in, one that is
asked for and not there, what the operating system offers, or several that are not drawn one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureNode:
    """One box.

    Attributes
    ----------
    key
        What links name.
    title, note
        Its two lines: a name, and a version or a count.
    verdict
        The worst finding that speaks of it.
    told
        Further lines, shown when the pointer rests on it.
    """

    key: str
    title: str
    note: str = ""
    role: Role = "closure"
    verdict: Verdict = Verdict.READY
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureArrow:
    """An arrow from what asks to what is asked for; ``satisfied`` says whether it gets it."""

    source: str
    target: str
    spec: str = ""
    satisfied: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Boxes and arrows, in a stable order."""

    title: str
    nodes: tuple[PictureNode, ...]
    links: tuple[PictureArrow, ...]


def verdicts(findings: Iterable[Finding], platform: str) -> Mapping[str, Verdict]:
    """Give the worst verdict of each package that findings on a platform speak of.

    A package at fault has its finding's verdict. One that is only hit has a warning at most: it is not the
    one to mend. Counts of all kinds (``info``) colour nothing.
    """
    found: dict[str, Verdict] = {}
    for finding in findings:
        if finding.platforms and platform not in finding.platforms:
            continue
        hit = min(finding.verdict, Verdict.WARNING)
        for name in finding.packages:
            found[name] = max(found.get(name, Verdict.READY), finding.verdict)
        for victim in finding.victims:
            stem, _, where = victim.rpartition("@")
            name = stem.rsplit("-", 2)[0]
            if where == platform:
                found[name] = max(found.get(name, Verdict.READY), hit)
    return found
