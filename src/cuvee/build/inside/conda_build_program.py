"""Render, build or test with conda-build; runs as a program of its own, with conda-build's Python.

Usage: ``python -I conda_build_program.py TASK`` where TASK is a JSON file. What conda-build and the recipe's
scripts say goes to stdout; what a recipe renders to goes to the file that the task names. The exit code is 0
if the task was done. conda reads no configuration of the machine or the user here.
"""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

FAILED = 1
_TESTS = ("run_test.py", "run_test.sh", "run_test.bat", "run_test.pl", "run_test.r")


def main(argv: list[str]) -> int:
    task = json.loads(Path(argv[0]).read_text(encoding="utf-8"))
    try:
        _set_up_conda(task)
        return {"render": _render, "build": _build, "test": _test}[task["task"]](task)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - what the engine raises is the answer
        told = _told(error)
        sys.stdout.write(f"\n{told}\n" if told else f"\n{type(error).__name__}: {error}\n")
        return FAILED


def _told(error: BaseException) -> str:
    """Return what a parser below conda-build has said, with its line; its own message has no line."""
    seen: BaseException | None = error
    while seen is not None:
        mark = getattr(seen, "problem_mark", None)  # PyYAML counts lines from 0, Jinja from 1
        line = mark.line + 1 if mark is not None else getattr(seen, "lineno", None)
        if isinstance(line, int) and not isinstance(seen, SyntaxError):
            said = getattr(seen, "problem", None) or getattr(seen, "message", None) or str(seen)
            return f"{type(seen).__name__}: {said} (line {line})"
        seen = seen.__cause__ or seen.__context__
    return ""


def _set_up_conda(task: Mapping[str, Any]) -> None:
    """Let conda use no channel but this, and a solver that it has: the default one may be a plug-in."""
    from conda.base.context import context, reset_context

    channels = [task["channel"]] if "channel" in task else []
    asked = {"channel": channels, "override_channels": True, "offline": True}
    reset_context(search_path=(), argparse_args=asked)
    solvers = {solver.name.lower() for solver in context.plugin_manager.get_hook_results("solvers")}
    if context.solver not in solvers:
        os.environ["CONDA_SOLVER"] = max(solvers)
        reset_context(search_path=(), argparse_args=asked)


def _config(task: Mapping[str, Any]) -> Any:
    from conda_build.config import Config

    work = Path(task["work"])
    replaced = task.get("replaced")
    return Config(
        croot=str(work / "croot"),
        output_folder=task.get("output"),
        channel_urls=(task["channel"],) if "channel" in task else (),
        anaconda_upload=False,
        set_build_id=False,
        verbose=False,
        exclusive_config_files=(),
        locking=False,
        cache_dir=str(work / "sources"),
        clobber_sections_file=_sections(work / "replaced.yaml", replaced) if replaced else None,
    )


def _sections(path: Path, sections: Mapping[str, Any]) -> str:
    """Write sections of a recipe, without what would be a selector in meta.yaml, and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(sections).replace("#", "\\u0023"), encoding="utf-8")
    return str(path)


def _variants(task: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: [value] for name, value in task["variant"].items()}


def _render(task: Mapping[str, Any]) -> int:
    found = [_output(meta) for meta in _rendered(task)]
    Path(task["result"]).write_text(json.dumps(found), encoding="utf-8")
    return 0


def _rendered(task: Mapping[str, Any]) -> list[Any]:
    from conda_build import api

    rendered = api.render(
        task["folder"],
        config=_config(task),
        variants=_variants(task),
        finalize=False,
        bypass_env_check=True,
    )
    return [meta for meta, _, _ in rendered if not meta.skip()]


def _output(meta: Any) -> dict[str, Any]:
    stated = meta.meta
    sources = stated.get("source") or []
    requirements = stated.get("requirements") or {}
    test = stated.get("test") or {}
    used = {name: meta.config.variant.get(name) for name in meta.get_used_vars()}
    return {
        "name": meta.name(),
        "version": meta.version(),
        "build": meta.build_id(),
        "number": meta.build_number(),
        "noarch": meta.noarch or "",
        "requirements": {
            kind: [str(item) for item in requirements.get(kind) or ()] for kind in ("build", "host", "run")
        },
        "sources": [dict(item) for item in (sources if isinstance(sources, list) else [sources])],
        "outputs": len(stated.get("outputs") or ()),
        "used": {name: str(value) for name, value in sorted(used.items()) if isinstance(value, str)},
        "tests": {
            "imports": len(test.get("imports") or ()),
            "commands": len(test.get("commands") or ()),
            "files": sum(Path(meta.path, name).is_file() for name in _TESTS),
            "requires": [str(item) for item in test.get("requires") or ()],
        },
    }


def _build(task: Mapping[str, Any]) -> int:
    from conda_build import api

    config = _config(task)
    append = {"requirements": {"build": task["extra"]}}
    config.append_sections_file = _sections(Path(task["work"], "append.yaml"), append)
    for path, source in _kept(task):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, path)
    made = api.build(task["folder"], config=config, variants=_variants(task), notest=True)
    return 0 if made else FAILED


def _kept(task: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield where conda-build looks for each source before it would download it, and the file."""
    from conda_build.source import append_hash_to_fn

    for source in task["sources"]:
        name = append_hash_to_fn(source["name"], source["sha256"])
        yield Path(task["work"], "sources", "src_cache", name), source["file"]


def _test(task: Mapping[str, Any]) -> int:
    """Run a recipe's tests with its package from the channel: the archive has no rendered recipe."""
    from conda_build import api

    (meta,) = _rendered(task)
    meta.config.need_cleanup = False  # it removes the folder of a recipe that it has unpacked itself
    return 0 if api.test(meta, config=meta.config) else FAILED


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
