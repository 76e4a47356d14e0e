"""Where a project is on the web: labels of METADATA, keys of recipes, and what is no address of the web."""

import json
from email.message import Message

import pytest

from cuvee.conda.project_links import LONGEST, LinkKind, links_of_about, links_of_metadata, merged


def metadata(*urls: str, home: str = "") -> Message:
    message = Message()
    if home:
        message["Home-page"] = home
    for url in urls:
        message["Project-URL"] = url
    return message


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Changelog", LinkKind.RELEASE_NOTES),
        ("Release Notes", LinkKind.RELEASE_NOTES),
        ("What's New", LinkKind.RELEASE_NOTES),
        ("docs", LinkKind.DOCUMENTATION),
        ("Source Code", LinkKind.SOURCE),
        ("Bug Tracker", LinkKind.ISSUES),
        ("Homepage", LinkKind.HOME),
    ],
)
def test_labels_are_read_as_the_specification_says(label: str, kind: LinkKind) -> None:
    (link,) = links_of_metadata(metadata(f"{label}, https://example.org/a,b"))
    assert (link.kind, link.url) == (kind, "https://example.org/a,b")


def test_of_each_kind_the_first_address_counts_in_the_order_of_use() -> None:
    links = links_of_metadata(
        metadata(
            "Homepage, https://example.org/home",
            "Donate, https://example.org/money",
            "Changelog, https://example.org/changes",
            "History, https://example.org/history",
            home="https://example.org",
        )
    )
    assert [(link.kind.value, link.url) for link in links] == [
        ("release notes", "https://example.org/changes"),
        ("home", "https://example.org"),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "java\nscript:alert(1)", "ftp://example.org/x", "https://", "//example.org",
        "", "https://[broken", 'https://example.org/"onclick=', "https://example.org/a b",
        "https://user:secret@example.org/", "https://example.org/\u202egpj", "UNKNOWN",
        f"https://example.org/{'x' * LONGEST}",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_web_is_left_out(url: str) -> None:
    assert links_of_metadata(metadata(f"Changelog, {url}", home=url)) == ()
    assert links_of_about(json.dumps({"home": url, "dev_url": [url]}).encode()) == ()


def test_a_recipe_states_one_address_or_several() -> None:
    about = {"home": ["https://a.example", "https://b.example"], "doc_url": "https://d.example", "dev_url": 7}
    assert [(link.kind.value, link.url) for link in links_of_about(json.dumps(about).encode())] == [
        ("documentation", "https://d.example"),
        ("home", "https://a.example"),
    ]


@pytest.mark.parametrize("data", [None, b"", b"[]", b"{", b'{"home": {"x": 1}}', b"\xff"])
def test_a_broken_recipe_states_none(data: bytes | None) -> None:
    assert links_of_about(data) == ()


def test_what_a_project_says_of_itself_comes_before_its_recipe() -> None:
    own = links_of_metadata(metadata("Docs, https://own.example"))
    recipe = links_of_about(b'{"doc_url": "https://recipe.example", "home": "https://home.example"}')
    assert [link.url for link in merged(own, recipe)] == ["https://own.example", "https://home.example"]
