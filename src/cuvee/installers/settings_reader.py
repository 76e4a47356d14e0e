"""Reading ``installer.yaml``: what a distribution's installers do besides installing packages."""

import re
from collections.abc import Mapping
from pathlib import Path

from cuvee.files import sha256_file
from cuvee.image.settings import ExtraFile, Initialize, InstallerSettings
from cuvee.manifest import value_parsers
from cuvee.manifest.documents.named_files import add_absent_file, named_text
from cuvee.manifest.documents.problems import Problems
from cuvee.manifest.documents.schema_types import (
    DocumentSchema,
    ListType,
    MapType,
    OpenType,
    ParseError,
    PerSystemType,
    Property,
    RecordType,
    ScalarType,
    UnionType,
)
from cuvee.manifest.documents.validated_tree import (
    ListValue,
    MappingValue,
    OpenValue,
    PerSystemValue,
    ScalarValue,
    ValidatedValue,
    entries_at,
)
from cuvee.manifest.documents.validation import read_document
from cuvee.manifest.scalar_types import FLAG, PACKAGE_NAME, TEXT, choice_type, file_type
from cuvee.platforms import SYSTEMS, System

SETTINGS_FILE = "installer.yaml"

_PART = r"(?!\.{1,2}(?:/|$))[^/\\:\x00-\x1f\x7f]+"
_TARGET = re.compile(rf"{_PART}(?:/{_PART})*")
# What the runtime writes, and what others write and read as if it were conda's.
_RESERVED = re.compile(r"(?:\.cuvee|cuvee-saved|conda-meta/cuvee)(?:/.*)?|conda-meta/(?:history|[^/]*\.json)")


def _condarc_text(text: str) -> str:
    import yaml

    try:
        good = isinstance(yaml.safe_load(text), dict)
    except yaml.YAMLError:
        good = False
    if not good:
        raise ParseError("it is not the YAML of a mapping")
    return text if text.endswith("\n") else f"{text}\n"


_FILE = file_type("a file", "README.txt")
_SCRIPT = PerSystemType(value=file_type("a script", "post_install.sh"))
_PREFIX = PerSystemType(
    value=ScalarType(noun="a folder", example="$HOME/starter", parse=value_parsers.line, pattern=r"\S")
)
_TARGETS = MapType(
    noun="a mapping from files to targets", example="{report.sh: bin/report}", key=_FILE,
    value=ScalarType(noun="a path below the prefix", example="bin/report", number=None),
)  # fmt: skip

INSTALLER = DocumentSchema(
    name="installer",
    noun="the settings",
    summary="What the installers of a distribution do besides installing packages.",
    page="docs/reference/installer-settings.md",
    content=RecordType(
        noun="a mapping of settings", example="{initialize: ask}",
        keys=(
            Property(name="pre_install", type=_SCRIPT, example="check.sh",
                summary="A script that runs before anything is written."),
            Property(name="post_install", type=_SCRIPT, example="{linux: post.sh, win: post.bat}",
                summary="A script that runs in the finished prefix."),
            Property(name="pre_uninstall", type=_SCRIPT, example="{win: release.bat}",
                summary="A script that runs before anything is removed."),
            Property(name="script_environment", default={}, example="{SITE: north}",
                summary="Variables that the scripts get besides those below.",
                type=PerSystemType(value=MapType(
                    noun="a mapping of variables", example="{SITE: north}", value=TEXT,
                    key=ScalarType(noun="a variable", example="SITE", parse=value_parsers.variable,
                        pattern=value_parsers.VARIABLE)))),
            Property(name="condarc", example="{channels: [https://conda.example.org/stable]}",
                summary="A mapping, or its text, that becomes `<prefix>/.condarc`: channels that are "
                        "reachable later, for instance.",
                type=PerSystemType(value=UnionType(
                    noun="the content of a .condarc", example="{channels: [conda-forge]}",
                    options=(
                        OpenType(noun="a mapping", example="{channels: [conda-forge]}"),
                        ScalarType(noun="the text of a .condarc", example='"channels: [conda-forge]"',
                            parse=_condarc_text, number=None),
                    )))),
            Property(name="extra_files", default=[], example="[README.txt, {report.sh: bin/report}]",
                summary="Files beside this one, each by its name or as `file: path below the prefix`. "
                        "Executable files stay executable.",
                type=PerSystemType(value=UnionType(
                    noun="a list of files", example="[README.txt]",
                    options=(
                        ListType(noun="a list of files", example="[README.txt]", unique=False,
                            item=UnionType(noun="a file", example="README.txt", options=(_FILE, _TARGETS))),
                        _TARGETS,
                    )))),
            Property(name="menu_packages", example="[jupyterlab, spyder]", default_text="all",
                summary="The packages whose `Menu/*.json` become menu entries; `[]` for none.",
                type=PerSystemType(value=ListType(
                    noun="a list of packages", example="[spyder]", item=PACKAGE_NAME, unique=False))),
            Property(name="initialize", default="ask", example="ask",
                summary="Whether programs are put on the search path: `ask`, `yes` (ENTER means yes), `no` "
                        "(not offered).",
                # To a reader of YAML 1.1, yes and no without quotes are booleans.
                type=PerSystemType(value=choice_type(
                    "an answer", ("ask", "yes", "no"),
                    spellings={"true": "yes", "True": "yes", "false": "no", "False": "no"}))),
            Property(name="register_python", default=True, example="false", type=PerSystemType(value=FLAG),
                summary="Whether the interpreter is registered with Windows "
                        "([PEP 514](https://peps.python.org/pep-0514/)), unless the installer's options say "
                        "otherwise."),
            Property(name="default_prefix", type=_PREFIX, example="{linux: $HOME/starter}",
                default_text="`$HOME/<distribution>`",
                summary="Where to install by default. In a `.sh` it is absolute or begins with `$HOME/` or "
                        "`~/`."),
            Property(name="default_prefix_all_users", type=_PREFIX, example="{linux: /opt/starter}",
                default_text="as above", summary="The same for all users; in a `.sh`, for root."),
            Property(name="keep_installer", default=False, example="{linux: true}",
                type=PerSystemType(value=FLAG),
                summary="Whether a copy of the installer stays in the prefix, so that "
                        "[a repair](../howto/administer.md) needs no other file."),
        ),
    ),
)  # fmt: skip


