"""What comes from outside cannot control the terminal, whichever command shows it."""

import json
import re
from pathlib import Path

import pytest

import cuvee
import tiny_index
from cuvee.cli.main import cli, run
from cuvee.cli.output import json_safe, say, visible
from cuvee.cli.terminal import PlainReporter
from cuvee.errors import BlockedError

HOSTILE = "a\x1b[2J\x1b]0;b\x07\r\x9bc\u202ed\u2066\u2028\udcff\x00e"
WRITES = r"click\.s?echo|click\.style|(?<![\w.])print\(|sys\.std\w+\.write"
SHOWN = r"a\x1b[2J\x1b]0;b\x07\r\x9bc\u202ed\u2066\u2028\udcff\x00e"


def test_every_control_character_is_escaped_and_text_is_not() -> None:
    assert visible(HOSTILE) == SHOWN
    assert visible("Größe\t中文 🐍 a\u00a0b\r\n") == "Größe\t中文 🐍 a\u00a0b\n"
    text = json.dumps({"a": HOSTILE}, ensure_ascii=False)
    assert json.loads(json_safe(text)) == {"a": HOSTILE}
    assert visible(json_safe(text)) == json_safe(text)


def test_all_that_writes_escapes(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(**kwargs: object) -> None:
        raise BlockedError(HOSTILE, hint=HOSTILE)

    monkeypatch.setattr(cli, "main", fail)
    run([])
    reporter = PlainReporter(verbose=True)
    reporter.start(HOSTILE)
    reporter.advance(HOSTILE, note=HOSTILE)
    reporter.finish(HOSTILE, note=HOSTILE)
    reporter.say(HOSTILE)
    reporter.warn(HOSTILE)
    say(HOSTILE, badge=HOSTILE, colour="red")
    out, err = capsys.readouterr()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", out + err)
    assert err.count(SHOWN) == 8
    assert out.count(SHOWN) == 2


def test_no_command_writes_past_the_one_place() -> None:
    for path in (Path(cuvee.__file__).parent / "cli").glob("*.py"):
        if path.name != "output.py":
            assert not re.search(WRITES, path.read_text())


def test_a_manifest_that_hides_text_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, ["a 1"]))
    path = tiny_index.write_manifest(tmp_path, tmp_path / "channel", 'a: "*"')
    path.write_text(path.read_text().replace("title: Tiny", 'title: "Ti\\u202eny"'))
    assert run(["show", str(path)]) == 0
    assert "Ti\\u202eny" in capsys.readouterr().out


@pytest.mark.parametrize("build", ['a"b', "a\x1b[31m", "a b", "a]b"])
def test_a_build_string_that_is_not_allowed_is_the_channels_fault(
    build: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_index.write_index(tmp_path / "channel", map(tiny_index.entry, ["a 1"]))
    index = tmp_path / "channel" / "noarch" / "repodata.json"
    index.write_text(index.read_text().replace('"build": "0"', f'"build": {json.dumps(build)}'))
    path = tiny_index.write_manifest(tmp_path, tmp_path / "channel", 'a: "*"')
    options = ["--dist", str(tmp_path / "dist"), "--cache", str(tmp_path / "cache"), "-q"]
    assert run(["lock", str(path), *options]) == 4
    err = capsys.readouterr().err
    assert "The record a-1-0.conda of file:" in err
    assert "\x1b" not in err
