"""Build or test one package with rattler-build; runs as a program of its own, isolated.

Usage: ``python -I engine_program.py TASK`` where TASK is a JSON file. What rattler-build and the recipe's
scripts say goes to stdout; the exit code is 0 if the package was built, or its tests have passed.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class _Log:
    """Writes what rattler-build reports."""

    def __getattr__(self, name: str) -> Any:
        return lambda _event: None

    def on_log(self, event: Any) -> None:
        sys.stdout.write(f"{event.message}\n")
        sys.stdout.flush()


def main(argv: list[str]) -> int:
    task = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    try:
        return _build(task) if task["task"] == "build" else _test(task)
    except Exception as error:  # noqa: BLE001 - what the engine raises is the answer
        sys.stdout.write(f"\n{type(error).__name__}: {error}\n")
        return 1


def _build(task: Mapping[str, Any]) -> int:
    from rattler_build import PlatformConfig, RenderConfig, Stage0Recipe, ToolConfiguration, VariantConfig

    recipe = Stage0Recipe.from_dict(task["recipe"], recipe_dir=task["folder"])
    if task["platforms"]:
        here, target = task["platforms"]
        platforms = PlatformConfig(target_platform=target, build_platform=here, host_platform=target)
        (rendered,) = recipe.render(VariantConfig({}), RenderConfig(platform=platforms))
    else:
        (rendered,) = recipe.render()
    rendered.run_build(
        tool_config=ToolConfiguration(test_strategy="skip", compression_threads=1),
        output_dir=task["output"],
        channels=[task["channel"]],
        progress_callback=_Log(),
        no_build_id=True,
        package_format="conda:1",
    )
    return 0


def _test(task: Mapping[str, Any]) -> int:
    from rattler_build import Package

    package = Package.from_file(task["archive"])
    results = package.run_tests(channel=[task["channel"]], progress_callback=_Log())
    return 0 if len(results) == package.test_count and all(result.success for result in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
