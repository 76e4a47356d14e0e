"""Reading ``installer.yaml``: what a distribution's installers do besides installing packages."""

import re
from collections.abc import Mapping
from pathlib import Path

from cuvee.files import sha256_file
from cuvee.image.settings import ByteCode, ExtraFile, Initialize, InstallerSettings
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
    ScalarValue,
    ValidatedValue,
    entries_at,
    entry_at,
    for_system,
    record_fields,
    scalar_at,
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
                    key=ScalarType(noun="a variable", example="SITE",
                        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", rule="letters, digits and `_` only")))),
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
                    spellings={"true": "yes", "True": "yes", "false": "no", "False": "no"},
                        parse=Initialize))),
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
            Property(name="bytecode", default="installer", example="{linux: desktop}",
                type=PerSystemType(value=choice_type(
                    "where byte code comes from", ("installer", "desktop", "none"), parse=ByteCode)),
                summary="Where the byte code of Python modules comes from: `installer` has it, `desktop` "
                        "makes it at the end of an installation, `none` leaves it to Python. See "
                        "[below](#byte-code)."),
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
    defaults = dict.fromkeys(SYSTEMS, InstallerSettings())
    if folder is None:
        return defaults
    with Problems(folder / SETTINGS_FILE, INSTALLER) as problems:
        tree = read_document(folder / SETTINGS_FILE, problems)
        if not isinstance(tree, MappingValue):
            return defaults
        return {system: _settings(for_system(tree, system), folder, problems) for system in SYSTEMS}


def read_byte_code(folder: Path, system: System) -> ByteCode:
    """Return what ``installer.yaml`` beside a constructor project says of byte code, if there is one.

    ``construct.yaml`` has no key for it, and keys for everything else.

    Raises
    ------
    DocumentError
        With every problem of the file, and every other key.
    """
    path = folder / SETTINGS_FILE
    if not path.exists():
        return ByteCode.INSTALLER
    with Problems(path, INSTALLER) as problems:
        tree = read_document(path, problems)
        if not isinstance(tree, MappingValue):
            return ByteCode.INSTALLER
        for name, entry in entries_at(tree):
            if name != "bytecode":
                problems.add(entry.key, f"beside construct.yaml only bytecode is read; {name} belongs there")
        fields = record_fields(for_system(tree, system))
        return ByteCode(fields.get("bytecode", ByteCode.INSTALLER))


def _settings(tree: MappingValue, folder: Path, problems: Problems) -> InstallerSettings:
    """Return the settings of one system, which ``tree`` has."""
    import yaml

    fields = record_fields(tree)
    for name in ("pre_install", "post_install", "pre_uninstall"):
        if (script := scalar_at(tree, name)) is not None:
            fields[name] = text = named_text(folder, script, problems)
            if not text.strip() and not problems.any_at(script.span):
                problems.add(script.span, f"the script {script.value} is empty")
    if isinstance(condarc := fields.get("condarc"), dict):
        fields["condarc"] = yaml.safe_dump(condarc, sort_keys=False, allow_unicode=True)
    if "script_environment" in fields:
        fields["script_environment"] = dict(sorted(fields["script_environment"].items()))
    if "menu_packages" in fields:
        fields["menu_packages"] = tuple(sorted(set(fields["menu_packages"])))
    if (files := entry_at(tree, "extra_files")) is not None:
        fields["extra_files"] = _extra_files(files.value, folder, problems)
    return InstallerSettings(**fields)


def _extra_files(value: ValidatedValue, folder: Path, problems: Problems) -> tuple[ExtraFile, ...]:
    found: dict[str, tuple[ExtraFile, ScalarValue]] = {}
    for name, target in _targets(value):
        if not (folder / name).is_file():
            add_absent_file(folder, name, target, problems)
            continue
        try:
            file = extra_file(folder / name, str(target.value))
        except ParseError as error:
            problems.add(target.span, error.message)
            continue
        first = found.setdefault(file.target.lower(), (file, target))
        if first[1] is not target:
            message = f"two files go to {file.target}"
            problems.add(target.span, message, related=(first[1].span, "the first one"))
    return tuple(sorted((file for file, _ in found.values()), key=lambda file: file.target))


def _targets(value: ValidatedValue) -> list[tuple[str, ScalarValue]]:
    """Return the files with where they go; a file by its name only goes to that name."""
    match value:
        case ListValue():
            return [pair for item in value.items for pair in _targets(item)]
        case ScalarValue() if value.value is not None:
            return [(str(value.value), value)]
        case _:
            entries = entries_at(value)
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
