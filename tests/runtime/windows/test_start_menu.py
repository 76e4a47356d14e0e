"""Which shortcuts lead into a prefix."""

from pathlib import Path

import pytest

from cuvee.runtime.windows.start_menu import is_own


@pytest.mark.parametrize("folder", ["tiny", "TINY", "Käse", "KÄSE", "Сыр", "\u5a5a\u4141"])
def test_shortcuts_into_a_prefix_are_found_in_every_script(folder: str, tmp_path: Path) -> None:
    prefix, path = f"C:\\Users\\{folder}", tmp_path / "x.lnk"
    path.write_bytes(b"L\0\0\0" + f"{prefix}\\python.exe".encode("utf-16-le"))
    assert is_own(str(path), [prefix])
    assert is_own(str(path), ["Q:\\gone", prefix.replace("Users", "uSERS")])
    for other in (f"{prefix}2", f"{prefix}\\env", "C:\\Other", prefix[:-1]):
        assert not is_own(str(path), [other])
    assert not is_own(str(tmp_path / "none.lnk"), [prefix])
