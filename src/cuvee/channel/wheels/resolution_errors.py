"""Errors of resolving wheels: uv's message, the lines of the manifest, and the versions that exist."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from cuvee.channel.wheels.model import WheelRequest
from cuvee.conda.url_secrets import without_secrets_in
from cuvee.errors import BlockedError, CuveeError, SourceUnreachableError
from cuvee.manifest.documents import suggestions
from cuvee.platforms import get
from cuvee.process import Completed

_URL = re.compile(r"\b(?:https?|file)://[^\s)`'\"<>]+")
_NETWORK = re.compile(
    r"failed to fetch|error sending request|dns error|tcp connect|timed out|network (?:was|is) disabled"
    r"|HTTP status (?:client|server) error|invalid peer certificate|could not connect",
    flags=re.IGNORECASE,
)
_FILTERED = re.compile(
    r"`([^`]+)` was filtered by `exclude-newer` to only include packages uploaded before (\S+?)\. "
    r".*?\bv(\S+?), (?:was )?published at (\S+?)\.(?: |$)"
)
_AVAILABLE = re.compile(r"Wheels are available for `([^`]+)` \(.*?\) on the following platforms: (.*)")
_UNSOLVED = "No solution found"
_MOST_ALTERNATIVES = 3


def resolution_error(
    done: Completed,
    requests: Sequence[WheelRequest],
    *,
    platform: str,
    nearest: Callable[[WheelRequest], tuple[str, ...]],
) -> CuveeError:
    """Return the error for a failed run of uv for ``requests`` on a platform.

    Parameters
    ----------
    nearest
        Returns the versions that exist next to a request that no version satisfies.

    Returns
    -------
    CuveeError
        `SourceUnreachableError` if the index could not be reached, else `BlockedError`.
    """
    text = without_secrets_in(done.stderr).strip() or "(it said nothing)"
    if done.timed_out:
        return SourceUnreachableError(
            f"Resolving wheels for {platform} took more than {done.seconds:.0f} s",
            hint="Check the connection to the index and run the same command again.",
        )
    if _NETWORK.search(text):
        return _unreachable(text, platform)
    if not is_unsolved(done):
        return BlockedError(f"uv could not resolve the wheels for {platform}:\n{_indented(text)}")
    return _unsolved(text, requests, platform, nearest)


def is_unsolved(done: Completed) -> bool:
    """Whether uv reached the index, and found no solution."""
    return (
        not done.ok and not done.timed_out and not _NETWORK.search(done.stderr) and _UNSOLVED in done.stderr
    )


def _unreachable(text: str, platform: str) -> SourceUnreachableError:
    urls = _URL.findall(text)
    if "network was disabled" in text:
        what, hint = (
            "The Python index cannot be used: UV_OFFLINE is set",
            "Unset it, or run once without it.",
        )
    else:
        host = (urlsplit(urls[0]).netloc or urls[0]) if urls else "the Python index"
        what, hint = f"{host} could not be reached", "Check the network, the proxy variables and the index"
        hint += " (UV_DEFAULT_INDEX), then run the same command again."
    if re.search(r"\b40[13]\b|unauthorized|forbidden", text, flags=re.IGNORECASE):
        hint = "The index asks for a user name and password: put them into ~/.netrc."
    if "certificate" in text:
        hint = "Its certificate is not trusted: add your company's authority to the system's trust store."
    message = f"{what}, to resolve the wheels for {platform}:\n{_indented(text)}"
    return SourceUnreachableError(message, hint=hint)


def _unsolved(
    text: str,
    requests: Sequence[WheelRequest],
    platform: str,
    nearest: Callable[[WheelRequest], tuple[str, ...]],
) -> BlockedError:
    text, *facts = text.split("\n\nhint: ")  # uv's hints name its own options, so they are translated
    blamed = [request for request in requests if _mentions(text, request.name)]
    missing = [one for one in blamed if _has_no_version(text, one.name)]
    lines = [f"{one.position}: requests {one}" for one in blamed if not one.constraint or one.version != "*"]
    lines += [f"the wheels for {platform} cannot be resolved:", _indented(text)]
    for request in missing[:_MOST_ALTERNATIVES]:
        if "was not found" in text and request.version == "*":
            continue
        if versions := nearest(request):
            lines.append(f"available of {request.name}, nearest and newest: {', '.join(versions)}")
    too_new = [line for fact in facts if (line := _too_new(fact))]
    if too_new:
        hint = "Move exclude-newer in the manifest to a later time, or request an older version."
    elif missing and "not found in the package registry" in text:
        hint = _spelling(missing[0], requests)
    elif "matching platform tag" in text:
        hint = _limited(facts, blamed) or (
            f"If it is not for {platform}, name its platforms in the manifest: platforms: […]."
        )
    else:
        hint = "Change a version at one of these lines."
    return BlockedError("\n".join([*lines, *too_new]), hint=hint)


def _too_new(fact: str) -> str:
    """Return that a version is newer than `exclude-newer`, from uv's hint; empty if that is about else."""
    found = _FILTERED.search(" ".join(fact.split()))
    if found is None:
        return ""
    name, limit, version, published = found.groups()
    return f"{name} {version} was published at {published}, after the manifest's exclude-newer, {limit}"


def _spelling(missing: WheelRequest, requests: Sequence[WheelRequest]) -> str:
    others = {one.name for one in requests} - {missing.name}
    likely = suggestions.nearest(missing.name, others)
    if likely is not None:
        return f"Did you mean {likely}?"
    return "Check the spelling of the name, and that the index carries it."


def _limited(facts: Sequence[str], blamed: Sequence[WheelRequest]) -> str:
    """Return the platforms of the manifest for which uv has found wheels of a project, as an edit."""
    for fact in facts:
        found = _AVAILABLE.search(" ".join(fact.split()))
        request = next((one for one in blamed if found is not None and one.name == found[1]), None)
        if found is None or request is None:
            continue
        tags = re.findall(r"`([^`]+)`", found[2])
        having = [name for name in request.platforms if any(_is_for(name, tag) for tag in tags)]
        if having and len(having) < len(request.platforms):
            return f"Limit {request.name} to the platforms that have it: platforms: [{', '.join(having)}]."
    return ""


def _is_for(platform: str, tag: str) -> bool:
    """Whether a platform tag of a wheel is one of a platform's."""
    facts = get(platform)
    system = {"linux": "manylinux", "osx": "macosx", "win": "win"}[facts.system]
    return tag.startswith(system) and tag.endswith((facts.wheel_arch, "universal2"))


def _mentions(text: str, name: str) -> bool:
    pattern = re.escape(name).replace("\\-", "[-_.]")
    return re.search(rf"(?<![\w.-]){pattern}(?![\w-])", text, flags=re.IGNORECASE) is not None


def _has_no_version(text: str, name: str) -> bool:
    name = re.escape(name)
    told = rf"no versions? of {name}\b|{name}\S* was not found|{name}\S* has no|only .{{0,40}}{name}"
    return re.search(told, text, flags=re.IGNORECASE) is not None


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
