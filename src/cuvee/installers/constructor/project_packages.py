"""Reading the packages of a project, and their channels."""

import re
from dataclasses import replace
from pathlib import Path

from cuvee.conda.explicit_list import EXPLICIT, ExplicitArchive, parse_explicit_line
from cuvee.conda.url_secrets import clean_url, secret_in, without_secrets, without_secrets_in
from cuvee.errors import CuveeError
from cuvee.files import parse_json
from cuvee.installers.constructor.construct_values import ConstructValues
from cuvee.installers.constructor.model import ChannelRemap, ProjectPackages
from cuvee.installers.constructor.yaml_document import read_text, read_yaml
from cuvee.manifest.folder_lookup import resolve_channel
from cuvee.platforms import DEFAULT_FLOOR, FLOOR_KEYS

_DEFAULTS = ("https://repo.anaconda.com/pkgs/main", "https://repo.anaconda.com/pkgs/r")
_DEFAULTS_WINDOWS = "https://repo.anaconda.com/pkgs/msys2"
_PLATFORM_LINE = re.compile(r"#\s*platform:\s*(\S+)")
_LONGEST = 2000
_DIGESTS = {32: "md5", 64: "sha256"}
_ADDRESS = re.compile(
    r"(?P<channel>[a-z]+://[^#\s]*?)/[^/#\s]+/(?P<name>[^/#\s]+)-(?P<version>[^-/#\s]+)-(?P<build>[^-/#\s]+)"
    r"\.(?:conda|tar\.bz2)(?:#(?P<digest>\S+))?"
)
_VIRTUAL = re.compile(r"__([a-z]+)((?:[\s=<>!~*].*)?)")
_LOWEST = re.compile(r"(?:>=|==?)?\s*([0-9][0-9.]*)(?:\.\*|\*)?(?:=\S+)?")
_FAMILY = re.compile(r"[= ]([a-z]\w*)$")


def read_packages(values: ConstructValues, platform: str) -> ProjectPackages:
    """Return the packages of a project, and their channels."""
    channels = _channels(values, values.texts("channels"))
    specs = values.texts("specs")
    archives: tuple[ExplicitArchive, ...] = ()
    if isinstance(values.raw("specs"), str):
        path = values.path("specs")
        specs = tuple(_lines(values, "specs", path)) if path is not None else ()
    environment, file = values.text("environment"), values.path("environment_file")
    if environment:
        specs, archives = (), _environment(values, environment)
    elif file is not None and file.suffix.lower() in {".yml", ".yaml"}:
        own, specs = _environment_yaml(values, file)
        channels = own or channels
    elif file is not None:
        specs, archives = _environment_text(values, file, platform)
    remaps = _remaps(values)
    named = [_channel_and_spec(spec) for spec in specs]
    channels = tuple(dict.fromkeys((*channels, *(name for name, _ in named if name))))
    specs = tuple(spec for _, spec in named)
    if not channels and not remaps and not archives:
        values.wrong("channels", "there is none, nor in channels_remap; a .condarc is not read")
    return ProjectPackages(
        channels=(*channels, *(remap.source for remap in remaps)),
        remaps=remaps,
        specs=tuple(dict.fromkeys(specs)),
        archives=archives,
        requested=tuple(map(without_secrets_in, values.texts("user_requested_specs"))) or specs,
        exclude=_exclude(values),
        floor=_floor(values),
    )


def _channel_and_spec(spec: str) -> tuple[str, str]:
    """Return the channel and the exact spec of a package that is named by its URL; else no channel."""
    match = _ADDRESS.fullmatch(spec) if len(spec) < _LONGEST else None
    if match is None:
        channel, colons, rest = spec.rpartition("::")
        return "", f"{clean_url(channel)}{colons}{rest}"
    digest = match["digest"] or ""
    kind = _DIGESTS.get(len(digest.removeprefix("sha256:")))
    parts = [f"version='=={match['version']}'", f"build='{match['build']}'"]
    parts += [f"{kind}={digest.removeprefix('sha256:')}"] if kind else []
    return match["channel"], f"{clean_url(match['channel'])}::{match['name']}[{', '.join(parts)}]"


