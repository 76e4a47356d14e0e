"""Certificates: whatever is changed in one, it does not hold any more."""

import copy
import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.errors import IntegrityError
from cuvee.files import sha256_bytes
from cuvee.graph.certificate import (
    CertificateInputs,
    CertifiedRecord,
    VerifiedCertificate,
    build_certificate,
    verify_certificate,
)
from cuvee.graph.checks import CheckOutcome, Status
from cuvee.graph.findings import Finding, Verdict
from cuvee.graph.metapackages import metapackages
from cuvee.graph.release_graph import ReleaseGraph, build_graph
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
)
from golden import same_as
from measuring_work import count_calls

REFUSALS = Path(__file__).parent / "refusals"
HERE = Position(file=Path("tiny/2026.11.0.yaml"), line=7, column=3)
LOCK_HASH = sha256_bytes(b"the lock")
INPUTS = CertificateInputs(
    manifests={"2026.11.0.yaml": sha256_bytes(b"a manifest")},
    lock=LOCK_HASH,
    repodata={"channel/noarch": sha256_bytes(b"repodata")},
)


def package(
    name: str,
    version: str = "1.0",
    *,
    depends: tuple[str, ...] = (),
    constrains: tuple[str, ...] = (),
    platform: str = "linux-64",
) -> LockedPackage:
    return LockedPackage(
        name=name,
        version=version,
        build="0",
        build_number=0,
        platform=platform,
        subdir="noarch",
        url=f"https://user:secret@example.org/noarch/{name}-{version}-0.conda",
        channel="https://example.org",
        sha256=sha256_bytes(name.encode()),
        depends=depends,
        constrains=constrains,
    )


def lock_of(*packages: LockedPackage) -> Lock:
    return Lock(
        platforms=tuple(
            PlatformLock(
                platform=platform,
                packages=tuple(
                    sorted(
                        (item for item in packages if item.platform == platform), key=lambda item: item.name
                    )
                ),
                virtual_packages=(VirtualPackage(name="__glibc", version="2.28"),),
            )
            for platform in dict.fromkeys(item.platform for item in packages)
        )
    )


def graph_of(lock: Lock, *requirements: str, constraints: tuple[str, ...] = ()) -> ReleaseGraph:
    def stated(texts: tuple[str, ...]) -> tuple[Requirement, ...]:
        pairs = (text.split() for text in texts)
        platforms = tuple(lock.by_platform)
        return tuple(
            Requirement(name=name, version=version, platforms=platforms, position=HERE)
            for name, version in pairs
        )

    manifest = Manifest(
        path=Path("tiny/2026.11.0.yaml"),
        distribution="tiny",
        version=ReleaseVersion(2026, 11, 0),
        title="Tiny",
        platforms=tuple(PlatformEntry(name=name, floor={}) for name in lock.by_platform),
        channels=("https://example.org",),
        packages=stated(requirements),
        constraints=stated(constraints),
        installers=Installers(formats={}),
    )
    return build_graph(manifest, lock)


LOCK = lock_of(
    package("app", "2.0", depends=("base >=1,<2", "python >=3.8", "__glibc >=2.17"), constrains=("gone >9",)),
    package("base", "1.5", depends=("python",), constrains=("app >=2",)),
    package("python", "3.11.7", depends=("__glibc >=2.17",)),
    package("python", "3.11.7", platform="win-64"),
)
GRAPH = graph_of(LOCK, "python 3.11.*")
LINUX = Lock(platforms=(LOCK.by_platform["linux-64"],))


def pinning(graph: ReleaseGraph) -> tuple[CertifiedRecord, ...]:
    """Return what the certificate of a release says of its metapackages."""
    return tuple(
        CertifiedRecord(
            name=item.name,
            version=item.version,
            build=item.build,
            build_number=0,
            subdir=item.subdir,
            sha256=sha256_bytes(item.name.encode()),
            url=f"metapackages/{item.subdir}/{item.name}-{item.version}-{item.build}.conda",
            depends=item.depends,
            constrains=item.constrains,
        )
        for part in graph.platforms
        for item in metapackages(graph.manifest, part)
    )


def certificate(graph: ReleaseGraph) -> bytes:
    return build_certificate(graph, INPUTS, metapackages=pinning(graph))[0]


@pytest.fixture
def good() -> bytes:
    return certificate(graph_of(LINUX, "app >=2", "python 3.11.*", constraints=("base <2", "openssl >=3")))


def verify(data: bytes, lock: Lock | None = None) -> VerifiedCertificate:
    sha256 = LOCK_HASH if lock is not None else None
    return verify_certificate(data, name="certificate.json", lock=lock, lock_sha256=sha256)


def rehashed(value: dict[str, Any]) -> bytes:
    """Return a tampered certificate a hash of itself that fits again."""
    blank = json.dumps(value | {"sha256": "0" * 64}).encode()
    return blank.replace(b"0" * 64, sha256_bytes(blank).encode(), 1)


