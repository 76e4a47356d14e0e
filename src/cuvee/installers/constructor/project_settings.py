"""Reading a project's branding and settings: pages, pictures, scripts, and files besides packages."""

import re
from pathlib import Path

from cuvee.conda.url_secrets import clean_url
from cuvee.errors import CuveeError
from cuvee.files import canonical_json
from cuvee.image.settings import ExtraFile, Initialize, InstallerSettings
from cuvee.installers.branding import Branding
from cuvee.installers.constructor.construct_values import ConstructValues
from cuvee.installers.constructor.rich_text import from_html, from_rtf
from cuvee.installers.constructor.yaml_document import read_text
from cuvee.installers.picture_check import picture_problem
from cuvee.installers.settings_reader import extra_file, read_byte_code
from cuvee.manifest.documents.schema_types import ParseError

_HOME = re.compile(r"^(?:~|\$\{HOME(?::?-[^}]*)?\})(?=/)")
_PLAIN_PREFIX = re.compile(r"(?:\$HOME)?/[^\x00-\x1f\x7f\"'$`\\:]*")
_RICH = {".rtf": from_rtf, ".html": from_html, ".htm": from_html}
_CODE = {".nsi"}
_BATCH = {".bat", ".cmd"}


def read_branding(values: ConstructValues, formats: tuple[str, ...]) -> Branding:
    """Return the texts and pictures for installers of some formats."""
    identifier, name = values.text("reverse_domain_identifier"), values.text("name")
    return Branding(
        license_text=_license(values),
        publisher=values.text("company"),
        identifier=f"{identifier}.{name.replace('_', '-')}" if identifier else "",
        welcome=_welcome(values, formats),
        icon=_picture(values, "icon_image", ".ico", formats),
        welcome_picture=_picture(values, "welcome_image", ".bmp", formats),
        header_picture=_picture(values, "header_image", ".bmp", formats),
    )


def _license(values: ConstructValues) -> str:
    path = values.path("license_file")
    if path is not None and path.suffix.lower() in _CODE:
        values.wrong("license_file", f"{path.name} is NSIS code for constructor: give the text as .txt")
        return ""
    return _plain(values, "license_file", path)


def _welcome(values: ConstructValues, formats: tuple[str, ...]) -> str:
    path = values.path("welcome_file")
    text = values.text("welcome_text").strip()
    if not (path or text):
        return ""
    if formats == ("sh",):
        # As in constructor, a .sh has no such page.
        return ""
    if path is not None and path.suffix.lower() in _CODE:
        values.warn("welcome_file", f"pages cannot be added, so {path.name} is left out")
        return text
    return _plain(values, "welcome_file", path) or text


def _plain(values: ConstructValues, name: str, path: Path | None) -> str:
    """Return the text of a file: of rich text and HTML, what they show."""
    text = _content(values, name, path)
    read = None if path is None else _RICH.get(path.suffix.lower())
    return text if read is None else read(text)


def _picture(values: ConstructValues, name: str, suffix: str, formats: tuple[str, ...]) -> Path | None:
    if "exe" not in formats:
        if values.text(name) and "pkg" in formats:
            values.warn(name, "a .pkg shows no pictures")
        return None
    path = values.path(name)
    if path is None:
        return None
    if path.suffix.lower() != suffix:
        values.warn(name, f"{path.name} is left out: give it as {suffix}")
        return None
    if problem := picture_problem(path):
        values.wrong(name, f"{path.name} cannot be shown: {problem}")
    return path


def read_settings(values: ConstructValues) -> InstallerSettings:
    """Return what an installer does besides linking packages."""
    menus = values.raw("menu_packages")
    on_windows = values.system == "win"
    # Constructor sets INSTALLER_NAME to the name as the project spells it.
    variables = {"INSTALLER_NAME": values.text("name")} | values.mapping("script_env_variables")
    return InstallerSettings(
        pre_install=_script(values, "pre_install"),
        post_install=_script(values, "post_install"),
        pre_uninstall=_pre_uninstall(values),
        script_environment={name: str(value) for name, value in sorted(variables.items())},
        condarc=_condarc(values),
        extra_files=_extra_files(values),
        menu_packages=None if menus is None else tuple(sorted(set(values.texts("menu_packages")))),
        initialize=_initialize(values),
        register_python=values.flag("register_python", default=True)
        and values.flag("register_python_default", default=False),
        default_prefix=_default_prefix(values),
        keep_installer=values.flag("keep_pkgs", default=False),
        default_prefix_all_users=values.text("default_prefix_all_users") if on_windows else "",
        bytecode=read_byte_code(values.folder, values.system),
    )


