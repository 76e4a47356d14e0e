"""Requirements that break the format are read as uv reads them, and refused where uv refuses them."""

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from cuvee.channel.wheels.core_metadata import CoreMetadata, parse_metadata
from cuvee.errors import IntegrityError
from repaired_requirements import REPAIRED

REFUSED = (
    "dep ~=1", "dep ==1.*.*", "dep (1.0)", "dep 1.0", "dep =1.0", "dep=>1.0", "dep. >=1.*", "dep<2020.x",
    "dep (>=1.0", "dep >=1.* # comment", "dep; foo == 'x'", "dep>=1.0+x", "dep and >=1.*", "", "-dep >=1.*",
)  # fmt: skip


def metadata(line: str) -> CoreMetadata:
    return parse_metadata(f"Metadata-Version: 2.1\nName: demo\nVersion: 1\n{line}\n".encode(), where="w")


@pytest.mark.parametrize(("written", "meant"), REPAIRED.items())
def test_what_uv_repairs_is_read_alike(written: str, meant: str) -> None:
    found = metadata(f"Requires-Dist: {written}")
    assert found.requires == (Requirement(meant),)
    assert found.repairs == (f"METADATA requires {written!r}, which is read as {str(found.requires[0])!r}",)


@pytest.mark.parametrize("text", REFUSED)
def test_what_uv_refuses_is_refused(text: str) -> None:
    with pytest.raises(IntegrityError, match="cannot be read"):
        metadata(f"Requires-Dist: {text}")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (">=2.7, !=3.0.*, !=3.1.*', !=3.2.*, !=3.3.*'", ">=2.7,!=3.0.*,!=3.1.*,!=3.2.*,!=3.3.*"),
        (">='2.7'", ">=2.7"),
        (">=2.7,!=3.0*,<3.4.*", ">=2.7,!=3.0.*,<3.4"),
        (">=3.6<4", ">=3.6,<4"),
        (">3.6.*", ">3.6"),
    ],
)
def test_requires_python_is_repaired_too(written: str, meant: str) -> None:
    found = metadata(f"Requires-Python: {written}")
    assert found.requires_python == SpecifierSet(meant)
    assert found.repairs[0].startswith(f"METADATA requires Python {written!r}")


def test_what_is_right_is_not_touched() -> None:
    found = metadata("Requires-Dist: dep >=3.6,\nRequires-Python: >=3.6,")
    assert found.requires == (Requirement("dep>=3.6"),)
    assert found.repairs == ()
