"""What a distribution's installers look like: data from ``installers/<distribution>/``."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cuvee.errors import UsageError

_KEYS = {"identifier", "license", "publisher", "welcome", "url"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Branding:
    """Texts and pictures of an installer; each may be missing.

    Attributes
    ----------
    license_text
        Shown for agreement; without it nothing is asked.
    publisher, url
        Who answers for the release, and where its users find help.
    identifier
        What macOS knows the distribution by, in reverse domain order: ``org.example.starter``.
    welcome
        What the first page says.
    icon
        ``icon.ico``.
    welcome_picture
        ``welcome.bmp``, 164 by 314 pixels, beside the first and the last page.
    header_picture
        ``header.bmp``, 150 by 57 pixels, above the other pages, at their right. An `.exe` that is given no
        icon or picture shows plain ones.
    """

    license_text: str = ""
    publisher: str = ""
    url: str = ""
    identifier: str = ""
    welcome: str = ""
    icon: Path | None = None
    welcome_picture: Path | None = None
    header_picture: Path | None = None

    @classmethod
    def read(cls, folder: Path | None) -> Self:
        """Read ``branding.yaml`` and the pictures beside it; a folder without any gives plain branding.

        Raises
        ------
        UsageError
            If the file is no mapping of texts, or names a licence that is not there.
        """
        if folder is None:
            return cls()
        written = _read_yaml(folder / "branding.yaml")
        name = written.get("license", "LICENSE.txt")
        licence = folder / name
        if "license" in written and not licence.is_file():
            raise UsageError(
                f"{folder / 'branding.yaml'} names the licence {name}, which is not there",
                hint="Put the file beside it, or correct the name.",
            )
        return cls(
            license_text=licence.read_text(encoding="utf-8") if licence.is_file() else "",
            publisher=written.get("publisher", ""),
            url=written.get("url", ""),
            identifier=written.get("identifier", ""),
            welcome=written.get("welcome", "").strip(),
            icon=_picture(folder / "icon.ico"),
            welcome_picture=_picture(folder / "welcome.bmp"),
            header_picture=_picture(folder / "header.bmp"),
        )


def _read_yaml(path: Path) -> dict[str, str]:
    import yaml

    if not path.is_file():
        return {}
    try:
        value: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is no YAML: {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise UsageError(f"{path} must map words to texts", hint=f"It knows {', '.join(sorted(_KEYS))}.")
    return value


def _picture(path: Path) -> Path | None:
    return path if path.is_file() else None
