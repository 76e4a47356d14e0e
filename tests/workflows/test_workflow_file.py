"""The files of workflows: valid, the same each time, and never in the place of somebody else's."""

import datetime as dt
import json
import re
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
import yaml

from build_recipes import simple, write_recipe
from cuvee.cli.main import run
from cuvee.errors import UsageError
from cuvee.manifest import load_manifest
from cuvee.platforms import PLATFORMS
from cuvee.workflows.ci_systems import ACTIONS, GITHUB, GITLAB, SYSTEMS, CiSystem
from cuvee.workflows.workflow_facts import facts_of
from cuvee.workflows.workflow_file import MARK, workflow_text
from needed_programs import HANGING, needed

MANIFEST = """\
manifest: 1
distribution: lab
version: "2026.11.0"
title: Lab
platforms: {%s}
channels: [conda-forge]
packages: {python: "3.13.*"}
installers: {formats: %s}
"""
ALL = ", ".join(f"{name}: {{}}" for name in PLATFORMS)
EVERY_FORMAT = "{linux: [sh], osx: [sh, pkg], win: [exe, msi]}"
SCHEMAS = {"github": "github-workflows.json", "gitlab": "gitlab-ci.json"}
systems = pytest.mark.parametrize("system", SYSTEMS.values(), ids=list(SYSTEMS))


def write(root: Path, *, platforms: str = ALL, formats: str = EVERY_FORMAT, below: str = ".") -> Path:
    (root / ".git").mkdir(parents=True, exist_ok=True)
    path = root / below / "manifests" / "lab" / "2026.11.0.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MANIFEST % (platforms, formats), encoding="utf-8")
    return path


def write_with_recipes(root: Path) -> Path:
    """Write a manifest with a compiled package for all platforms, one for macOS, and one that is noarch."""
    pytest.importorskip("rattler_build", reason="needs py-rattler-build")
    path = write(root)
    text = path.read_text(encoding="utf-8").replace(
        "packages: {",
        "recipes: [app, mac, pure, unneeded]\n"
        'packages: {app: "*", pure: "*", mac: {version: "*", platforms: [osx-64, osx-arm64]}, ',
    )
    path.write_text(text, encoding="utf-8")
    compiled = simple("app").replace("  noarch: generic\n", "")
    write_recipe(root / "recipes" / "app", compiled.replace("build:\n", "build:\n  skip: [aarch64]\n"))
    write_recipe(root / "recipes" / "mac", compiled.replace("name: app", "name: mac"))
    write_recipe(root / "recipes" / "pure", simple("pure"))
    write_recipe(root / "recipes" / "unneeded", compiled.replace("name: app", "name: unneeded"))
    return path


def text_of(path: Path, system: CiSystem) -> str:
    manifest = load_manifest(path, today=dt.date(2026, 11, 22))
    return workflow_text(facts_of(manifest, system), system)


@systems
@pytest.mark.parametrize(
    ("platforms", "formats"),
    [(ALL, EVERY_FORMAT), ("linux-64: {}", "{linux: [sh]}"), ("win-64: {}", "{win: [exe]}")],
)
def test_they_are_valid_by_the_published_schemas(
    tmp_path: Path, system: CiSystem, platforms: str, formats: str
) -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / SCHEMAS[system.name]
    text = text_of(write(tmp_path, platforms=platforms, formats=formats), system)
    value = yaml.safe_load(text)
    value |= {"on": value.pop(True)} if True in value else {}  # YAML 1.1 has that for a boolean
    jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(value)


@systems
def test_those_with_jobs_that_build_are_valid(tmp_path: Path, system: CiSystem) -> None:
    schema = files("check_jsonschema") / "builtin_schemas" / "vendor" / SCHEMAS[system.name]
    value = yaml.safe_load(text_of(write_with_recipes(tmp_path), system))
    value |= {"on": value.pop(True)} if True in value else {}
    jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8"))).validate(value)


