"""The shell steps of a workflow's Linux jobs, run by bash in their order, each job in its own checkout.

The actions of GitHub, and GitLab's artefacts, are replaced by copying files.
"""

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from cuvee import process
from cuvee.cli.main import run
from cuvee.process import Completed, Request
from cuvee.release.record import Release
from needed_programs import HANGING, need
from tiny_distribution import Distribution

pytestmark = pytest.mark.real


@dataclass
class Machines:
    """A repository, and machines that each have a checkout of it; what they exchange is in ``store``."""

    root: Path
    repository: Path
    cache: Path

    def checkout(self, job: str, *, with_release: bool = False) -> Path:
        folder = self.root / job
        leave_out = shutil.ignore_patterns("cache", "*.sqlite*", *(() if with_release else ("dist",)))
        shutil.copytree(self.repository, folder, ignore=leave_out)
        return folder

    def bash(self, script: str, folder: Path, variables: Mapping[str, Any]) -> Completed:
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.root),
            "CUVEE_CACHE_DIR": str(self.cache),
            "GITHUB_STEP_SUMMARY": str(folder / "step-summary.md"),
            **{name: str(value) for name, value in variables.items()},
        }
        argv = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", script)
        return process.run(Request(argv=argv, cwd=folder, environment=environment, timeout=HANGING))


def run_github_job(
    machines: Machines, workflow: Mapping[str, Any], name: str, matrix: Mapping[str, str]
) -> Iterator[tuple[str, Completed]]:
    """Run the steps of a job until one fails; yield what each shell step did."""
    job, folder = workflow["jobs"][name], machines.checkout(name)
    variables = {**workflow["env"], **job.get("env", {})}
    variables = {key: filled(str(value), matrix) for key, value in variables.items()}
    failed = False
    for step in job["steps"]:
        if failed and "cancelled()" not in step.get("if", ""):
            continue
        if "run" in step:
            done = machines.bash(step["run"], folder, variables)
            failed = failed or not done.ok
            yield step["name"], done
        else:
            options = {key: filled(str(value), matrix) for key, value in step.get("with", {}).items()}
            exchange(step["uses"].partition("@")[0], options, folder, machines.root / "store")


def filled(text: str, matrix: Mapping[str, str]) -> str:
    for name, value in matrix.items():
        text = text.replace(f"${{{{ matrix.{name} }}}}", value)
    assert "${{" not in text
    return text


def exchange(action: str, options: Mapping[str, str], folder: Path, store: Path) -> None:
    """Do what an action does: one path that is a folder, and files, arrive without the folders above."""
    if action == "actions/upload-artifact":
        for path in (item for pattern in options["path"].split() for item in folder.glob(pattern)):
            target = store / options["name"]
            if path.is_dir():
                shutil.copytree(path, target / path.name if "*" in options["path"] else target)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
        assert (store / options["name"]).is_dir() or "if-no-files-found" not in options
    elif action == "actions/download-artifact":
        for found in sorted(store.glob(options.get("pattern") or options["name"])):
            shutil.copytree(found, folder / options.get("path", "."), dirs_exist_ok=True)
    else:
        assert action in {"actions/checkout", "actions/setup-python"}


@pytest.fixture
def machines(copied: Callable[[], Distribution], host_platform: str, tmp_path: Path) -> Machines:
    need("tar")
    if host_platform != "linux-64":
        pytest.skip("the machines that cut are Linux on x86-64")
    root = copied().root
    (root / ".git").mkdir()
    return Machines(root=tmp_path, repository=root, cache=root / "cache")


def succeeded(steps: Iterator[tuple[str, Completed]]) -> list[str]:
    names = []
    for name, done in steps:
        assert done.ok, f"{name}: exit code {done.exit_code}\n{done.stdout}\n{done.stderr}"
        names.append(name)
    return names