def test_a_good_one_holds_by_itself_and_with_its_lock(good: bytes) -> None:
    verified = verify(good, LINUX)
    assert verified.release == "tiny-2026.11.0"
    assert verified.packages == {"linux-64": 3}
    assert verified.steps == 7
    assert verified.with_lock
    assert not verified.not_certified
    assert verified.unexamined == ("linux-64",)
    assert verified.metapackages == {"linux-64": ("tiny", "tiny-base", "tiny-constraints")}
    assert not verify(good).with_lock
    assert rehashed(json.loads(good)) != good, "the layout is part of what is hashed"
    assert verify(rehashed(json.loads(good)), LINUX) == verified


def test_a_certificate_of_the_first_format_still_holds() -> None:
    """Releases that an earlier cuvee cut have one; it says nothing of metapackages."""
    data = (Path(__file__).parent / "answers" / "certificate-of-format-1.json").read_bytes()
    verified = verify(data, LINUX)
    assert verified.packages == {"linux-64": 3}
    assert verified.metapackages == {"linux-64": ()}
    value = json.loads(data)
    value["platforms"]["linux-64"]["metapackages"] = []
    with pytest.raises(IntegrityError, match="keys of its format"):
        verify(rehashed(value), LINUX)


def test_it_is_the_same_each_time_and_keeps_no_secrets(good: bytes) -> None:
    assert good == certificate(
        graph_of(LINUX, "app >=2", "python 3.11.*", constraints=("base <2", "openssl >=3"))
    )
    assert b"secret" not in good
    same_as(Path(__file__).parent / "answers" / "certificate.json", good.decode())


def test_a_platform_that_does_not_hold_is_not_certified() -> None:
    lock = lock_of(
        package("app", depends=("base >=2", "gone"), constrains=("base <1",)),
        package("base"),
        package("python", platform="win-64"),
    )
    graph = graph_of(lock, "python *", "app >=3", constraints=("base >5",))
    data, refused = build_certificate(graph, INPUTS)
    assert {platform: list(found) for platform, found in refused.items()} == {
        "linux-64": [
            "app-1.0-0 depends on 'base >=2', which nothing in the set meets",
            "app-1.0-0 depends on 'gone', which nothing in the set meets",
            "app-1.0-0 constrains 'base <1', which base-1.0-0 does not meet",
            "the manifest asks for 'app >=3', which nothing in the set meets",
            "the manifest asks for 'python *', which nothing in the set meets",
            "the manifest constrains 'base >5', which base-1.0-0 does not meet",
        ],
        "win-64": ["the manifest asks for 'app >=3', which nothing in the set meets"],
    }
    verified = verify(data, lock)
    assert not verified.packages
    assert set(verified.not_certified) == {"linux-64", "win-64"}


def test_what_the_file_checks_found_is_in_it() -> None:
    finding = Finding(
        check="clobber", verdict=Verdict.WARNING, cause="a and b install bin/x", platforms=("linux-64",)
    )
    checks = [
        CheckOutcome(identifier="clobber", title="", status=Status.PASS, findings=(finding,)),
        CheckOutcome(identifier="case", title="", status=Status.SKIPPED, reason="no archives"),
    ]
    data, _ = build_certificate(GRAPH, INPUTS, checks)
    platforms = json.loads(data)["platforms"]
    assert platforms["linux-64"]["files"] == {
        "checks": ["clobber"],
        "collisions": ["warning: a and b install bin/x"],
    }
    assert platforms["win-64"]["files"]["collisions"] == []
    assert verify(data).unexamined == ()


# --- whatever is changed -------------------------------------------------------------------------------


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path to each value below ``value``."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [step for key, item in items for step in ((*path, key), *places(item, (*path, key)))]


def mutate(value: Any, chance: random.Random, within: tuple[str, ...] = ()) -> Any:
    """Change one thing, anywhere or below one of the keys ``within``."""
    value = copy.deepcopy(value)
    paths = [path for path in places(value) if not within or set(within) & set(path[:-1])]
    path = chance.choice(paths)
    parent = value
    for key in path[:-1]:
        parent = parent[key]
    key, old = path[-1], parent[path[-1]]
    kind = chance.choice(["leaf", "remove", "add", "swap"])
    if kind == "remove":
        del parent[key]
    elif kind == "add":
        if isinstance(parent, dict):
            parent[f"{key}x"] = copy.deepcopy(old)
        else:
            parent.insert(key, copy.deepcopy(old))
    elif kind == "swap" and len(parent) > 1:
        other = chance.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        parent[key], parent[other] = parent[other], parent[key]
    else:
        parent[key] = other_than(old, chance)
    return value


