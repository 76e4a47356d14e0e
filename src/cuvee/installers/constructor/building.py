"""What ``build_outputs`` asks for."""

import hashlib
from typing import Any

from cuvee.installers.constructor.model import Outputs
from cuvee.installers.constructor.values import Values

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


def read_outputs(values: Values) -> Outputs:
    """Read which files are to be written beside the installers."""
    asked: dict[str, dict[str, Any]] = {}
    for item in values.items(_KEY):
        name, options = next(iter(item.items())) if isinstance(item, dict) and len(item) == 1 else (item, {})
        if _are_good(values, name, options or {}):
            asked[name] = options or {}
    return Outputs(
        hashes=_hashes(values, asked["hash"]) if "hash" in asked else (),
        info=bool({"info.json", "info_json"} & set(asked)),
        package_list="pkgs_list" in asked,
        lockfile="lockfile" in asked,
        licenses="licenses" in asked,
        license_texts=bool(asked.get("licenses", {}).get("include_text")),
    )


def _are_good(values: Values, name: Any, options: Any) -> bool:
    if not isinstance(name, str) or name not in _OPTIONS:
        values.wrong(_KEY, f"there is no {name}: it knows {', '.join(_OPTIONS)}")
        return False
    if not isinstance(options, dict) or not set(options) <= _OPTIONS[name]:
        values.wrong(_KEY, f"{name} has other options than {', '.join(sorted(_OPTIONS[name])) or 'none'}")
        return False
    if options.get("env", "base") != "base":
        values.wrong(_KEY, f"{name} is of {options['env']}, but an installer holds one environment")
        return False
    return True


def _hashes(values: Values, options: dict[str, Any]) -> tuple[str, ...]:
    stated = options.get("algorithm", [])
    found = [stated] if isinstance(stated, str) else stated
    # The two of variable length have no digest unless somebody says how long.
    known = {name for name in hashlib.algorithms_guaranteed if not name.startswith("shake")}
    if not isinstance(found, list) or not set(map(str, found)) <= known:
        values.wrong(_KEY, f"hash knows the algorithms {', '.join(sorted(known))}")
        return ()
    if not found:
        values.warn(_KEY, "hash names no algorithm, so there is none; constructor writes none either")
    return tuple(sorted(set(found)))