def read_settings(folder: Path | None) -> Mapping[System, InstallerSettings]:
    """Return the settings for the installers of each system; a folder without any gives the defaults.

    Parameters
    ----------
    folder
        Where ``installer.yaml`` is, and the scripts and files that it names.

    Raises
    ------
    DocumentError
        With every problem of the file, and of those that it names.
    """
    if folder is None:
        return dict.fromkeys(SYSTEMS, InstallerSettings())
    with Problems(folder / SETTINGS_FILE, INSTALLER) as problems:
        tree = read_document(folder / SETTINGS_FILE, problems)
        return {system: _Values(tree, system, folder, problems).settings() for system in SYSTEMS}


class _Values:
    """The values of one system."""

    def __init__(self, tree: ValidatedValue | None, system: System, folder: Path, problems: Problems) -> None:
        self._folder, self._problems = folder, problems
        self._values = {
            name: entry.value.values[system]
            for name, entry in (entries_at(tree) if tree is not None else ())
            if isinstance(entry.value, PerSystemValue) and system in entry.value.values
        }

    def settings(self) -> InstallerSettings:
        default = InstallerSettings()
        return InstallerSettings(
            pre_install=self._script("pre_install"),
            post_install=self._script("post_install"),
            pre_uninstall=self._script("pre_uninstall"),
            script_environment=dict(sorted(self._texts("script_environment").items())),
            condarc=self._condarc(),
            extra_files=self._extra_files(),
            menu_packages=self._menu_packages(),
            initialize=Initialize(self._scalar("initialize") or default.initialize),
            register_python=self._scalar("register_python") is not False,
            default_prefix=str(self._scalar("default_prefix") or ""),
            default_prefix_all_users=str(self._scalar("default_prefix_all_users") or ""),
            keep_installer=self._scalar("keep_installer") is True,
        )

    def _scalar(self, key: str) -> object:
        value = self._values.get(key)
        return value.value if isinstance(value, ScalarValue) else None

    def _texts(self, key: str) -> dict[str, str]:
        value = self._values.get(key)
        return {name: str(text.value) for name, text in _scalars(value)}

    def _script(self, key: str) -> str:
        value = self._values.get(key)
        if not isinstance(value, ScalarValue) or value.value is None:
            return ""
        text = named_text(self._folder, value, self._problems)
        if not text.strip() and not self._problems.any_at(value.span):
            self._problems.add(value.span, f"the script {value.value} is empty")
        return text

    def _condarc(self) -> str | None:
        import yaml

        value = self._values.get("condarc")
        if isinstance(value, OpenValue):
            return yaml.safe_dump(value.value, sort_keys=False, allow_unicode=True)
        return None if (text := self._scalar("condarc")) is None else str(text)

    def _menu_packages(self) -> tuple[str, ...] | None:
        value = self._values.get("menu_packages")
        if not isinstance(value, ListValue):
            return None
        return tuple(sorted({str(item.value) for item in value.items if isinstance(item, ScalarValue)}))

    def _extra_files(self) -> tuple[ExtraFile, ...]:
        found: dict[str, tuple[ExtraFile, ScalarValue]] = {}
        for name, target in self._targets(self._values.get("extra_files")):
            if not (self._folder / name).is_file():
                add_absent_file(self._folder, name, target, self._problems)
                continue
            try:
                file = extra_file(self._folder / name, str(target.value))
            except ParseError as error:
                self._problems.add(target.span, error.message)
                continue
            first = found.setdefault(file.target.lower(), (file, target))
            if first[1] is not target:
                message = f"two files go to {file.target}"
                self._problems.add(target.span, message, related=(first[1].span, "the first one"))
        return tuple(sorted((file for file, _ in found.values()), key=lambda file: file.target))

    def _targets(self, value: ValidatedValue | None) -> list[tuple[str, ScalarValue]]:
        """Return the files with where they go; a file by its name only goes to that name."""
        if isinstance(value, ListValue):
            return [pair for item in value.items for pair in self._targets(item)]
        if isinstance(value, ScalarValue) and value.value is not None:
            return [(str(value.value), value)]
        return list(_scalars(value))


def _scalars(value: ValidatedValue | None) -> list[tuple[str, ScalarValue]]:
    entries = value.entries.items() if isinstance(value, MappingValue) else ()
    return [(name, entry.value) for name, entry in entries if isinstance(entry.value, ScalarValue)]


def extra_file(source: Path, target: str) -> ExtraFile:
    """Return the existing file ``source`` as one that goes to ``target`` in the prefix.

    Raises
    ------
    ParseError
        If no file may go there.
    """
    if _TARGET.fullmatch(target) is None or _RESERVED.fullmatch(target.lower()):
        raise ParseError(message=f"{target} is not a path below the prefix where a file may go")
    return ExtraFile(
        source=source,
        target=target,
        sha256=sha256_file(source),
        executable=bool(source.stat().st_mode & 0o100),
    )
