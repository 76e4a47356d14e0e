"""Errors of resolving wheels: uv's message, the lines of the manifest, and the versions that exist."""

import re
from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from cuvee.channel.wheels.model import WheelRequest
from cuvee.channel.wheels.uv import without_passwords
from cuvee.errors import BlockedError, CuveeError, SourceUnreachableError
from cuvee.process import Completed

_URL = re.compile(r"\b(?:https?|file)://[^\s)`'\"<>]+")
_NETWORK = re.compile(
    r"failed to fetch|error sending request|dns error|tcp connect|timed out|network (?:was|is) disabled"
    r"|HTTP status (?:client|server) error|invalid peer certificate|could not connect",
    flags=re.IGNORECASE,
)
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
    text = without_passwords(done.stderr).strip() or "(it said nothing)"
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
    blamed = [request for request in requests if _mentions(text, request.name)]
    missing = [one for one in blamed if _has_no_version(text, one.name)]
    lines = [f"{one.position}: requests {one}" for one in blamed if not one.constraint or one.version != "*"]
    lines += [f"the wheels for {platform} cannot be resolved:", _indented(text)]
    for request in missing[:_MOST_ALTERNATIVES]:
        if "was not found" in text and request.version == "*":
            continue
        if versions := nearest(request):
            lines.append(f"available of {request.name}, nearest and newest: {', '.join(versions)}")
    if missing and "not found in the package registry" in text:
        hint = "Check the spelling of the name, and that the index carries it."
    elif "matching platform tag" in text:
        hint = f"If it is not for {platform}, name its platforms in the manifest: platforms: […]."
    else:
        hint = "Change a version at one of these lines."
    return BlockedError("\n".join(lines), hint=hint)


def _mentions(text: str, name: str) -> bool:
    pattern = re.escape(name).replace("\\-", "[-_.]")
    return re.search(rf"(?<![\w.-]){pattern}(?![\w-])", text, flags=re.IGNORECASE) is not None


def _has_no_version(text: str, name: str) -> bool:
    name = re.escape(name)
    told = rf"no versions? of {name}\b|{name}\S* was not found|{name}\S* has no|only .{{0,40}}{name}"
    return re.search(told, text, flags=re.IGNORECASE) is not None


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
