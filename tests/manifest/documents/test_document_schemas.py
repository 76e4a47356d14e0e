"""The published JSON Schemas and the readers agree, but for what a schema cannot know; the pages are current.

After changing a schema, make the tables again::

    CUVEE_REGENERATE=1 pytest tests/manifest/documents/test_document_schemas.py
"""

import os
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

from cuvee.manifest.documents.json_schema import json_schema
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.schema_types import ListType, Property, RecordType
from cuvee.manifest.documents.validation import Validator
from cuvee.manifest.documents.yaml_reader import parse_yaml
from reference_tables import reference_tables
from yaml_documents import DOCUMENTS, HERE

ONLY_THE_READER = {
    "erratum/statements-that-contradict": "compares several keys, and the name of the file",
    "branding/no-such-licence": "needs other files",
    "installer/not-utf8-script": "needs other files",
    "installer/reserved-targets": "the reader says where files may go",
    "installer/two-files-to-one-target": "compares two places",
    "known-failures/duplicate-key": "editors report it as YAML",
    "quarantine/no-such-owner": "needs the manifest",
    "suite/key-of-another-kind": "compares two keys",
    "suite/no-such-owner": "needs the manifest",
    "suite/odd-commands": "compares two keys and looks at files",
    "suite/upstream-without-tests": "compares two keys",
}
CASES = [case for case in sorted(HERE.glob("bad/*/*.yaml")) if case.stem != "alias-bomb"]
ROOT = HERE.parents[2]
REAL = {
    "erratum": "errata/starter-2026-1.yaml",
    "publisher": "errata/publisher.yaml",
    "branding": "installers/starter/branding.yaml",
    "smoke": "integration_tests/smoke.yaml",
    "suite": "integration_tests/upstream/suite.yaml",
    "known-failures": "integration_tests/known-failures.yaml",
}


def complaints(kind: str, data: bytes) -> list[str]:
    """Return what the schema says against a file; what is not YAML is a complaint too."""
    try:
        value = yaml.safe_load(re.sub(rb"\d{4}-\d\d-\d\d", rb'"\g<0>"', data))  # editors see dates as text
    except yaml.YAMLError as error:
        return [str(error)]
    validator = jsonschema.Draft202012Validator(json_schema(DOCUMENTS[kind]))
    return [error.message for error in validator.iter_errors(value)]


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_each_schema_is_a_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema(DOCUMENTS[kind]))
    assert bool(complaints(kind, b"")) == bool(DOCUMENTS[kind].start)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}-{case.stem}")
def test_both_refuse_what_is_bad(case: Path) -> None:
    name = f"{case.parent.name}/{case.stem}"
    assert bool(complaints(case.parent.name, case.read_bytes())) != (name in ONLY_THE_READER)


@pytest.mark.parametrize("case", sorted(HERE.glob("good/*.yaml")), ids=lambda case: case.stem)
def test_both_accept_what_is_good(case: Path) -> None:
    assert complaints(case.stem, case.read_bytes()) == []


@pytest.mark.parametrize("kind", REAL)
def test_both_accept_our_own(kind: str) -> None:
    assert complaints(kind, (ROOT / REAL[kind]).read_bytes()) == []


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_tables_are_current(kind: str) -> None:
    document = DOCUMENTS[kind]
    page = ROOT / document.page
    begin, end = f"<!-- made from the schema of {kind} -->\n\n", "<!-- end -->"
    before, mark, rest = page.read_text(encoding="utf-8").partition(begin)
    assert mark
    made = reference_tables(document, f"Keys of `{kind}.yaml`")
    shown, mark, after = rest.partition(end)
    assert mark
    if os.environ.get("CUVEE_REGENERATE"):
        page.write_text(before + begin + made + end + after, encoding="utf-8")
        return
    assert shown == made


def properties(kind: str) -> tuple[Property, ...]:
    content = DOCUMENTS[kind].content
    record = content.item if isinstance(content, ListType) else content
    assert isinstance(record, RecordType)
    return record.keys


@pytest.mark.parametrize(
    "key", [pytest.param(key, id=f"{kind}-{key.name}") for kind in DOCUMENTS for key in properties(kind)]
)
def test_each_example_is_good(key: Property) -> None:
    problems = Problems(HERE)
    node = parse_yaml(HERE, f"- {key.example}\n".encode(), problems)
    assert node is not None
    Validator(problems).validate(node, ListType(noun="", example="", item=key.type))
    assert not problems.found
    assert key.summary.endswith(".")
