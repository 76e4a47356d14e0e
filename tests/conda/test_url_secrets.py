"""What is a clean URL, and that neither a clean nor a masked one has a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.conda.url_secrets import clean_url, secret_in, without_secrets, without_secrets_in


@pytest.mark.parametrize(
    ("url", "what", "clean", "shown"),
    [
        ("https://h/c", "", "https://h/c", "https://h/c"),
        ("https://h:8443/c/t", "", "https://h:8443/c/t", "https://h:8443/c/t"),
        ("https://u:p@h/c", "a user or a password", "https://h/c", "https://***@h/c"),
        ("https://TOKEN@h/c", "a user or a password", "https://h/c", "https://***@h/c"),
        ("https://a@b@h/c", "a user or a password", "https://h/c", "https://***@h/c"),
        ("https://@h/c", "a user or a password", "https://h/c", "https://@h/c"),
        ("https://h/t/TOKEN/c", "a token", "https://h/c", "https://h/t/***/c"),
        ("https://h/x/t/TOKEN/c", "a token", "https://h/x/c", "https://h/x/t/***/c"),
        ("https://h/%74/TOKEN/c", "a token", "https://h/c", "https://h/%74/***/c"),
        ("https://h/t/ONE/t/TWO/c", "a token", "https://h/c", "https://h/t/***/t/***/c"),
        ("https://h/t/t/c", "a token", "https://h/c", "https://h/t/***/c"),
        ("https://h/c?token=X", "a query", "https://h/c", "https://h/c?***"),
        ("https://h/c#X", "a fragment", "https://h/c", "https://h/c#X"),
        ("http://[", "a user or a password", "https://invalid", "https://***@invalid"),
        ("file:///srv/t/channel", "", "file:///srv/t/channel", "file:///srv/t/channel"),
        ("conda-forge", "", "conda-forge", "conda-forge"),
        ("/srv/t/channel", "", "/srv/t/channel", "/srv/t/channel"),
    ],
)
def test_parts(url: str, what: str, clean: str, shown: str) -> None:
    assert (secret_in(url), clean_url(url), without_secrets(url)) == (what, clean, shown)


@given(
    st.text(alphabet=st.characters(min_codepoint=48, max_codepoint=122, categories=["L", "N"]), min_size=1)
)
def test_a_secret_is_nowhere(text: str) -> None:
    secret = f"S{text}S"
    for url in (
        f"https://{secret}@host/c",
        f"https://{secret}:x@host/c",
        f"https://x:{secret}@host/c",
        f"https://host/t/{secret}/c",
        f"https://host/c/noarch/a.conda?token={secret}",
        f"https://x:{secret}@host/t/{secret}/c?{secret}",
    ):
        assert secret_in(url)
        assert secret_in(clean_url(url)) == ""
        masked = without_secrets_in(f"error (at '{url}'), {url}: <{url}>\n{url}")
        for shown in (clean_url(url), without_secrets(url), masked):
            assert secret not in shown
        assert masked.count("host") == 4
