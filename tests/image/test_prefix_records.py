"""What conda's records say of files, as conda itself writes them."""

import json
from dataclasses import replace
from typing import Any

from checked_sets import package
from cuvee.conda.package_info import IndexJson
from cuvee.conda.package_record import LockedPackage
from cuvee.image.linked_files import LinkedFiles
from cuvee.image.model import FileKind, PlannedFile, ReleaseLabel
from cuvee.image.prefix_records import record_part

LABEL = ReleaseLabel(distribution="tiny", version="1", title="Tiny")


def record(locked: LockedPackage, *files: PlannedFile) -> dict[str, Any]:
    index = IndexJson(name=locked.name, version=locked.version, build=locked.build)
    part = record_part(locked, index, LinkedFiles.of(files, {"link": "plain"}), release=LABEL, requested={})
    value: dict[str, Any] = json.loads(part.data)  # type: ignore[arg-type]
    return value


def file(path: str, kind: FileKind, path_type: str = "hardlink", **changes: Any) -> PlannedFile:
    made = PlannedFile(path=path, source=path, kind=kind, path_type=path_type, sha256="a" * 64, size=1)
    return replace(made, **changes)


def test_files_of_packages_have_the_hash_that_they_have_in_the_prefix() -> None:
    files = (
        file("plain", FileKind.PLAIN),
        file("text", FileKind.TEXT, placeholder="/p", file_mode="text"),
        file("windows", FileKind.PLAIN, placeholder="/p", file_mode="binary"),
        file("link", FileKind.LINK, "softlink"),
        file("bin/made", FileKind.TEXT, "unix_python_entry_point", source=None, placeholder="/p"),
        file("x.pyc", FileKind.PLAIN, "pyc_file", source=None),
        file("folder", FileKind.DIRECTORY, "directory", sha256=None, size=None),
    )
    lines = record(package("a"), *files)["paths_data"]["paths"]
    stated = {line["_path"] for line in lines if "sha256_in_prefix" in line}
    assert stated == {"plain", "text", "windows", "link"}


def test_the_url_ends_with_the_file_name() -> None:
    url = "https://c.example/x/linux-64/a-1.0%2Bcpu-0.conda"
    remote = replace(package("a"), version="1.0+cpu", url=url, channel="https://c.example/x")
    found = record(remote, file("plain", FileKind.PLAIN))
    assert found["fn"] == "a-1.0+cpu-0.conda"
    assert found["url"] == "https://c.example/x/linux-64/a-1.0+cpu-0.conda"


def test_files_are_listed_as_json_indents_them() -> None:
    several = [
        file("a", FileKind.PLAIN),
        file("folder", FileKind.DIRECTORY, "directory", sha256=None, size=None),
        file('ü"\\', FileKind.PLAIN),
    ]
    for files in ([], several[1:2], several):
        text = "{" + LinkedFiles.of(files, {}).record + "\n}"
        assert text == json.dumps(json.loads(text), indent=2, ensure_ascii=False)
