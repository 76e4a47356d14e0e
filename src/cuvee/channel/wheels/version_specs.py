"""Version specifiers: PEP 440's translated to conda's, with the same meaning, and back for uv.

PEP 440: https://packaging.python.org/en/latest/specifications/version-specifiers/
Conda: https://docs.conda.io/projects/conda/en/stable/user-guide/concepts/pkg-specs.html

A wheel's version is used as it is, in PEP 440's normal form. What conda's order or syntax cannot express is
listed in `DIFFERENCES`; `conda_spec` makes sure that the resolved version is admitted.
"""

import re

from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from cuvee.errors import ManifestError

DIFFERENCES = {
    "local": "PEP 440 ignores a candidate's local part unless the specifier has one; conda compares it",
    "dev": "conda puts 1.0.dev0 after 1.0rc1; PEP 440 puts it before 1.0a1",
    "zeros": "conda keeps 1.0a1 and 1.0.0a1 apart (so for b, rc, post and dev); they are equal in PEP 440",
    "deep-post": "conda puts 1.0.0.1 before 1.0.post1",
    "below-post": "<1.0.post1 admits pre-releases of 1.0 in conda, not in PEP 440",
    "arbitrary": "=== compares text in PEP 440; conda compares versions",
}
"""Where a translated spec may judge a version differently, and how."""

_CONDA_CLAUSE = re.compile(r"(~=|==|!=|>=|<=|=|>|<)?\s*([A-Za-z0-9][\w.!+-]*?)(\.?\*)?")


def conda_spec(specifiers: SpecifierSet, resolved: Version | None = None) -> str:
    """Translate PEP 440 specifiers to a conda version spec; ``*`` for none.

    Parameters
    ----------
    specifiers
        As in a wheel's metadata.
    resolved
        The version that was chosen. Where it satisfies ``specifiers`` and conda's reading of them would
        refuse it (see `DIFFERENCES`), it is added by itself: ``==2.4|==2.4+cpu``.
    """
    clauses: list[str] = []
    for specifier in sorted(specifiers, key=lambda one: (_RANK[one.operator], one.version)):
        clauses += [clause for clause in _conda_clauses(specifier) if clause not in clauses]
    spec = ",".join(clauses) or "*"
    if (
        resolved is not None
        and specifiers.contains(resolved, prereleases=True)
        and not admits(spec, resolved)
    ):
        spec += f"|=={resolved}"
    return spec


def admits(spec: str, version: Version) -> bool:
    """Whether a conda version spec admits a version, as rattler evaluates it."""
    import rattler

    return rattler.VersionSpec(spec).matches(rattler.Version(str(version)))


_RANK = {">=": 0, ">": 1, "~=": 2, "==": 3, "===": 4, "<": 5, "<=": 6, "!=": 7}


def _conda_clauses(specifier: Specifier) -> list[str]:
    operator, text = specifier.operator, specifier.version
    if text.endswith(".*"):
        prefix = f"{Version(text[:-2])}.*"
        return [prefix if operator == "==" else f"!={prefix}"]
    version = Version(text)
    match operator:
        case "~=":
            series = ".".join(map(str, version.release[:-1]))
            return [f">={version}", f"{_epoch(version)}{series}.*"]
        case ">=" if _is_first_dev(version):
            return [f">={_start(version)}"]
        case "<":
            return [f"<{_upper(version)}"]
        case ">" if version.post is None and version.dev is None:
            return [f">{version}", f"!={version}.post.*"]
        case _:
            return [f"{'==' if operator == '===' else operator}{version}"]


def _upper(version: Version) -> str:
    """Return conda's bound for ``<version``: PEP 440 admits its pre-releases only if it is one."""
    if version.post is not None and version.dev is None:
        return f"{version}a0"
    if version.is_prerelease and not _is_first_dev(version):
        return str(version)
    return _start(version)


def _start(version: Version) -> str:
    """Return a bound before all pre-releases of a release, whatever its number of trailing zeros."""
    release = list(version.release)
    while len(release) > 1 and release[-1] == 0:
        release.pop()
    return f"{_epoch(version)}{'.'.join(map(str, release))}a0"


def _is_first_dev(version: Version) -> bool:
    return version.dev == 0 and version.pre is None and version.post is None


def _epoch(version: Version) -> str:
    return f"{version.epoch}!" if version.epoch else ""


def pep440_specifiers(spec: str, *, position: str) -> SpecifierSet:
    """Translate a conda version spec from a manifest to PEP 440, for uv.

    Raises
    ------
    ManifestError
        Naming ``position``, if PEP 440 cannot express it: alternatives, patterns, invalid versions.
    """
    try:
        return SpecifierSet(",".join(_pep440_clause(clause.strip()) for clause in spec.split(",")))
    except (InvalidSpecifier, InvalidVersion, ValueError):
        raise ManifestError(
            f"{position}: the version {spec!r} cannot be requested from the Python index",
            hint="For what is imported from wheels, use a list of bounds such as '2.4.*', '>=2.4,<2.5' or"
            " '==2.4.1'; alternatives with | and patterns are only known to conda.",
        ) from None


def _pep440_clause(clause: str) -> str:
    if clause == "*":
        return ""
    match = _CONDA_CLAUSE.fullmatch(clause)
    if match is None:
        raise ValueError(clause)
    operator, version, star = match[1] or "", Version(match[2]), match[3]
    if operator == "=" or (star and operator in {"", "=="}):
        return f"=={version}.*"
    if star and operator == "!=":
        return f"!={version}.*"
    if star and operator not in {">=", "<"}:
        raise ValueError(clause)
    if operator == "~=" and (version.is_prerelease or version.is_postrelease):
        raise ValueError(clause)  # conda counts a1 and post1 as numbers when it drops the last one
    if operator == "<" and version.is_prerelease and not version.is_postrelease and _is_idiom(version):
        # Conda's idiom to exclude pre-releases, which < does by itself in PEP 440. A pre-release in a
        # specifier would allow uv to choose pre-releases.
        return f"<{version.base_version}"
    return f"{operator or '=='}{version}"


def _is_idiom(version: Version) -> bool:
    return version.dev == 0 if version.pre is None else version.pre == ("a", 0) and version.dev is None
