import json

import jsonschema
import pytest

from cuvee.cli.main import run


def test_it_prints_the_json_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    captured = capsys.readouterr()
    schema = json.loads(captured.out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "packages" in schema["properties"]
    assert captured.err == ""


def test_its_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "--help"]) == 0
    assert "cuvee schema >" in capsys.readouterr().out
