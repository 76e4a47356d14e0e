"""SPDX: valid by SPDX's own tools, which read what the CycloneDX bill has, and the same each time."""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spdx_tools.spdx.model.document import Document
from spdx_tools.spdx.model.relationship import RelationshipType
from spdx_tools.spdx.parser.jsonlikedict.json_like_dict_parser import JsonLikeDictParser
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from billed_packages import CHANNEL, RELEASE, locked, package
from cuvee.lock.model import PlatformLock
from cuvee.trust.sbom import make_sbom
from cuvee.trust.spdx_document import make_spdx
from measuring_work import count_calls

LOCK = locked(
    package("numpy", depends=("python >=3.11", "__glibc >=2.28", "typing_extensions")),
    package(
        "python",
        url="channel/noarch/python-1.0-py_0.conda",
        channel="channel",
        license="PSF-2.0",
        md5=None,
        timestamp=1_700_000_000_000,
    ),
    package("typing_extensions", license="bsd 3-clause", depends=("python",)),
    package("typing-extensions", license="GPL-2 | GPL-3 + file LICENSE"),
    package("own", license="MIT AND LicenseRef-Own"),
    package("odd", license="The odd licence"),
    package("nothing", license=None),
)


def read(lock: PlatformLock = LOCK, requested: frozenset[str] = frozenset({"numpy", "absent"})) -> Document:
    value = json.loads(make_spdx(lock, release=RELEASE, requested=requested))
    document: Document = JsonLikeDictParser().parse(value)  # type: ignore[no-untyped-call]
    problems = validate_full_spdx_document(document)
    assert not problems, [problem.validation_message for problem in problems]
    return document


def test_valid_and_complete() -> None:
    document = read()
    found = {item.name: item for item in document.packages}
    assert {*found} == {"tiny", *(item.name for item in LOCK.packages)}
    numpy = found["numpy"]
    assert {item.algorithm.name: item.value for item in numpy.checksums} == {
        "SHA256": "ab" * 32,
        "MD5": "cd" * 16,
    }
    assert numpy.download_location == f"{CHANNEL}/noarch/numpy-1.0-py_0.conda"
    assert str(found["python"].download_location) == "NOASSERTION"
    assert document.creation_info.created.isoformat() == "2023-11-14T22:13:20"


def test_it_says_what_the_other_bill_says() -> None:
    other = json.loads(make_sbom(LOCK, release=RELEASE, requested={"numpy"}))
    names = {item["bom-ref"]: item["name"] for item in other["components"]}
    names[other["metadata"]["component"]["bom-ref"]] = "tiny"
    edges = {
        (names[item["ref"]], names[needed])
        for item in other["dependencies"]
        for needed in item.get("dependsOn", [])
    }
    document = read()
    of = {item.spdx_id: item.name for item in document.packages}
    assert edges == {
        (of[item.spdx_element_id], of[str(item.related_spdx_element_id)])
        for item in document.relationships
        if item.relationship_type is RelationshipType.DEPENDS_ON
    }
    purls = {item.name: item.external_references[0].locator for item in document.packages[1:]}
    assert purls == {item["name"]: item["purl"] for item in other["components"]}
    (describes,) = (
        item for item in document.relationships if item.relationship_type is RelationshipType.DESCRIBES
    )
    assert of[str(describes.related_spdx_element_id)] == "tiny"


def test_licences_are_expressions_or_are_told_as_they_are() -> None:
    document = read()
    found = {item.name: str(item.license_declared) for item in document.packages}
    texts = {item.license_id: item.license_name for item in document.extracted_licensing_info}
    assert found["typing_extensions"] == "BSD-3-Clause"
    assert found["typing-extensions"] == "GPL-2.0-only OR GPL-3.0-only"
    assert found["own"] == "MIT AND LicenseRef-Own"
    assert found["nothing"] == "NOASSERTION"
    assert texts[found["odd"]] == "The odd licence"
    assert "LicenseRef-Own" in texts


def test_same_content_same_bytes_and_any_other_has_another_namespace() -> None:
    one = make_spdx(LOCK, release=RELEASE, requested=["numpy"])
    assert one == make_spdx(locked(*reversed(LOCK.packages)), release=RELEASE, requested={"numpy"})
    names = {
        read(lock, requested).creation_info.document_namespace
        for lock in (LOCK, locked(*LOCK.packages[1:]))
        for requested in (frozenset({"odd"}), frozenset({"own"}))
    }
    assert len(names) == 4


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=20)
@given(st.text(max_size=30), st.text("abc_.-1", min_size=1, max_size=9))
def test_hostile_records_are_valid(license_text: str, name: str) -> None:
    text = license_text.encode(errors="replace").decode()
    document = read(locked(package(name, license=text), package("six")))
    assert {item.name for item in document.packages} == {"tiny", name, "six"}


def test_making_it_is_work_in_proportion_to_the_edges() -> None:
    def chain(length: int) -> PlatformLock:
        names = [f"p{number}" for number in range(length)]
        needs = {name: tuple(names[max(0, at - 5) : at]) for at, name in enumerate(names)}
        return locked(*(package(name, depends=needs[name]) for name in names))

    def work(lock: PlatformLock) -> int:
        return count_calls(lambda: make_spdx(lock, release=RELEASE, requested=set()))

    work(chain(400))
    assert work(chain(400)) < 5 * work(chain(100))


def test_a_file_of_it_is_read(tmp_path: Path) -> None:
    from spdx_tools.spdx.parser.parse_anything import parse_file

    path = tmp_path / "linux-64.spdx.json"
    path.write_bytes(make_spdx(LOCK, release=RELEASE, requested={"numpy"}))
    assert parse_file(str(path)) == read(requested=frozenset({"numpy"}))
