"""Every key of ``construct.yaml``, as of constructor 3.16, and how it is treated.

Tests compare the table with constructor's JSON Schema, and the reference page with the table.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from cuvee.platforms import System


class Form(enum.Enum):
    """The form of a key's value."""

    TEXT = "a text"
    TEXTS = "a list of texts"
    TEXT_OR_TEXTS = "a text, or a list of texts"
    TEXT_OR_FLAG = "a text, or true or false"
    TEXT_OR_MAPPING = "a text, or a mapping"
    NAMES = "a mapping of texts to texts"
    LISTS = "a mapping of texts to lists of texts"
    FLAG = "true or false"
    MAPPING = "a mapping"
    ITEMS = "a list"


class Treatment(enum.Enum):
    """How a key is treated, unless its value requests nothing."""

    HONOURED = "honoured"
    """Our installers do what it requests."""
    NEEDLESS = "no effect"
    """Nothing to do: our installers always do so, or constructor itself ignores it."""
    NAMED = "named"
    """It is not supported; a warning says so."""
    REFUSED = "refused"
    """It is not supported, and the installer would be wrong without it; an error says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConstructKey:
    """One key.

    Attributes
    ----------
    how
        How it is honoured, or why it is not: a sentence for the reference and for warnings.
    nothing
        Values that request nothing else than the default.
    systems
        The systems on which constructor uses it; there is no warning on others.
    """

    name: str
    form: Form
    treatment: Treatment
    how: str
    nothing: tuple[object, ...] = ("", False)
    systems: tuple[System, ...] = ("linux", "osx", "win")


_NOTHING: Mapping[str, tuple[object, ...]] = {
    "ignore_duplicate_files": (True,),
    "pkg_domains": ({},),
    "docker_labels": ({},),
    "extra_envs": ({},),
    "temp_extra_files": ([],),
    "post_install_pages": ("", []),
}

_WINDOWS: tuple[System, ...] = ("win",)
_MACOS: tuple[System, ...] = ("osx",)
_SHOWN: tuple[System, ...] = ("osx", "win")
_SYSTEMS: Mapping[str, tuple[System, ...]] = {
    "batch_mode": ("linux", "osx"),
    "conclusion_file": _SHOWN,
    "readme_file": _MACOS,
    "readme_text": _MACOS,
    "post_install_pages": _SHOWN,
    "nsis_template": _WINDOWS,
    "temp_extra_files": _WINDOWS,
    "pre_install_desc": _SHOWN,
    "post_install_desc": _SHOWN,
    "default_location_pkg": _MACOS,
    "default_prefix_domain_user": _WINDOWS,
    "install_path_exists_error_text": _MACOS,
    "pkg_domains": _MACOS,
    "progress_notifications": _MACOS,
    "uninstall_name": _WINDOWS,
    "signing_identity_name": _MACOS,
    "notarization_identity_name": _MACOS,
    "windows_signing_tool": _WINDOWS,
    "signing_certificate": _WINDOWS,
}


def _keys(treatment: Treatment, *rows: tuple[str, Form, str]) -> list[ConstructKey]:
    return [
        ConstructKey(
            name=name,
            form=form,
            treatment=treatment,
            how=how,
            nothing=_NOTHING.get(name, ("", False)),
            systems=_SYSTEMS.get(name, ("linux", "osx", "win")),
        )
        for name, form, how in rows
    ]


_TABLE = [
    *_keys(
        Treatment.HONOURED,
        ("name", Form.TEXT, "The installer's name; in lower case, the distribution's."),
        ("version", Form.TEXT, "The release's number, as it stands."),
        ("company", Form.TEXT, "The publisher, where an installer shows one."),
        ("reverse_domain_identifier", Form.TEXT, "The identifier of the `.pkg`, with `name` behind it."),
        ("installer_type", Form.TEXT_OR_TEXTS, "`sh`, `exe`, `msi`, `pkg` or `all`; `docker` is refused."),
        ("installer_filename", Form.TEXT, "The installer's file name, if one installer is made."),
        ("channels", Form.TEXTS, "Where packages come from, the first wins; `defaults` is several channels."),
        ("channels_remap", Form.ITEMS, "Packages come from `src`, and the prefix's records say `dest`."),
        ("specs", Form.TEXT_OR_TEXTS, "What to install: a list, or a file with one."),
        ("user_requested_specs", Form.TEXTS, "The requested specs in the prefix's history."),
        ("virtual_specs", Form.TEXTS, "The oldest system, for solving and for the installer's own check."),
        ("exclude", Form.TEXTS, "Packages that are removed from the solution."),
        ("environment", Form.TEXT, "A folder with an environment, whose records are taken; not its name."),
        ("environment_file", Form.TEXT, "An `environment.yml`, a list of specs, or an `@EXPLICIT` list."),
        ("license_file", Form.TEXT, "Shown for agreement; rich text and HTML as plain text."),
        ("welcome_file", Form.TEXT, "The first page's text; rich text and HTML as plain text."),
        ("welcome_text", Form.TEXT, "The first page's text."),
        ("welcome_image", Form.TEXT, "Beside the first page of the `.exe`: a `.bmp` of 164 by 314 pixels."),
        ("header_image", Form.TEXT, "Above the pages of the `.exe`: a `.bmp` of 150 by 57 pixels."),
        ("icon_image", Form.TEXT, "The `.exe`'s icon: an `.ico`."),
        ("pre_install", Form.TEXT, "Run before the prefix is moved; if it fails, so does the installation."),
        ("post_install", Form.TEXT, "Run in the new prefix; if it fails, so does the installation."),
        ("pre_uninstall", Form.TEXT, "Run before the prefix is removed, on every system."),
        ("script_env_variables", Form.NAMES, "Given to the scripts."),
        ("extra_files", Form.ITEMS, "Put into the prefix, verified and removed like the packages' files."),
        ("freeze_base", Form.MAPPING, "Its `conda` becomes `conda-meta/frozen`, which conda respects."),
        ("menu_packages", Form.TEXTS, "The packages whose menu entries are made; none if the list is empty."),
        ("write_condarc", Form.FLAG, "A `.condarc` with the channels, and the three keys below."),
        ("conda_default_channels", Form.TEXTS, "Written to the `.condarc` as `default_channels`."),
        ("conda_channel_alias", Form.TEXT, "Written to the `.condarc` as `channel_alias`."),
        ("mirrored_channels", Form.LISTS, "Written to the `.condarc`, if `specs` name mamba."),
        ("condarc", Form.TEXT_OR_MAPPING, "Written to the `.condarc` in place of all that."),
        ("initialize_conda", Form.TEXT_OR_FLAG, "`false`: the search path is not offered; else it is."),
        ("initialize_by_default", Form.FLAG, "The default answer to the question about the search path."),
        ("register_python", Form.FLAG, "`false`: Python is not registered on Windows by default."),
        ("register_python_default", Form.FLAG, "Whether Python is registered on Windows by default."),
        ("keep_pkgs", Form.FLAG, "The installer's own file is kept in the prefix, for repairs."),
        ("default_prefix", Form.TEXT, "Where to install by default; on Unix it may name only $HOME."),
        ("default_prefix_all_users", Form.TEXT, "The same for all users of a Windows machine."),
        ("build_outputs", Form.ITEMS, "Written beside the installers, under constructor's names."),
    ),
    *_keys(
        Treatment.NEEDLESS,
        ("$schema", Form.TEXT, "For editors."),
        ("attempt_hardlinks", Form.TEXT_OR_FLAG, "Constructor itself ignores it."),
        ("install_in_dependency_order", Form.TEXT_OR_FLAG, "Constructor itself ignores it."),
        ("check_path_length", Form.FLAG, "The path's length is always checked."),
        ("check_path_spaces", Form.FLAG, "Paths with spaces are supported."),
        ("transmute_file_type", Form.TEXT, "An image has the content of packages, and no package files."),
        ("uninstall_with_conda_exe", Form.FLAG, "Each prefix can remove itself, without conda."),
        ("pkg_name", Form.TEXT, "The package's inner name is made from `name`, and is not shown."),
        ("default_image_color", Form.TEXT, "Only pictures that the project names are shown."),
        ("header_image_text", Form.TEXT, "Only pictures that the project names are shown."),
        ("welcome_image_text", Form.TEXT, "Only pictures that the project names are shown."),
    ),
    *_keys(
        Treatment.NAMED,
        ("batch_mode", Form.FLAG, "An installer asks, unless it is run with `-b`."),
        ("conclusion_file", Form.TEXT, "The last page has a text of its own."),
        ("conclusion_text", Form.TEXT, "The last page has a text of its own."),
        ("readme_file", Form.TEXT, "It has no page; use `welcome_file`."),
        ("readme_text", Form.TEXT, "It has no page; use `welcome_text`."),
        ("post_install_pages", Form.TEXT_OR_TEXTS, "Pages cannot be added."),
        ("nsis_template", Form.TEXT, "The `.exe` is made from our own template."),
        ("temp_extra_files", Form.ITEMS, "They are for pages, which cannot be added."),
        ("pre_install_desc", Form.TEXT, "The script runs without a question about it."),
        ("post_install_desc", Form.TEXT, "The script runs without a question about it."),
        ("default_location_pkg", Form.TEXT, "A `.pkg` installs to `/opt`, or to `opt` in the user's home."),
        ("default_prefix_domain_user", Form.TEXT, "Users of a domain have the same default as others."),
        ("install_path_exists_error_text", Form.TEXT, "The installer has its own message."),
        ("pkg_domains", Form.MAPPING, "A `.pkg` is for the user or for all users, as Installer asks."),
        ("progress_notifications", Form.FLAG, "Installer's own bar and log show the progress."),
        ("uninstall_name", Form.TEXT, "Windows lists it under its title and version."),
        ("ignore_duplicate_files", Form.FLAG, "A path in two packages is not an error."),
        ("register_envs", Form.FLAG, "The prefix is not written to `~/.conda/environments.txt`."),
        ("signing_identity_name", Form.TEXT, "Sign the `.pkg` afterwards, with productsign or rcodesign."),
        ("notarization_identity_name", Form.TEXT, "Notarise the `.pkg` afterwards."),
        ("windows_signing_tool", Form.TEXT, "Sign the `.exe` and `.msi` afterwards."),
        ("signing_certificate", Form.TEXT, "Sign the `.exe` and `.msi` afterwards."),
        ("docker_base_image", Form.TEXT, "No container is made."),
        ("docker_image_format", Form.TEXT, "No container is made."),
        ("docker_labels", Form.NAMES, "No container is made."),
        ("docker_tag", Form.TEXT, "No container is made."),
    ),
    *_keys(
        Treatment.REFUSED,
        ("extra_envs", Form.MAPPING, "An installer has one environment: make one for each."),
    ),
]  # fmt: skip

KEYS: Mapping[str, ConstructKey] = {key.name: key for key in _TABLE}
"""Every key by its name."""