def other_than(old: Any, chance: random.Random) -> Any:
    if isinstance(old, str):
        at = chance.randrange(len(old) + 1)
        return chance.choice([old[:at] + "1" + old[at:], old[:at] + old[at + 1 :] + "7", "x", "", None, 3])
    return chance.choice(["x", [], {}, None, True, -1, 1 << 70, 0.5, ["x"], {"x": []}])


@settings(max_examples=300)
@given(chance=st.randoms(use_true_random=False))
def test_whatever_is_changed_it_does_not_hold(good: bytes, chance: random.Random) -> None:
    value = json.loads(good)
    changed = mutate(value, chance)
    if changed == value and repr(changed) == repr(value):
        return  # equal things were swapped
    text = json.dumps(changed)
    with pytest.raises(IntegrityError, match=r"certificate\.json is not valid"):
        verify(text.encode())


@settings(max_examples=300)
@given(data=st.data())
def test_no_byte_can_be_changed(good: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.integers(0, 255))
    kind = data.draw(st.sampled_from(["change", "remove", "insert", "cut"]))
    if kind == "change" and good[at] == byte:
        return
    changed = {
        "change": good[:at] + bytes([byte]) + good[at + 1 :],
        "remove": good[:at] + good[at + 1 :],
        "insert": good[:at] + bytes([byte]) + good[at:],
        "cut": good[:at],
    }[kind]
    with pytest.raises(IntegrityError):
        verify(changed)


TIED = ("records", "edges", "virtual_packages", "constrains")


@settings(max_examples=400)
@given(chance=st.randoms(use_true_random=False))
def test_with_the_lock_no_new_hash_helps(good: bytes, chance: random.Random) -> None:
    """Whatever is said of the set itself is the lock's, or follows from it."""
    value = json.loads(good)
    changed = mutate(value, chance, TIED)
    if changed == value and repr(changed) == repr(value):
        return
    with pytest.raises(IntegrityError):
        verify(rehashed(changed), LINUX)


