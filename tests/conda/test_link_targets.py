"""Where links lead: as the system finds it."""

import os
import random
from pathlib import Path

import pytest

from cuvee.conda.link_targets import OUTSIDE, by_key, link_end
from cuvee.errors import IntegrityError
from cuvee.image.link_plan import refuse_escapes
from cuvee.runtime.failure import DAMAGED, InstallError
from cuvee.runtime.payload_places import check_places
from runtime.test_payload_manifest import manifest, package, read

FOLDERS = ("a", "a/b", "a/b/c", "d")
CHAIN = {"a/b/c/up": "../../..", "esc": "a/b/c/up/../x"}


def on_a_desktop(links: dict[str, str], platform: str = "linux-64") -> None:
    pairs = [[path, target] for path, target in links.items()]
    check_places(
        read(manifest(platform=platform, folders=["bin", *FOLDERS], packages=[package(links=pairs)]))
    )


@pytest.mark.parametrize("seed", range(150))
def test_it_is_what_the_system_says(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    prefix = tmp_path.resolve() / "1" / "2" / "3" / "prefix"
    for folder in FOLDERS:
        (prefix / folder).mkdir(parents=True, exist_ok=True)
    links: dict[str, str] = {}
    for name in "lmnop":
        path = "/".join(filter(None, (chance.choice(("", *FOLDERS)), name)))
        words = ("..", "..", *"abcdlmnop", ".", "a/b", "a/b/c")
        links[path] = "/".join(chance.choices(words, k=chance.randint(1, 5)))
        (prefix / path).symlink_to(links[path])
    for path in links:
        end = link_end(path, by_key(links.items(), "linux"), "linux")
        try:
            real = os.path.relpath(os.path.realpath(prefix / path, strict=True), prefix)
        except FileNotFoundError:
            continue  # a part is missing, so that the system follows it no further
        except OSError:
            assert end is None
            continue
        if end == OUTSIDE:  # it may come back later
            continue
        assert (end or ".") == real


def test_chains_that_text_alone_does_not_show() -> None:
    links = by_key(CHAIN.items(), "linux")
    assert link_end("a/b/c/up", links, "linux") == ""
    assert link_end("esc", links, "linux") == OUTSIDE
    assert link_end("loop", {"loop": "loop"}, "linux") is None
    with pytest.raises(IntegrityError, match="two links esc out of the prefix"):
        refuse_escapes({"one": {"a/b/c/up": CHAIN["a/b/c/up"]}, "two": {"esc": CHAIN["esc"]}}, "linux")
    with pytest.raises(InstallError, match="'esc' out of the prefix") as caught:
        on_a_desktop(CHAIN)
    assert caught.value.code == DAMAGED


@pytest.mark.parametrize(
    ("platform", "links", "escapes"),
    [
        ("osx-arm64", {"a/Up": "..", "esc": "A/up/../x"}, True),
        ("linux-64", {"a/Up": "..", "esc": "A/up/../x"}, False),
        ("win-64", {"a/Up": "..", "esc": "A\\up\\..\\x"}, True),
        ("win-64", {"esc": "a\\..\\..\\x"}, True),
        ("win-64", {"esc": "C:x"}, True),
        ("linux-64", {"esc": "C:x"}, False),
        ("linux-64", {"a/up": "..", "fine": "a/up/a/b"}, False),
    ],
)
def test_names_as_each_system_reads_them(platform: str, links: dict[str, str], *, escapes: bool) -> None:
    system = platform.partition("-")[0]
    if not escapes:
        refuse_escapes({"any": links}, system)  # type: ignore[arg-type]
        on_a_desktop(links, platform)
        return
    with pytest.raises(IntegrityError, match="esc out of the prefix"):
        refuse_escapes({"any": links}, system)  # type: ignore[arg-type]
    with pytest.raises(InstallError, match="'esc' out of the prefix"):
        on_a_desktop(links, platform)


def test_a_folder_that_is_a_link() -> None:
    with pytest.raises(InstallError, match="a folder where it has a link: 'a/b'"):
        on_a_desktop({"a/b": "../d"})
