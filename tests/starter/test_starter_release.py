"""What tests of the starter's installers stand on."""

from pathlib import Path

import pytest

from cuvee import platforms
from cuvee.errata.errata_checks import check_errata
from cuvee.errata.errata_folder import read_errata
from cuvee.errata.known_releases import known_releases
from needed_programs import needs
from starter_release import Starter

ERRATA = Path(__file__).parents[2] / "errata"


def test_a_folder_with_releases_is_used_as_it_is(tmp_path: Path) -> None:
    installers = tmp_path / "starter-2026.11.0" / "installers"
    installers.mkdir(parents=True)
    (tmp_path / "starter-2026.11.0" / "release.json").touch()
    (installers / "Starter-2026.11.0-Windows-x86_64.exe").touch()
    starter = Starter(root=tmp_path / "root", dist=tmp_path)
    assert starter.installer("win-64", "exe").name == "Starter-2026.11.0-Windows-x86_64.exe"
    with pytest.raises(pytest.skip.Exception, match=r"an \.sh of the starter for linux-aarch64"):
        starter.installer("linux-aarch64", "sh")
    with pytest.raises(pytest.fail.Exception, match=r"no starter-2026\.11\.1"):
        starter.folder("win-64", "2026.11.1")
    assert not (tmp_path / "root").exists()


@pytest.mark.parametrize(
    ("code", "ending"), [(3, pytest.skip.Exception), (4, pytest.skip.Exception), (1, AssertionError)]
)
def test_what_can_not_be_cut_is_tried_once(tmp_path: Path, code: int, ending: type[BaseException]) -> None:
    (tmp_path / "release-win-64-2026.11.0").write_text(f"{code}\nError: why", encoding="utf-8")
    with pytest.raises(ending, match="why"):
        Starter(root=tmp_path, dist=None).folder("win-64")


@pytest.mark.real
@needs("gcc", "make")
def test_our_errata_are_true(starter: Starter) -> None:
    """Of the release that another test installs on this machine, and of the lock of the next."""
    pytest.importorskip("rattler_build", reason="needs py-rattler-build")
    host = platforms.host()
    if host is None or host.name != "linux-64":
        pytest.skip("needs Linux on x86-64")
    dist = starter.locked(host.name)
    checked = check_errata(read_errata(ERRATA).errata, known_releases(ERRATA, dist, ["starter"]))
    assert checked
    assert not [item.findings for item in checked if item.findings]
    assert {status.platform for item in checked for status in item.stated()} >= {host.name}
