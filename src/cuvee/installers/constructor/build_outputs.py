"""The key ``build_outputs``: files beside the installers, under the names that constructor gives them.

https://conda.github.io/constructor/construct-yaml/#build_outputs
"""

import hashlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from cuvee.conda.explicit_list import explicit_list
from cuvee.conda.url_secrets import clean_url
from cuvee.files import write_json, write_text
from cuvee.installers.constructor.cached_licenses import cached_licenses
from cuvee.installers.constructor.construct_values import ConstructValues
from cuvee.installers.constructor.model import BuildOutputs, Project
from cuvee.lock.model import PlatformLock
from cuvee.progress import Reporter

_KEY = "build_outputs"
# `info.json` is its name in a list of words, `info_json` in a list of mappings.
_OPTIONS = {
    "hash": {"algorithm"},
    "info.json": set[str](),
    "info_json": set[str](),
    "licenses": {"include_text", "text_errors"},
    "lockfile": {"env"},
    "pkgs_list": {"env"},
}


def read_outputs(values: ConstructValues) -> BuildOutputs:
    """Return which files to write beside the installers."""
    requested: dict[str, dict[str, object]] = {}
    for item in values.items(_KEY):
        name, options = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else (item, {})
        if _are_good(values, name, options or {}):
            requested[str(name)] = options or {}
    return BuildOutputs(
        hashes=_algorithms(values, requested["hash"]) if "hash" in requested else (),
        info=bool({"info.json", "info_json"} & set(requested)),
        package_list="pkgs_list" in requested,
        lockfile="lockfile" in requested,
        licenses="licenses" in requested,
        license_texts=bool(requested.get("licenses", {}).get("include_text")),
    )


def _are_good(values: ConstructValues, name: object, options: object) -> bool:
    if not isinstance(name, str) or name not in _OPTIONS:
        values.wrong(_KEY, f"there is no output {name}; the outputs are {', '.join(_OPTIONS)}")
        return False
    if not isinstance(options, dict) or not set(options) <= _OPTIONS[name]:
        values.wrong(
            _KEY, f"{name} has the options {', '.join(sorted(_OPTIONS[name])) or 'none'}, and no others"
        )
        return False
    if options.get("env", "base") != "base":
        values.wrong(_KEY, f"{name} is for {options['env']}, but an installer has one environment")
        return False
    return True


def _algorithms(values: ConstructValues, options: dict[str, object]) -> tuple[str, ...]:
    stated = options.get("algorithm", [])
    found = [stated] if isinstance(stated, str) else stated
    # The two algorithms of variable length have no digest without a length.
    known = {name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")}
    if not isinstance(found, list) or not set(map(str, found)) <= known:
        values.wrong(_KEY, f"hash supports the algorithms {', '.join(sorted(known))}")
        return ()
    if not found:
        values.warn(_KEY, "hash names no algorithm, so no hash is written, as in constructor")
    return tuple(sorted(set(found)))


def read_licenses(
    project: Project, lock: PlatformLock, *, archives: Mapping[str, Path], cache: Path, reporter: Reporter
) -> dict[str, dict[str, str]]:
    """Return the texts of each package's licences by its ``identifier``; of none if they are not requested.

    Parameters
    ----------
    archives
        The archive of each package; asked for if the cache lacks its licences.
    """
    return {
        package.identifier: cached_licenses(
            partial(archives.__getitem__, package.identifier), package.sha256, cache, reporter
        )
        for package in (lock.packages if project.outputs.licenses else ())
    }


def write_outputs(
    project: Project,
    lock: PlatformLock,
    *,
    installers: Mapping[Path, str],
    licenses: Mapping[str, Mapping[str, str]],
    folder: Path,
) -> tuple[Path, ...]:
    """Write the requested files beside the installers; return their paths.

    Parameters
    ----------
    installers
        The installers, and their SHA-256.
    licenses
        See `read_licenses`.
    """
    outputs = project.outputs
    found = [
        _hash(path, algorithm, sha256) for path, sha256 in installers.items() for algorithm in outputs.hashes
    ]
    if outputs.info:
        found.append(folder / "info.json")
        write_json(found[-1], _info(project, lock, list(installers)))
    if outputs.package_list:
        names = "".join(f"\n{package.file_name}" for package in lock.packages)
        found.append(folder / "pkg-list.base.txt")
        write_text(found[-1], f"# {project.name} {project.version}, env=base{names}\n")
    if outputs.lockfile:
        found.append(folder / "lockfile.base.txt")
        write_text(found[-1], _lockfile(project, lock))
    if outputs.licenses:
        found.append(folder / "licenses.json")
        write_json(found[-1], _licenses(lock, licenses, texts=outputs.license_texts))
    return tuple(found)


def _hash(path: Path, algorithm: str, sha256: str) -> Path:
    target = path.with_name(f"{path.name}.{algorithm}")
    digest = sha256
    if algorithm != "sha256":
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, algorithm).hexdigest()
    write_text(target, f"{digest}  {path.name}\n")
    return target


def _info(project: Project, lock: PlatformLock, installers: Sequence[Path]) -> dict[str, object]:
    return {
        "name": project.name,
        "version": project.version,
        "_platform": project.platform,
        "company": project.branding.publisher,
        "channels": [clean_url(name) for name in project.packages.channels],
        "specs": list(project.packages.specs),
        "user_requested_specs": list(project.packages.requested),
        "exclude": list(project.packages.exclude),
        "virtual_specs": [str(package) for package in lock.virtual_packages],
        "installer_type": list(project.formats),
        "installers": [path.name for path in installers],
        "_urls": [[package.url, package.md5] for package in lock.packages],
    }


def _lockfile(project: Project, lock: PlatformLock) -> str:
    comments = [
        f"{project.name} {project.version}, to install with:",
        "  conda create --name NAME --file lockfile.base.txt",
    ]
    return explicit_list(lock.packages, project.platform, comments=comments, release=".")


def _licenses(
    lock: PlatformLock, licenses: Mapping[str, Mapping[str, str]], *, texts: bool
) -> dict[str, object]:
    found: dict[str, object] = {}
    for package in lock.packages:
        files = [
            {"path": path, "text": text if texts else None}
            for path, text in sorted(licenses[package.identifier].items())
        ]
        name = f"{package.channel}/{package.subdir}::{package.stem}"
        found[name] = {"type": package.license, "files": files}
    return found