def test_what_is_compiled_for_another_platform_is_built_on_its_machine(tmp_path: Path) -> None:
    path = write_with_recipes(tmp_path)
    value = yaml.safe_load(text_of(path, GITHUB))
    jobs = value["jobs"]
    machines = jobs["build"]["strategy"]["matrix"]["include"]
    assert {item["platform"]: item["machine"] for item in machines} == {
        "osx-64": "macos-15-intel",
        "osx-arm64": "macos-15",
        "win-64": "windows-2025",
    }
    assert (list(jobs), jobs["cut"]["needs"]) == (["build", "cut", "test", "report"], "build")
    taken = "".join(f" --built built/{item['platform']}" for item in machines)
    for name in ("cut", "report"):
        scripts = [step.get("run", "") for step in jobs[name]["steps"]]
        assert [taken in script for script in scripts if "cuvee release" in script] == [True]
    assert value["env"]["CUVEE"] == f"cuvee[build]=={version('cuvee')}"
    text = text_of(path, GITLAB)
    pipeline = yaml.safe_load(text)
    built = [name for name in pipeline if name.startswith("build:")]
    assert built == ["build:osx-arm64", "build:win-64"]
    assert pipeline["cut"]["needs"] == built
    assert [name for name in pipeline["report"]["needs"] if name in built] == built
    assert "# Not built on a machine of its own: osx-64: GitLab has no hosted Macs" in text


@systems
def test_noarch_recipes_need_no_job(tmp_path: Path, system: CiSystem) -> None:
    path = write_with_recipes(tmp_path)
    text = path.read_text(encoding="utf-8").replace('app: "*", ', "")
    path.write_text(re.sub(r"mac: \{.*?\}, ", "", text), encoding="utf-8")
    found = text_of(path, system)
    assert "cuvee build" not in found
    assert "--built" not in found


def test_each_platform_with_an_installer_has_its_machine(tmp_path: Path) -> None:
    text = text_of(write(tmp_path), GITHUB)
    machines = yaml.safe_load(text)["jobs"]["test"]["strategy"]["matrix"]["include"]
    assert {item["platform"]: item["machine"] for item in machines} == {
        "linux-64": "ubuntu-24.04",
        "linux-aarch64": "ubuntu-24.04-arm",
        "osx-64": "macos-15-intel",
        "osx-arm64": "macos-15",
        "win-64": "windows-2025",
    }
    jobs = yaml.safe_load(text_of(write(tmp_path), GITLAB))
    assert {name.removeprefix("test:") for name in jobs if name.startswith("test:")} == {*PLATFORMS} - {
        "osx-64"
    }
    assert "# Not tested here: osx-64: GitLab has no hosted Macs with Intel processors." in text_of(
        write(tmp_path), GITLAB
    )


@systems
def test_what_is_not_tested_is_said(tmp_path: Path, system: CiSystem) -> None:
    path = write(
        tmp_path, platforms="linux-64: {}, osx-arm64: {}, win-64: {}", formats="{linux: [sh], osx: [pkg]}"
    )
    text = text_of(path, system)
    assert "# Not tested here: win-64: the manifest names no installer for it." in text
    assert "# Not tested here: osx-arm64: tests install with a .sh, which the manifest does not name." in text
    assert "apt-get" not in text, "nothing is made for Windows"
    assert "nsis" in text_of(write(tmp_path, formats="{win: [exe]}"), system)
    with pytest.raises(UsageError, match="has nothing to test"):
        text_of(write(tmp_path, platforms="win-64: {}", formats="{win: [msi]}"), system)


def test_actions_are_named_by_commits_and_have_few_rights(tmp_path: Path) -> None:
    text = text_of(write(tmp_path), GITHUB)
    used = re.findall(r"uses: actions/([a-z-]+)@(\S+) # (\S+)", text)
    assert len(used) == text.count("uses:")
    assert {(name, commit, tag) for name, commit, tag in used} == {
        (name, commit, tag) for name, (commit, tag) in ACTIONS.items()
    }
    value = yaml.safe_load(text)
    assert value["permissions"] == {"contents": "read"}
    jobs = value["jobs"].values()
    assert not [job for job in jobs if "permissions" in job or not job["timeout-minutes"]]
    steps = [step for job in jobs for step in job["steps"]]
    assert not [step["run"] for step in steps if "${{" in step.get("run", "")], "values come as variables"
    checkouts = [step for step in steps if "/checkout@" in step.get("uses", "")]
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)
    assert "secrets" not in text


