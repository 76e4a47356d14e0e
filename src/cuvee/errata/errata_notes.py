"""The part of release notes that errata are: what a release fixes."""

from collections.abc import Sequence

from cuvee.errata.model import Erratum
from cuvee.manifest.model import ReleaseVersion
from cuvee.report.issue_text import one_line


def errata_notes(errata: Sequence[Erratum], before: str, after: str) -> str:
    """Return the errata whose fix the release ``after`` has and ``before`` lacks, in Markdown.

    Without any, or if these are not releases of one distribution, it is empty.
    """
    found = [item for item in errata if _has_fix(item, after) and _has_fix(item, before) is False]
    if not found:
        return ""
    lines = [f"## Errata that {one_line(after)} fixes", ""]
    for item in sorted(found, key=lambda item: (item.date, item.number), reverse=True):
        facts = ", ".join((item.severity.value, *item.cves))
        packages = ", ".join(f"`{flaw.package}`" for flaw in item.flaws)
        lines.append(f"- **{one_line(item.number)}** ({facts}), {packages}: {one_line(item.title)}")
        for paragraph in item.summary.split("\n\n"):
            lines += ["", f"  {one_line(paragraph)}"]
    return "\n".join(lines) + "\n\n"


def _has_fix(erratum: Erratum, release: str) -> bool | None:
    """Return whether a release must have the fix; `None` if it is of another distribution."""
    distribution, _, number = release.rpartition("-")
    try:
        version = ReleaseVersion.parse(number)
    except ValueError:
        return None
    return erratum.fix_for(version) is not None if distribution == erratum.distribution else None
