import pytest
from packaging.version import Version

from cuvee.channel.wheels.core_metadata import parse_entry_points, parse_metadata, parse_wheel_file
from cuvee.channel.wheels.wheel_licenses import license_expression
from cuvee.errors import IntegrityError

HEADER = "Metadata-Version: 2.4\nName: Demo_Pkg\nVersion: 1.0.0\n"


def test_fields_are_read() -> None:
    text = HEADER + (
        "Summary: does\n  things\nRequires-Python: >=3.9\nRequires-Dist: six; extra == 'old'\n"
        "Project-URL: Bug Tracker, https://example.org/bugs\nProject-URL: Home-page, https://example.org\n"
    )
    metadata = parse_metadata(text.encode(), where="w")
    assert (metadata.name, metadata.version) == ("demo-pkg", Version("1.0.0"))
    assert metadata.summary == "does things"
    assert metadata.url == "https://example.org"
    assert [str(one) for one in metadata.requires] == ['six; extra == "old"']
    assert "3.8" not in metadata.requires_python


def test_what_older_wheels_mean_is_read() -> None:
    text = HEADER + "Requires-Python: >=3.6.*, <4\nRequires-Dist: six (>=1.*)\nRequires-Dist: a (==1.*)\n"
    metadata = parse_metadata(text.encode(), where="w")
    assert "3.6.0" in metadata.requires_python
    assert [str(one) for one in metadata.requires] == ["six>=1", "a==1.*"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Metadata-Version: 2.4\nVersion: 1\n", "no Name"),
        ("Metadata-Version: 2.4\nName: demo\n", "no Version"),
        (HEADER + "Name: other\n", "no Name"),
        (HEADER + "Requires-Dist: ???\n", "cannot be read"),
        (HEADER + "Requires-Python: three\n", "cannot be read"),
        ("Name: ../x\nVersion: 1\n", "cannot be read"),
        ("Name: demo\nVersion: one\n", "cannot be read"),
        ("\x00\xff", "no Name"),
    ],
)
def test_broken_metadata_is_refused(text: str, why: str) -> None:
    with pytest.raises(IntegrityError, match=rf"^w: .*{why}"):
        parse_metadata(text.encode("latin-1"), where="w")


@pytest.mark.parametrize(
    ("line", "pure"), [("Root-Is-Purelib: true", True), ("Root-Is-Purelib: False", False), ("X: y", False)]
)
def test_purity_is_read(line: str, pure: bool) -> None:
    assert parse_wheel_file(f"Wheel-Version: 1.0\n{line}\n".encode(), where="w") is pure


@pytest.mark.parametrize("version", ["", "Wheel-Version: 2.0"])
def test_another_wheel_format_is_refused(version: str) -> None:
    with pytest.raises(IntegrityError, match="only 1"):
        parse_wheel_file(version.encode(), where="w")


def test_entry_points_are_read() -> None:
    scripts = "[console_scripts]\nRun-it = a.b : c.d [extra]\nrun it = a:b\n\n"
    points = parse_entry_points(f"{scripts}[gui_scripts]\ng=m:f\n[other]\nx = y\n".encode(), where="w")
    assert [(str(point), point.gui) for point in points] == [
        ("Run-it = a.b:c.d", False),
        ("run it = a:b", False),
        ("g = m:f", True),
    ]


@pytest.mark.parametrize(
    "line",
    ["../x = a:b", "x = a", "x = a:b; import os", "x = a:b\\nimport os", "-x = a:b", "x = :f", "x/y = a:b"],
)
def test_an_entry_point_can_not_smuggle_code_or_paths(line: str) -> None:
    with pytest.raises(IntegrityError, match="invalid script"):
        parse_entry_points(f"[console_scripts]\n{line}\n".encode(), where="w")


BSD = b"Redistribution and use in source and binary\nforms, with or without modification, ..."


@pytest.mark.parametrize(
    ("fields", "texts", "expected"),
    [
        ("License-Expression: mit OR apache-2.0", {}, "MIT OR Apache-2.0"),
        ("License: BSD-3-Clause", {}, "BSD-3-Clause"),
        ("License: Apache License, Version 2.0", {}, "Apache-2.0"),
        ("License: the MIT License (MIT)", {}, "MIT"),
        ("License: Some words of our own", {}, None),
        ("Classifier: License :: OSI Approved :: MIT License", {}, "MIT"),
        ("Classifier: License :: OSI Approved :: BSD License", {}, None),
        (
            "Classifier: License :: OSI Approved :: BSD License",
            {"LICENSE": BSD, "AUTHORS": BSD},
            "BSD-2-Clause",
        ),
        (
            "Classifier: License :: OSI Approved :: BSD License",
            {"licence.TXT": BSD + b" endorse or promote"},
            "BSD-3-Clause",
        ),
        ("Classifier: License :: OSI Approved :: BSD License", {"LICENSE": BSD, "COPYING": BSD}, None),
        (
            "Classifier: License :: OSI Approved :: Apache Software License",
            {"LICENSE": b"Apache License\n   Version 2.0, January 2004"},
            "Apache-2.0",
        ),
        (
            "Classifier: License :: OSI Approved :: MIT License\nClassifier: License :: OSI Approved :: X",
            {},
            None,
        ),
        ("License: MIT\nClassifier: License :: OSI Approved :: BSD License", {}, "MIT"),
        ("License: BSD", {"LICENSE.txt": BSD}, "BSD-2-Clause"),
        ("License: Apache Software License", {"LICENSE": b"Apache License Version 2.0"}, "Apache-2.0"),
        ("License: BSD", {"vendored/LICENSE": BSD}, None),
        ("", {"LICENSE": BSD}, None),
    ],
)
def test_a_licence_is_named_only_beyond_doubt(
    fields: str, texts: dict[str, bytes], expected: str | None
) -> None:
    assert license_expression(parse_metadata((HEADER + fields + "\n").encode(), where="w"), texts) == expected