@systems
@pytest.mark.parametrize("name", ["${{ github.token }}", "$HOME", "a\nb", "a\x1b[2J"])
def test_names_that_a_system_would_replace_are_refused(tmp_path: Path, system: CiSystem, name: str) -> None:
    with pytest.raises(UsageError, match="do not take as it is"):
        text_of(write(tmp_path, below=name), system)


@systems
def test_other_names_arrive_as_they_are(tmp_path: Path, system: CiSystem) -> None:
    value = yaml.safe_load(text_of(write(tmp_path, below='Käse & "Brot": [1] #'), system))
    variables = value["env" if system is GITHUB else "variables"]
    assert variables["MANIFEST"] == 'Käse & "Brot": [1] #/manifests/lab/2026.11.0.yaml'


def test_a_second_run_changes_nothing_and_check_says_when_it_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path)
    file = tmp_path / ".github" / "workflows" / "cuvee-lab.yml"
    assert run(["ci", "github", str(path), "--check"]) == 1
    assert not file.exists()
    assert run(["ci", "github", str(path)]) == 0
    assert f"{file} was written" in capsys.readouterr().out
    before = file.read_bytes()
    monkeypatch.chdir(tmp_path)
    assert run(["ci", "github", "manifests/lab/2026.11.0.yaml"]) == 0
    assert file.read_bytes() == before, "wherever it is run"
    assert run(["ci", "github", str(path), "--check"]) == 0
    write(tmp_path, platforms="linux-64: {}", formats="{linux: [sh]}")
    assert run(["ci", "github", str(path), "--check"]) == 1
    assert "not up to date" in capsys.readouterr().out
    assert file.read_bytes() == before
    assert run(["ci", "github", str(path), "--output", "-"]) == 0
    assert capsys.readouterr().out.startswith(MARK)
    assert run(["ci", "github", str(path), "--output", "own.yml", "--install", "cuvee>=0.1"]) == 0
    command = "#   cuvee ci github manifests/lab/2026.11.0.yaml --install 'cuvee>=0.1' --output own.yml\n"
    assert command in (tmp_path / "own.yml").read_text(encoding="utf-8")


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path)
    own = tmp_path / ".gitlab-ci.yml"
    for content in ("test: {script: [make]}\n", ""):
        own.write_text(content, encoding="utf-8")
        assert run(["ci", "gitlab", str(path)]) == 2
        assert run(["ci", "gitlab", str(path), "--check"]) == 2
        assert own.read_text(encoding="utf-8") == content
    assert "was not written by `cuvee ci`" in capsys.readouterr().err
    own.unlink()
    own.symlink_to("nowhere")
    assert run(["ci", "gitlab", str(path)]) == 2
    assert not (tmp_path / "nowhere").exists()
    assert run(["ci", "gitlab", str(path), "--output", str(tmp_path)]) == 2
    (tmp_path / ".git").rmdir()
    assert run(["ci", "gitlab", str(path)]) == 2
    assert "is in no git repository" in capsys.readouterr().err


@pytest.mark.real
@pytest.mark.parametrize("program", ["zizmor", "actionlint"])
@pytest.mark.parametrize("written", [write, write_with_recipes])
def test_linters_find_nothing(tmp_path: Path, program: str, written: Callable[[Path], Path]) -> None:
    beside = Path(sys.executable).with_name(program)  # pip installs zizmor
    executable = str(beside) if beside.exists() else needed(program)
    path = written(tmp_path)
    assert run(["ci", "github", str(path)]) == 0
    file = tmp_path / ".github" / "workflows" / "cuvee-lab.yml"
    options = ("--offline", "--persona=auditor", "--no-progress") if program == "zizmor" else ()
    done = subprocess.run(
        [executable, *options, str(file)], capture_output=True, text=True, check=False, timeout=HANGING
    )
    assert done.returncode == 0, done.stdout + done.stderr