def _channels(values: ConstructValues, stated: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    for name in stated:
        if name == "defaults":
            found += _DEFAULTS
            found += [_DEFAULTS_WINDOWS] if values.system == "win" else []
        elif secret_in(name) in {"a query", "a fragment"}:
            values.wrong("channels", f"{without_secrets(name)} carries {secret_in(name)}")
        elif name != "nodefaults":
            found.append(resolve_channel(name, values.folder))
    return tuple(dict.fromkeys(found))


def _remaps(values: ConstructValues) -> tuple[ChannelRemap, ...]:
    found = []
    for item in values.items("channels_remap"):
        if (
            not isinstance(item, dict)
            or set(item) != {"src", "dest"}
            or not all(isinstance(text, str) and text.strip() for text in item.values())
        ):
            values.wrong("channels_remap", "must be a list of mappings with src and dest")
            continue
        source = resolve_channel(item["src"].strip(), values.folder)
        found.append(ChannelRemap(source=source, destination=item["dest"].strip().rstrip("/")))
    return tuple(found)


def _exclude(values: ConstructValues) -> tuple[str, ...]:
    names = values.texts("exclude")
    for name in names:
        if set(" =<>*") & set(name):
            values.wrong("exclude", f"{name} is not a package's name")
    return tuple(name.lower() for name in names)


def _lines(values: ConstructValues, name: str, path: Path) -> list[str]:
    try:
        lines = read_text(path).splitlines()
    except CuveeError as error:
        values.wrong(name, error.message)
        return []
    return [line.strip() for line in lines if line.strip()]


def _environment_text(
    values: ConstructValues, path: Path, platform: str
) -> tuple[tuple[str, ...], tuple[ExplicitArchive, ...]]:
    """Read a list of specs, or of URLs below a line ``@EXPLICIT``."""
    lines = _lines(values, "environment_file", path)
    for line in lines:
        match = _PLATFORM_LINE.match(line)
        if match is not None and match[1] != platform:
            values.wrong("environment_file", f"{path.name} is for {match[1]}")
    plain = [line for line in lines if not line.startswith("#")]
    if EXPLICIT not in plain:
        return tuple(plain), ()
    urls = [line for line in plain if line != EXPLICIT]
    return (), tuple(_archive(values, "environment_file", line, path.parent) for line in urls)


def _archive(values: ConstructValues, name: str, line: str, folder: Path) -> ExplicitArchive:
    """Read a line of an explicit list, whose path is relative to its folder."""
    try:
        archive = parse_explicit_line(line)
    except ValueError:
        values.wrong(name, f"the hash of {line} is neither an MD5 nor a SHA-256")
        archive = ExplicitArchive(url=line.partition("#")[0])
    if not archive.md5 and not archive.sha256:
        values.warn(name, f"{archive.url.rpartition('/')[2]} has no hash, so it is not checked")
    if "://" in archive.url:
        return archive
    return replace(archive, url=(folder / archive.url).absolute().as_uri())


def _environment_yaml(values: ConstructValues, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read an ``environment.yml``: channels and specs."""
    name = "environment_file"
    try:
        found = read_yaml(read_text(path), path)
    except CuveeError as error:
        values.wrong(name, error.message)
        return (), ()
    if not isinstance(found, dict) or not isinstance(found.get("dependencies", []), list):
        values.wrong(name, f"{path.name} has no list of dependencies")
        return (), ()
    specs = []
    for item in found.get("dependencies", []):
        if isinstance(item, str):
            specs.append(item.strip())
        elif isinstance(item, dict) and set(item) == {"pip"}:
            values.warn(
                name, f"{path.name} has a pip section, whose packages are left out, as in constructor"
            )
        else:
            values.wrong(name, f"{path.name} has a dependency that is not a text: {item}")
    if found.get("variables"):
        values.warn(name, f"{path.name} has variables, which are left out, as in constructor")
    stated = found.get("channels") or []
    if not isinstance(stated, list) or not all(isinstance(item, str) for item in stated):
        values.wrong(name, f"{path.name} has channels that are not texts")
        stated = []
    if stated and "channels" in values:
        values.warn("channels", f"those of {path.name} are used instead, as in constructor")
    return _channels(values, tuple(item.strip() for item in stated)), tuple(specs)


def _environment(values: ConstructValues, stated: str) -> tuple[ExplicitArchive, ...]:
    """Return the packages of a prefix, from its records."""
    prefix = values.folder / Path(stated).expanduser()
    records = sorted((prefix / "conda-meta").glob("*.json"))
    if not records:
        reason = (
            "an environment's name cannot be looked up: give its folder"
            if "/" not in stated
            else (f"{stated} is not a folder with an environment")
        )
        values.wrong("environment", reason)
        return ()
    found = []
    for path in records:
        try:
            record = parse_json(path.read_text(encoding="utf-8"))
            found.append(
                ExplicitArchive(
                    url=str(record["url"]), md5=record.get("md5") or "", sha256=record.get("sha256") or ""
                )
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            values.wrong("environment", f"{path.name} does not have the URL of its package")
    return tuple(found)


def _floor(values: ConstructValues) -> dict[str, str]:
    """Return the floor from specs such as ``__glibc >=2.28``, with cuvee's defaults."""
    floor = dict(DEFAULT_FLOOR[values.system])
    known = FLOOR_KEYS[values.system]
    for spec in values.texts("virtual_specs"):
        match = _VIRTUAL.fullmatch(spec)
        if match is None or match[1] not in {*known, "unix"}:
            values.warn("virtual_specs", f"{spec} is not checked: only __{', __'.join(known)} are")
            continue
        key, family = match[1], _FAMILY.search(match[2])
        for clause in match[2].split(",") if key != "archspec" else ():
            bound = _LOWEST.fullmatch(clause.strip())
            if bound is not None:
                floor[key] = bound[1]
            elif clause.strip() not in {"", "*"}:
                values.warn(
                    "virtual_specs", f"{spec}: {clause.strip()} is not checked, only the oldest version is"
                )
        if key == "archspec" and family is not None:
            floor[key] = family[1]
    return floor
