"""The bill of materials: valid by the format's own schema, complete, and the same each time."""

import datetime as dt
import json
from typing import Any

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from billed_packages import RELEASE, locked, package
from cuvee.image.model import ReleaseLabel
from cuvee.lock.model import PlatformLock
from cuvee.trust.sbom import make_sbom
from measuring_work import count_calls

TIME = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)


LOCK = locked(
    package("numpy", subdir="linux-64", depends=("python >=3.11,<3.12", "__glibc >=2.28", "libcxx")),
    package(
        "python",
        url="channel/linux-64/python-3.11.9-host_0.conda",
        channel="channel",
        version="3.11.9",
        build="host_0",
        license="PSF-2.0 OR GPL-2.0-or-later",
        md5=None,
        timestamp=1_700_000_000_000,
    ),
    package("six", depends=("python",), license="The six licence", timestamp=1_600_000_000_000),
    package("nothing", license=None, url="https://conda.example/forge/noarch/nothing-1.0-py_0.tar.bz2"),
)


def made(lock: PlatformLock = LOCK, **changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {"release": RELEASE, "requested": {"six", "absent"}}
    value: dict[str, Any] = json.loads(make_sbom(lock, **usual | changes))
    return value


def test_valid_by_the_schema() -> None:
    data = make_sbom(LOCK, release=RELEASE, requested={"six"}).decode()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(data) is None
    broken = data.replace('"library"', '"book"')
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(broken) is not None


def test_the_library_of_the_format_reads_the_same() -> None:
    bom = Bom.from_json(made())  # type: ignore[attr-defined]  # made by a decorator
    found = {item.name: item for item in bom.components}
    edges = {str(item.ref): {str(other.ref) for other in item.dependencies} for item in bom.dependencies}
    assert sorted(found) == ["nothing", "numpy", "python", "six"]
    assert found["numpy"].purl == PackageURL.from_string(made()["components"][1]["purl"])
    assert edges["six-1.0-py_0@linux-64"] == {"python-3.11.9-host_0@linux-64"}


def test_making_it_is_work_in_proportion_to_the_edges() -> None:
    def chain(length: int) -> PlatformLock:
        names = [f"p{number}" for number in range(length)]
        needs = {name: tuple(names[max(0, at - 5) : at]) for at, name in enumerate(names)}
        return locked(*(package(name, depends=needs[name]) for name in names))

    def work(lock: PlatformLock) -> int:
        return count_calls(lambda: make_sbom(lock, release=RELEASE, requested=set()))

    work(chain(400))  # what is cached once
    assert work(chain(400)) < 5 * work(chain(100))


def test_every_package_is_told() -> None:
    found = {item["name"]: item for item in made()["components"]}
    assert sorted(found) == ["nothing", "numpy", "python", "six"]
    assert found["numpy"]["purl"] == (
        "pkg:conda/forge/numpy@1.0"
        "?build=py_0&repository_url=https%3A%2F%2Fconda.example&subdir=linux-64&type=conda"
    )
    assert found["python"]["purl"] == (
        f"pkg:conda/python@3.11.9?build=host_0&checksum=sha256:{'ab' * 32}&subdir=noarch&type=conda"
    )
    assert found["nothing"]["purl"].endswith("&type=tar.bz2")
    assert {item["alg"]: item["content"] for item in found["numpy"]["hashes"]} == {
        "SHA-256": "ab" * 32,
        "MD5": "cd" * 16,
    }
    assert [item["alg"] for item in found["python"]["hashes"]] == ["SHA-256"]
    (source,) = found["six"]["externalReferences"]
    assert source["url"] == "https://conda.example/forge/noarch/six-1.0-py_0.conda"
    assert "externalReferences" not in found["python"]


def test_licences() -> None:
    found = {item["name"]: item.get("licenses") for item in made()["components"]}
    assert found == {
        "numpy": [{"license": {"id": "MIT"}}],
        "python": [{"expression": "PSF-2.0 OR GPL-2.0-or-later"}],
        "six": [{"license": {"name": "The six licence"}}],
        "nothing": None,
    }


def test_who_depends_on_whom() -> None:
    edges = {item["ref"]: item.get("dependsOn", []) for item in made()["dependencies"]}
    names = {name: f"{name}-1.0-py_0@linux-64" for name in ("numpy", "six", "nothing")}
    python = "python-3.11.9-host_0@linux-64"
    assert edges == {
        "tiny-2026.11.0@linux-64": [names["six"]],
        names["numpy"]: [python],  # a virtual package and one that is not in the lock are no edges
        names["six"]: [python],
        names["nothing"]: [],
        python: [],
    }


def test_same_content_same_bytes_and_any_other_has_another_number() -> None:
    one = made()
    assert make_sbom(LOCK, release=RELEASE, requested=["absent", "six"]) == make_sbom(
        locked(*reversed(LOCK.packages)), release=RELEASE, requested={"six", "absent"}
    )
    others = [
        made(locked(*LOCK.packages[1:])),
        made(requested={"numpy"}),
        made(release=ReleaseLabel(distribution="tiny", version="2026.11.1", title="Tiny & Sons")),
    ]
    assert len({value["serialNumber"] for value in [one, *others]}) == 4


def test_newest_package_gives_the_time() -> None:
    assert made()["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    assert "timestamp" not in made(locked(package("six")))["metadata"]


@given(st.text(max_size=30), st.lists(st.text(max_size=20), max_size=3))
def test_hostile_records_become_text(license_text: str, depends: list[str]) -> None:
    hostile = package("six", license=license_text.encode(errors="replace").decode(), depends=tuple(depends))
    (component,) = made(locked(hostile))["components"]
    assert component["name"] == "six"
