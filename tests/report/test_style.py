"""Colours that can be read: WCAG 2.2's contrast of 4.5 to 1, computed from the style sheet itself."""

import re
from importlib.resources import files

import pytest

STYLE = (files("cuvee.report") / "templates" / "style.css").read_text(encoding="utf-8")
TONES = ("good", "bad", "warn", "wait", "info", "idle")
GROUNDS = ("paper", "card", "soft")


def schemes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", STYLE, flags=re.DOTALL)[:2]
    return {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", text))
        for name, text in (("light", light), ("dark", dark))
    }


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, two: str) -> float:
    dark, light = sorted((luminance(one), luminance(two)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_every_ground(scheme: str) -> None:
    colours = schemes()[scheme]
    pairs = [(ink, ground) for ink in ("ink", "quiet", "link", "wine", *TONES) for ground in GROUNDS]
    pairs += [(tone, f"{tone}-bg") for tone in TONES] + [("ink", "info-bg"), ("quiet", "info-bg")]
    poor = {pair: contrast(*(colours[name] for name in pair)) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


def test_both_schemes_have_the_same_colours() -> None:
    light, dark = schemes().values()
    assert set(light) == set(dark)
