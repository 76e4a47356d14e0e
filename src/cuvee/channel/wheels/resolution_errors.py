"""What went wrong in resolving, in the manifest's terms: uv's words, the lines that asked, what there is."""

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


def explain(
    done: Completed,
    requests: Sequence[WheelRequest],
    *,
    platform: str,
    nearest: Callable[[WheelRequest], tuple[str, ...]],
) -> CuveeError:
    """Give the error for a failed run of uv.

    Parameters
    ----------
    done
        The run.
    requests
        What was asked for.
    platform
        What it was asked for.
    nearest
        Gives the versions that are there for a request that no version satisfies.

    Returns
    -------
    CuveeError
        `SourceUnreachableError` if the index could not be reached, else `BlockedError`.
    """
    words = without_passwords(done.stderr).strip() or "(it said nothing)"
    if done.timed_out:
        return SourceUnreachableError(
            f"Resolving wheels for {platform} took more than {done.seconds:.0f} s",
            hint="Check the connection to the index and run the same command again.",
        )
    if _NETWORK.search(words):
        return _unreachable(words, platform)
    if _UNSOLVED not in words:
        return BlockedError(f"uv could not resolve the wheels for {platform}:\n{_indented(words)}")
    return _unsolved(words, requests, platform, nearest)


def _unreachable(words: str, platform: str) -> SourceUnreachableError:
    urls = _URL.findall(words)
    if "network was disabled" in words:
        what, hint = (
            "The Python index may not be asked: UV_OFFLINE is set",
            "Unset it, or connect once before.",
        )
    else:
        host = (urlsplit(urls[0]).netloc or urls[0]) if urls else "the Python index"
        what, hint = f"{host} could not be reached", "Check the network, the proxy variables and the index"
        hint += " (UV_DEFAULT_INDEX), then run the same command again."
    if re.search(r"\b40[13]\b|unauthorized|forbidden", words, flags=re.IGNORECASE):
        hint = "The index asks for a user name and password: put them into ~/.netrc."
    if "certificate" in words:
        hint = "Its certificate is not trusted: add your company's authority to the system's trust store."
    message = f"{what}, to resolve the wheels for {platform}:\n{_indented(words)}"
    return SourceUnreachableError(message, hint=hint)


def _unsolved(
    words: str,
    requests: Sequence[WheelRequest],
    platform: str,
    nearest: Callable[[WheelRequest], tuple[str, ...]],
) -> BlockedError:
    blamed = [request for request in requests if _mentions(words, request.name)]
    asked = [f"{one.position}: asks for {one}" for one in blamed if not one.constraint or one.version != "*"]
    missing = [one for one in blamed if _has_no_version(words, one.name)]
    lines = [*asked, f"the wheels for {platform} can not be resolved:", _indented(words)]
    for request in missing[:_MOST_ALTERNATIVES]:
        if "was not found" in words and not _has_bound(request):
            continue
        if versions := nearest(request):
            lines.append(f"available of {request.name}, nearest and newest: {', '.join(versions)}")
    if missing and "not found in the package registry" in words:
        hint = "Check the spelling of the name, and that the index carries it."
    elif "matching platform tag" in words:
        hint = f"If it is not for {platform}, name its platforms in the manifest: platforms: […]."
    else:
        hint = "Change a version at one of these lines."
    return BlockedError("\n".join(lines), hint=hint)


def _mentions(words: str, name: str) -> bool:
    pattern = re.escape(name).replace("\\-", "[-_.]")
    return re.search(rf"(?<![\w.-]){pattern}(?![\w-])", words, flags=re.IGNORECASE) is not None


def _has_no_version(words: str, name: str) -> bool:
    pattern = re.escape(name)
    told = (
        rf"no versions? of {pattern}\b|{pattern}\S* was not found|{pattern}\S* has no|only .{{0,40}}{pattern}"
    )
    return re.search(told, words, flags=re.IGNORECASE) is not None


def _has_bound(request: WheelRequest) -> bool:
    return request.version != "*"


def _indented(words: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in words.splitlines())
