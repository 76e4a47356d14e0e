"""From what rattler-build renders to our outputs, and back to what it builds."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cuvee.build.model import Output, Recipe
from cuvee.build.recipe_rules import sources_of
from cuvee.errors import DocumentError


def output_of(recipe: Recipe, document: dict[str, Any], used: Mapping[str, Any], platform: str) -> Output:
    """Return the output that a rendered recipe describes; ``used`` is its variant."""
    build = document.get("build") or {}
    tests = document.get("tests") or []
    return Output(
        recipe=recipe,
        name=str(document["package"]["name"]),
        version=str(document["package"]["version"]),
        build=str(build.get("string", "")),
        subdir="noarch" if build.get("noarch") else platform,
        variant={str(key): str(value) for key, value in sorted(used.items())},
        build_specs=_specs(document, "build"),
        host_specs=_specs(document, "host"),
        run_specs=_specs(document, "run"),
        test_specs=tuple(spec for test in tests for spec in _test_specs(test)),
        sources=sources_of(document),
        tests=len(tests),
        document=json.dumps(document, sort_keys=True),
    )


def skip_probe(stated: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a recipe that has a requirement if another is skipped; `None` if that never is."""
    conditions = (stated.get("build") or {}).get("skip")
    if not conditions:
        return None
    listed = conditions if isinstance(conditions, list) else [conditions]
    return {
        "context": stated.get("context") or {},
        "package": {"name": "probe", "version": "1"},
        "requirements": {"host": [{"if": _condition(item), "then": "skipped"} for item in listed]},
    }


def _condition(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _specs(document: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    """Return the specs of one kind; those that only the engine can resolve are their names."""
    requirements = (document.get("requirements") or {}).get(kind) or ()
    return tuple(_spec(item) for item in requirements)


def _spec(item: Any) -> str:
    if isinstance(item, str):
        return item
    (pin,) = item.values()
    return str(pin["name"] if isinstance(pin, dict) else pin)


def as_written(item: Any) -> Any:
    """Return a requirement as recipes write it: rendered pins are mappings, which recipes cannot have."""
    if not isinstance(item, dict):
        return item
    ((function, pin),) = item.items()
    values = {**pin} if isinstance(pin, dict) else {"name": pin}
    name = json.dumps(values.pop("name"))
    arguments = "".join(f", {key}={_literal(value)}" for key, value in sorted(values.items()))
    return f"${{{{ {function}({name}{arguments}) }}}}"


def _literal(value: Any) -> str:
    return "none" if value is None else json.dumps(value)


def _test_specs(test: Mapping[str, Any]) -> Iterator[str]:
    requirements = test.get("requirements") or {}
    yield from (_spec(item) for kind in ("run", "build") for item in requirements.get(kind) or ())
    python = test.get("python")
    if isinstance(python, dict):
        yield "python"
        if python.get("pip_check", True):
            yield "pip"


def with_siblings(output: Output, outputs: tuple[Output, ...]) -> Output:
    """Return an output whose exact pins of the recipe's other outputs are written out.

    Each output is built by itself, and the engine could not tell what the others are.
    """
    by_name = {item.name: item for item in outputs}
    document = json.loads(output.document)
    for items in (document.get("requirements") or {}).values():
        if not isinstance(items, list):
            continue
        for index, item in enumerate(items):
            pin = item.get("pin_subpackage") if isinstance(item, dict) else None
            if not isinstance(pin, dict) or pin.get("name") == output.name:
                continue
            sibling = by_name.get(str(pin.get("name")))
            if sibling is None or not pin.get("exact"):
                raise DocumentError(
                    f"{output.recipe.file}: {output.name} pins the output {pin.get('name')} by a range",
                    hint="Write `exact: true`, or the range itself.",
                )
            items[index] = f"{sibling.name} =={sibling.version} {sibling.build}"
    return replace(
        output,
        document=json.dumps(document, sort_keys=True),
        build_specs=_specs(document, "build"),
        host_specs=_specs(document, "host"),
        run_specs=_specs(document, "run"),
    )