def test_the_jobs_of_github(machines: Machines) -> None:
    manifest = machines.repository / "manifests" / "tiny" / "2026.11.0.yaml"
    assert run(["ci", "github", str(manifest), "--install", "cuvee"]) == 0
    file = machines.repository / ".github" / "workflows" / "cuvee-tiny.yml"
    workflow = yaml.safe_load(file.read_text(encoding="utf-8"))
    (matrix,) = workflow["jobs"]["test"]["strategy"]["matrix"]["include"]
    assert matrix["platform"] == "linux-64"
    assert "Cut the release" in succeeded(run_github_job(machines, workflow, "cut", {}))
    assert "Test its installer" in succeeded(run_github_job(machines, workflow, "test", matrix))
    assert "Judge the release" in succeeded(run_github_job(machines, workflow, "report", {}))
    home = machines.root / "report" / "dist" / "tiny-2026.11.0"
    (imported,) = (one for one in Release.open(home).runs if one.platform == "linux-64")
    assert "outcomes.json of Linux" in imported.environment["imported"]
    assert Release.open(home).verdict.exit_code == 0
    assert "tiny-2026.11.0" in (machines.root / "report" / "step-summary.md").read_text(encoding="utf-8")
    assert {path.name for path in (machines.root / "store" / "tested-release").iterdir()} == {
        "installers", "release.json", "report", "SHA256SUMS",
    }  # fmt: skip
    # A test that fails on the other machine blocks the release at home, and its report is there all the same.
    results = machines.root / "store" / "results-linux-64" / "linux-64" / "outcomes.json"
    text = results.read_text(encoding="utf-8")
    results.write_text(text.replace('"state": "pass"', '"state": "fail"'), encoding="utf-8")
    shutil.rmtree(machines.root / "report")
    shutil.rmtree(machines.root / "store" / "tested-release")
    done = dict(run_github_job(machines, workflow, "report", {}))
    assert {name: item.exit_code for name, item in done.items() if not item.ok} == {"Judge the release": 1}
    (imported,) = (one for one in Release.open(home).runs if one.platform == "linux-64")
    assert {item.state.value for item in imported.outcomes if item.test == "interpreter"} == {"fail"}
    assert (machines.root / "store" / "tested-release" / "report" / "index.html").is_file()


def test_the_jobs_of_gitlab(machines: Machines) -> None:
    manifest = machines.repository / "manifests" / "tiny" / "2026.11.0.yaml"
    assert run(["ci", "gitlab", str(manifest), "--install", "cuvee"]) == 0
    pipeline = yaml.safe_load((machines.repository / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    done = {}
    for name in ("cut", "test:linux-64", "report"):
        job = {**pipeline.get(pipeline[name].get("extends"), {}), **pipeline[name]}
        folder = machines.checkout(name, with_release=name == "cut")  # the other test cuts it
        for needed in job.get("needs", ()):
            for pattern in pipeline[needed]["artifacts"]["paths"]:
                copy_each(machines.root / needed, folder, pattern)
        lines = [*job.get("before_script", ()), *job["script"]]
        done[name] = machines.bash(
            in_place("\n".join(lines)), folder, pipeline["variables"] | job.get("variables", {})
        )
        assert done[name].ok, f"{name}: {done[name].exit_code}\n{done[name].stdout}\n{done[name].stderr}"
    home = Release.open(machines.root / "report" / "dist" / "tiny-2026.11.0")
    (imported,) = (one for one in home.runs if one.platform == "linux-64")
    assert "outcomes.json of Linux" in imported.environment["imported"]
    assert home.verdict.exit_code == 0


def copy_each(source: Path, target: Path, pattern: str) -> None:
    for path in source.glob(pattern):
        place = target / path.relative_to(source)
        if path.is_dir():
            shutil.copytree(path, place)
        else:
            shutil.copy(path, place)


def in_place(script: str) -> str:
    """Return a script without the virtual environment, since that of the tests has cuvee already."""
    return "\n".join(line for line in script.splitlines() if ".cuvee-venv" not in line)