def _default_prefix(values: ConstructValues) -> str:
    """Return the default prefix of constructor's installers, so that users find it in the same folder."""
    name, stated = values.text("name"), values.text("default_prefix").strip()
    if values.system == "win":
        return stated or f"%USERPROFILE%\\{name}"
    usual = f"$HOME/{name.lower()}"
    found = _HOME.sub("$HOME", stated) or usual
    if _PLAIN_PREFIX.fullmatch(found):
        return found
    values.warn("default_prefix", f"{stated} has other variables than $HOME, so {usual} is used")
    return usual


def read_frozen(values: ConstructValues) -> str:
    """Return the content of ``conda-meta/frozen``, as JSON; see https://conda.org/learn/ceps/cep-0022."""
    stated = values.mapping("freeze_base")
    for manager in sorted(set(stated) - {"conda"}):
        values.wrong("freeze_base", f"only conda is supported, not {manager}")
    value = stated.get("conda")
    if value is None:
        return ""
    if not isinstance(value, dict):
        values.wrong("freeze_base", "conda must be a mapping")
        return ""
    return canonical_json(value).decode()


def _content(values: ConstructValues, name: str, path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return read_text(path)
    except CuveeError as error:
        values.wrong(name, error.message)
        return ""


def _script(values: ConstructValues, name: str) -> str:
    path = values.path(name)
    text = _content(values, name, path)
    if path is not None and values.system == "win" and path.suffix.lower() not in _BATCH:
        values.wrong(name, f"Windows runs a .bat, and not {path.name}")
    return text


def _pre_uninstall(values: ConstructValues) -> str:
    """Return the script; constructor runs it only on Windows, so it may be one for Windows only."""
    name = values.text("pre_uninstall").strip()
    if values.system != "win" and Path(name).suffix.lower() in _BATCH:
        values.warn("pre_uninstall", f"{name} is left out, since it is for Windows")
        return ""
    return _script(values, "pre_uninstall")


def _initialize(values: ConstructValues) -> Initialize:
    word = values.raw("initialize_conda")
    if word is False or word == "false":
        return Initialize.NO
    if isinstance(word, str) and word not in {"classic", "condabin"}:
        values.wrong("initialize_conda", "must be classic, condabin, true or false")
    if word == "condabin":
        values.warn("initialize_conda", "the search path gets all programs of the prefix, not only condabin")
    return Initialize.YES if values.flag("initialize_by_default", default=False) else Initialize.ASK


def _condarc(values: ConstructValues) -> str | None:
    """Return the ``.condarc`` that constructor would write."""
    import yaml

    stated = values.raw("condarc")
    if stated is None:
        stated = _legacy_condarc(values)
    if isinstance(stated, dict):
        return yaml.safe_dump(stated, sort_keys=False, allow_unicode=True) if stated else None
    text = str(stated)
    return text if not text or text.endswith("\n") else f"{text}\n"


def _legacy_condarc(values: ConstructValues) -> dict[str, object]:
    if not values.flag("write_condarc", default=False):
        return {}
    mirrors = values.mapping("mirrored_channels")
    if mirrors and "mamba" not in {spec.split("=")[0].split()[0] for spec in _words(values)}:
        values.warn(
            "mirrored_channels", "only mamba supports mirrors, and no spec names it, so it is left out"
        )
        mirrors = {}
    parts: dict[str, object] = {
        "default_channels": list(map(clean_url, values.texts("conda_default_channels"))),
        "channels": list(map(clean_url, values.texts("channels"))),
        "channel_alias": clean_url(values.text("conda_channel_alias")),
        "mirrored_channels": mirrors,
    }
    return {name: value for name, value in parts.items() if value}


def _words(values: ConstructValues) -> tuple[str, ...]:
    stated = values.raw("specs")
    return tuple(item for item in stated if item.strip()) if isinstance(stated, list) else ()


def _extra_files(values: ConstructValues) -> tuple[ExtraFile, ...]:
    found: dict[str, ExtraFile] = {}
    for item in values.items("extra_files"):
        pairs = item.items() if isinstance(item, dict) else [(item, Path(str(item)).name)]
        for source, target in pairs:
            path = values.folder / str(source)
            if not path.is_file():
                values.wrong("extra_files", f"{source} is not a file")
                continue
            try:
                file = extra_file(
                    path, str(target).replace("\\", "/") if values.system == "win" else str(target)
                )
            except ParseError as error:
                values.wrong("extra_files", error.message)
                continue
            if file.target.lower() in found:
                values.wrong("extra_files", f"{file.target} is named twice")
            found[file.target.lower()] = file
    return tuple(sorted(found.values(), key=lambda file: file.target))
