"""What commands import: most of the time of a command that only asks is spent on importing modules."""

import datetime as dt
import json
import sys
from collections.abc import Callable

import pytest

import tiny_index
from cuvee.manifest.loader import load_manifest
from cuvee.process import Request
from cuvee.process import run as run_program
from cuvee.progress import SILENT
from cuvee.release.pipeline import lock_release
from cuvee.release.session import Options, Session
from needed_programs import HANGING

pytestmark = pytest.mark.real

HEAVY = ("networkx", "pandas", "jinja2", "requests", "lief", "rich", "zstandard")
PIPELINE = ("cuvee.release.pipeline", "cuvee.release.record", "cuvee.graph.checks.all_checks", "cuvee.report")
SOLVER = ("rattler", "pysat")
WORK = (
    "cuvee.release.build_work",
    "cuvee.release.recipe_work",
    "cuvee.channel.interpreter",
    "cuvee.channel.wheels.importer",
    "packaging.metadata",
)
"""What packs and builds, which a command needs only if something has changed."""


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[set[str], int]]:
    """Return what a command of its own process imports, and its exit code, beside a locked release."""
    root = tmp_path_factory.mktemp("release")
    tiny_index.write_index(
        root / "channel", map(tiny_index.entry, ["app 1: lib", "lib 1"]), platforms=("linux-64",)
    )
    manifest = tiny_index.write_manifest(root, root / "channel", 'app: "*"')
    now = dt.datetime.now(dt.UTC)
    options = Options(dist=root / "dist", cache=root / "cache", now=now)
    session = Session(load_manifest(manifest, today=now.date()), options, SILENT)
    lock_release(session).save()

    def call(*command: str) -> tuple[set[str], int]:
        code = (
            "import json, sys; from cuvee.cli.main import run; code = run(json.loads(sys.argv[1])); "
            "print(json.dumps([sorted(sys.modules), code]), file=sys.stderr)"
        )
        named = [str(root / "dist") if item == "DIST" else item for item in command]
        named = [str(manifest) if item == "MANIFEST" else item for item in named]
        named = [str(root / "dist" / "tiny-2026.11.0") if item == "FOLDER" else item for item in named]
        argv = (sys.executable, "-c", code, json.dumps(named))
        done = run_program(Request(argv=argv, cwd=root, timeout=HANGING))
        assert done.ok, done.stderr
        modules, exit_code = json.loads(done.stderr.splitlines()[-1])
        return set(modules), exit_code

    return call


@pytest.mark.parametrize(
    ("command", "avoided", "most"),
    [
        (["--help"], (*HEAVY, *PIPELINE, *SOLVER, "yaml"), 10),
        (["why", "--help"], (*HEAVY, *PIPELINE, *SOLVER, "yaml"), 20),
        (["why", "lib", "FOLDER"], (*HEAVY, *PIPELINE, "pysat"), 90),
        (["why", "lib", "MANIFEST", "--dist", "DIST"], (*HEAVY, *PIPELINE, "pysat"), 95),
        (["needs", "lib", "FOLDER"], (*HEAVY, *PIPELINE, "pysat"), 90),
        (["build", "MANIFEST", "--dist", "DIST"], (*HEAVY, *WORK, "pysat"), 190),
        (["show", "MANIFEST"], (*HEAVY, *PIPELINE, "pysat"), 60),
        (["diff", "FOLDER", "FOLDER"], (*HEAVY, "cuvee.release.pipeline", "cuvee.report", "pysat"), 120),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else "",
)
def test_a_command_imports_little(
    imported: Callable[..., tuple[set[str], int]], command: list[str], avoided: tuple[str, ...], most: int
) -> None:
    modules, exit_code = imported(*command)
    assert exit_code == 0
    assert sorted(modules.intersection(avoided)) == []
    ours = sorted(name for name in modules if name.startswith("cuvee"))
    assert len(ours) <= most, (len(ours), ours)


def test_the_names_of_a_package_are_those_that_its_modules_define() -> None:
    """A package that imports lazily offers what it says, under the names of its modules or not."""
    code = (
        "import importlib, pkgutil, sys, cuvee\n"
        "for item in pkgutil.walk_packages(cuvee.__path__, 'cuvee.'):\n"
        "    if item.ispkg and 'inside' not in item.name:\n"
        "        package = importlib.import_module(item.name)\n"
        "        for name in getattr(package, '__all__', ()):\n"
        "            value = getattr(package, name)\n"
        "            assert not isinstance(value, type(sys)), (item.name, name)\n"
    )
    done = run_program(Request(argv=(sys.executable, "-c", code), timeout=HANGING))
    assert done.ok, done.stderr