def section(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = value["platforms"]["linux-64"]
    return found


def of(value: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the record called ``name``."""
    found: dict[str, Any] = next(item for item in section(value)["records"] if item["name"] == name)
    return found


def older_base(value: dict[str, Any]) -> None:
    of(value, "base")["version"] = "0.5"
    for edge in section(value)["edges"]:
        edge["to"] = edge["to"].replace("base-1.5", "base-0.5")
        edge["from"] = edge["from"].replace("base-1.5", "base-0.5")
    section(value)["constrains"][1]["from"] = "base-0.5-0"
    section(value)["constraints"][0]["met_by"] = "base-0.5-0"


def without_base(value: dict[str, Any]) -> None:
    section(value)["records"] = [item for item in section(value)["records"] if item["name"] != "base"]
    section(value)["edges"] = [item for item in section(value)["edges"] if "base" not in str(item)]
    section(value)["constrains"] = section(value)["constrains"][:1]
    section(value)["constraints"][0]["met_by"] = None


def second_base(value: dict[str, Any]) -> None:
    records = section(value)["records"]
    records.insert(1, of(value, "base") | {"version": "9.0", "depends": [], "constrains": []})


def virtual_as_record(value: dict[str, Any]) -> None:
    records = section(value)["records"]
    records.insert(0, of(value, "base") | {"name": "__glibc", "depends": [], "constrains": []})


def broken_spec(value: dict[str, Any]) -> None:
    of(value, "python")["depends"] = ["!!"]
    section(value)["edges"][4]["spec"] = "!!"


def setting(path: str, new: Any) -> Callable[[dict[str, Any]], None]:
    """Return a change of one value, at a path such as ``records.0.version``."""

    def change(value: dict[str, Any]) -> None:
        parent: Any = section(value)
        *keys, last = (int(key) if key.isdigit() else key for key in path.split("."))
        for key in keys:
            parent = parent[key]
        parent[last] = new

    return change


def dropping(path: str, number: int) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        del section(value)[path][number]

    return change


def top(key: str, new: Any) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.update({key: new})


UNTRUE: dict[str, Callable[[dict[str, Any]], None]] = {
    "older-dependency": older_base,
    "missing-package": without_base,
    "twice-there": second_base,
    "virtual-twice": virtual_as_record,
    "broken-spec": broken_spec,
    "lower-floor": setting("virtual_packages.0.version", "2.12"),
    "no-floor": setting("virtual_packages", []),
    "edge-dropped": dropping("edges", 1),
    "edge-to-another": setting("edges.0.to", "python-3.11.7-0"),
    "edge-of-another-spec": setting("edges.0.spec", "base"),
    "new-dependency": setting("records.2.depends", ["__glibc >=2.17", "openssl"]),
    "constrained": setting("records.2.constrains", ["app <2"]),
    "constrains-hidden": dropping("constrains", 0),
    "unmet-requirement": setting("requirements.0.spec", "app >=3"),
    "requirement-of-nothing": setting("requirements.0", {"spec": "gone *", "met_by": None}),
    "violated-constraint": setting("constraints.0", {"spec": "base <1", "met_by": "base-1.5-0"}),
    "strange-version": setting("records.2.version", "not a version"),
    "negative-build": setting("records.2.build_number", -1),
    "another-format": top("certificate", 3),
    "metapackage-without-a-member": setting("metapackages.0.depends", ["app ==2.0 0", "base ==1.5 0"]),
    "metapackage-of-another-version": setting("metapackages.0.version", "2026.11.1"),
    "metapackage-with-a-loose-spec": setting("metapackages.2.constrains.0", "app"),
    "metapackage-gone": dropping("metapackages", 2),
    "metapackages-mixed-up": setting("metapackages.0.depends", []),
    "base-that-needs-more": setting("metapackages.1.depends", ["app ==2.0 0"]),
    "no-platform": top("platforms", {}),
    "short-hash": top("inputs", {"manifests": {"m": "0" * 63}, "lock": "0" * 64, "repodata": {}}),
    "both-ways": top("not_certified", {"linux-64": ["no"]}),
    "unknown-key": top("note", "trust me"),
}


@pytest.mark.parametrize("name", UNTRUE)
def test_an_untrue_claim_is_refused_whatever_its_hash(good: bytes, name: str) -> None:
    value = json.loads(good)
    UNTRUE[name](value)
    with pytest.raises(IntegrityError) as caught:
        verify(rehashed(value))
    same_as(REFUSALS / f"{name}.txt", f"{caught.value.message}\nnext: {caught.value.hint}\n")
    assert caught.value.exit_code == 5


def test_each_refusal_has_its_case() -> None:
    assert {path.stem for path in REFUSALS.glob("*.txt")} == {*UNTRUE, "another-lock", "not-json"}


def test_another_lock_is_refused_with_what_differs(good: bytes) -> None:
    packages = [
        replace(item, version="1.6") if item.name == "base" else item
        for item in (*LOCK.by_platform["linux-64"].packages, package("more"))
        if item.name != "python"
    ]
    with pytest.raises(IntegrityError) as caught:
        verify_certificate(
            good,
            name="certificate.json",
            lock=lock_of(*packages, package("x", platform="osx-64")),
            lock_sha256="1" * 64,
        )
    same_as(REFUSALS / "another-lock.txt", f"{caught.value.message}\n")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"a": 1, "a": 1}', b"\xff", b"[" * 100_000, b"NaN", b"null", b'{"sha256": 1}'],
)
def test_what_is_no_certificate_is_refused(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="is not valid"):
        verify(data)


def test_a_cut_file_says_that_it_can_not_be_read(good: bytes) -> None:
    with pytest.raises(IntegrityError) as caught:
        verify(good[:100])
    same_as(REFUSALS / "not-json.txt", f"{caught.value.message}\n")


# --- large ones ------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(st.data())
def test_a_true_claim_holds(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 12))
    versions = [data.draw(st.sampled_from(["0.9", "1.0", "2.1rc1", "3.0.0"])) for _ in range(count)]
    packages = []
    for number in range(count):
        others = data.draw(st.lists(st.integers(0, count - 1), max_size=4))
        forms = ("n{0} =={1}", "n{0}", "n{0} >={1}", "n{0} {1} 0")
        texts = tuple(data.draw(st.sampled_from(forms)).format(other, versions[other]) for other in others)
        packages.append(package(f"n{number}", versions[number], depends=texts, constrains=texts[:1]))
    lock = lock_of(*packages)
    verified = verify(certificate(graph_of(lock, "n0 *")), lock)
    assert verified.packages == {"linux-64": count}


def large(count: int) -> Lock:
    packages = []
    for number in range(count):
        others = [(number * 7 + 131 * step * step) % count for step in range(9)]
        packages.append(
            package(
                f"package{number}",
                f"1.{number}.0",
                depends=tuple(f"package{other} >=1.{other},<2.0a0" for other in others),
                constrains=(f"absent{number} >1",),
            )
        )
    return lock_of(*packages)


def test_verifying_takes_as_much_more_work_as_there_are_more_packages() -> None:
    calls = []
    for count in (250, 500):
        lock = large(count)
        data = certificate(graph_of(lock, *(f"package{number} *" for number in range(200))))
        assert verify(data, lock).steps == 10 * count
        calls.append(count_calls(lambda data=data, lock=lock: verify(data, lock)))  # type: ignore[misc]
    assert calls[1] < 2.5 * calls[0]


def test_each_step_has_a_line_so_that_two_can_be_compared() -> None:
    text = certificate(GRAPH).decode()
    assert len(re.findall(r'^    \{"from": "app-2.0-0", "spec": ', text, flags=re.MULTILINE)) == 4
