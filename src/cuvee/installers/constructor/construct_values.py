"""The values of a project, checked against the forms of their keys, with a list of problems and warnings."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeGuard

from cuvee.errors import UsageError
from cuvee.installers.constructor.construct_keys import KEYS, Form, Treatment
from cuvee.manifest.documents.suggestions import did_you_mean
from cuvee.platforms import System


class ConstructValues:
    """The values of a ``construct.yaml`` for one platform.

    All problems together raise an error; warnings are part of the project.

    Parameters
    ----------
    source
        The file; the paths in it start from its folder.
    system
        ``linux``, ``osx`` or ``win``.
    """

    def __init__(self, found: dict[str, object], *, source: Path, system: System) -> None:
        self.source = source
        self.system = system
        self.problems: list[str] = []
        self.warnings: list[str] = []
        self._values: dict[str, object] = {}
        for name, value in found.items():
            self._take(name, value)

    @property
    def folder(self) -> Path:
        """The folder of the file."""
        return self.source.absolute().parent

    def _take(self, name: str, value: object) -> None:
        key = KEYS.get(name)
        if key is None:
            self.wrong(name, f"there is no such key; {did_you_mean(name, KEYS)}".removesuffix("; "))
        elif not _FITS[key.form](value):
            self.wrong(name, f"must be {key.form.value}")
        elif key.treatment is Treatment.HONOURED:
            self._values[name] = value
        elif any(value == nothing and type(value) is type(nothing) for nothing in key.nothing):
            return
        elif key.treatment is Treatment.REFUSED:
            self.wrong(name, key.how)
        elif key.treatment is Treatment.NAMED and self.system in key.systems:
            self.warn(name, key.how)
            self._values[name] = value

    def wrong(self, name: str, reason: str) -> None:
        """Add a problem with a key."""
        self.problems.append(f"{name}: {reason}")

    def warn(self, name: str, reason: str) -> None:
        """Add a warning that a key is not honoured."""
        self.warnings.append(f"{name}: {reason}")

    def raise_problems(self) -> None:
        """Raise `UsageError` with all problems, if there are any."""
        if self.problems:
            lines = "\n".join(f"  {problem}" for problem in self.problems)
            raise UsageError(
                f"{self.source} cannot be converted:\n{lines}",
                hint="The reference page «Keys of construct.yaml» says how each key is treated.",
            )

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def text(self, name: str) -> str:
        """Return a text, empty if there is none."""
        value = self._values.get(name, "")
        return value if isinstance(value, str) else str(value)

    def flag(self, name: str, *, default: bool) -> bool:
        """Return a truth value."""
        return bool(self._values.get(name, default))

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, stripped; one text stands for a list of one."""
        value = self._values.get(name, [])
        items = value if isinstance(value, list) else [value]
        found = tuple(str(item).strip() for item in items)
        if "" in found:
            self.wrong(name, "has an empty text")
        return found

    def items(self, name: str) -> list[object]:
        """Return a list of any items."""
        value = self._values.get(name)
        return list(value) if isinstance(value, list) else []

    def mapping(self, name: str) -> dict[str, object]:
        """Return a mapping."""
        value = self._values.get(name)
        return dict(value) if isinstance(value, dict) else {}

    def raw(self, name: str) -> object:
        """Return a value of several possible forms; `None` if there is none."""
        return self._values.get(name)

    def path(self, name: str) -> Path | None:
        """Return the file that a key names, if it exists."""
        named = self.text(name).strip()
        if not named:
            return None
        path = self.folder / named
        if path.is_file():
            return path
        self.wrong(name, f"there is no file {named}")
        return None


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_word(value: object) -> bool:
    # YAML reads some versions as numbers, and constructor converts them back to texts.
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_mapping(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict) and all(map(_is_text, value))


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


_FITS: Mapping[Form, Callable[[object], bool]] = {
    Form.TEXT: _is_word,
    Form.TEXTS: _are_texts,
    Form.TEXT_OR_TEXTS: lambda value: _is_text(value) or _are_texts(value),
    Form.TEXT_OR_FLAG: lambda value: _is_text(value) or _is_flag(value),
    Form.TEXT_OR_MAPPING: lambda value: _is_text(value) or _is_mapping(value),
    Form.NAMES: lambda value: _is_mapping(value) and all(map(_is_text, value.values())),
    Form.LISTS: lambda value: _is_mapping(value) and all(map(_are_texts, value.values())),
    Form.FLAG: _is_flag,
    Form.MAPPING: _is_mapping,
    Form.ITEMS: lambda value: isinstance(value, list),
}
