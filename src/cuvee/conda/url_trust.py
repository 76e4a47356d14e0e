"""Whether what an answer points to is as protected as the answer was."""

from urllib.parse import urlsplit

from cuvee.conda.url_secrets import secret_in, without_secrets
from cuvee.errors import IntegrityError


def may_lead_to(before: str, after: str) -> bool:
    """Whether an answer of the URL ``before`` may lead to ``after``, by a redirect or as an archive's URL.

    It may lead to HTTPS, or stay on an unprotected host; never to a file or to another unprotected host.
    """
    try:
        source, target = urlsplit(before), urlsplit(after)
    except ValueError:
        return False
    if target.scheme == "https":
        return bool(target.hostname)
    return target.scheme == "http" and (source.scheme, source.netloc) == (target.scheme, target.netloc)


def check_archive_url(url: str, channel: str) -> None:
    """Raise an error if a channel's record has its archive where the channel may not lead, or with a secret.

    Its repodata states a ``base_url`` as it likes: https://github.com/conda/ceps/blob/main/cep-0015.md
    A channel in a folder may state any.

    Raises
    ------
    IntegrityError
        If the channel is on another machine, and the archive would be a local file, or come unprotected; or
        if the URL carries a secret, which would be in the lock and on every desktop.
    """
    if secret := secret_in(url):
        raise IntegrityError(
            f"{without_secrets(channel)} states that an archive is at {without_secrets(url)}, "
            f"which carries {secret}",
            hint="Tell the channel's owner: its base_url must not carry anything to authenticate.",
        )
    if urlsplit(channel).scheme in {"http", "https"} and not may_lead_to(channel, url):
        raise IntegrityError(
            f"{without_secrets(channel)} states that {url.rpartition('/')[2]} is at {without_secrets(url)}, "
            "which is not protected",
            hint="Tell the channel's owner: its base_url must begin with https://.",
        )
