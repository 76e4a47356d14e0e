"""What an installer and an installed release do is the same, whatever becomes of their output."""

import os
from pathlib import Path

import pytest

from cuvee import process
from needed_programs import HANGING, need
from tiny_release import Release

pytestmark = pytest.mark.real

SHELLS = [("dash",), ("bash",), ("busybox", "sh"), ("zsh", "--emulate", "sh")]
CLOSED = (">&-", "2>&-", "<&-", "<&- >&- 2>&-")
LOST = (*CLOSED, ">/dev/full", ">/dev/full 2>/dev/full", "| true", "2>&1 | true")
REDIRECTIONS = (*CLOSED, LOST[-3])
"""Those under which an installation runs."""


def run(redirection: str, *argv: str | Path) -> int:
    """Return the exit code of a command whose streams bash redirects."""
    need("bash")
    command = f'"$@" {redirection}; exit ${{PIPESTATUS[0]}}'
    request = process.Request(
        argv=("bash", "-c", command, "bash", *map(str, argv)),
        environment={"PATH": os.environ["PATH"]},
        timeout=HANGING,
    )
    return process.run(request).exit_code


@pytest.mark.parametrize(
    ("redirection", "shell"),
    [
        *((redirection, SHELLS[0]) for redirection in REDIRECTIONS),
        *((CLOSED[-1], shell) for shell in SHELLS[1:]),
    ],
)
def test_install(redirection: str, shell: tuple[str, ...], release: Release, tmp_path: Path) -> None:
    need(shell[0])
    prefix = tmp_path / "py"
    assert run(redirection, *shell, release.installer, "-b", "-p", prefix) == 0
    assert run("", prefix / "bin" / "tiny-admin", "verify") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["py"]


@pytest.fixture(scope="module")
def upgraded(release: Release, newer: Release, tmp_path_factory: pytest.TempPathFactory) -> Path:
    prefix = tmp_path_factory.mktemp("upgraded") / "py"
    assert release.install("-b", "-p", prefix).ok
    assert newer.install("-b", "-u", "-p", prefix).ok
    return prefix


@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: shell[0])
@pytest.mark.parametrize("redirection", REDIRECTIONS)
def test_what_installs_nothing(
    redirection: str, shell: tuple[str, ...], release: Release, upgraded: Path
) -> None:
    """What fails says so by its exit code, too."""
    need(shell[0])
    before = sorted(upgraded.parent.iterdir())
    assert run(redirection, *shell, release.installer, "-b", "-p", upgraded) == 1
    assert run(redirection, *shell, release.installer, "--nothing") == 2
    assert sorted(upgraded.parent.iterdir()) == before


@pytest.mark.parametrize("redirection", LOST)
def test_rollback_and_repair(redirection: str, release: Release, newer: Release, upgraded: Path) -> None:
    admin = upgraded / "bin" / "tiny-admin"
    before = (upgraded / "conda-meta" / "history").read_text()
    assert run(redirection, admin, "rollback") == 0
    assert (upgraded / "conda-meta" / "history").read_text() != before
    assert run(redirection, admin, "rollback") == 0
    assert run(redirection, admin, "repair", "--from", newer.installer) == 0
    assert run(redirection, admin, "repair", "--from", release.installer) == 1


@pytest.mark.parametrize("redirection", [CLOSED[-1], *LOST[-3:]])
def test_uninstall(redirection: str, release: Release, tmp_path: Path) -> None:
    prefix = tmp_path / "py"
    assert release.install("-b", "-p", prefix).ok
    assert run(redirection, prefix / "bin" / "tiny-admin", "uninstall") == 0
    assert not prefix.exists()


@pytest.mark.parametrize("verb", ["list", "info", "verify", "help"])
def test_only_a_full_disk_keeps_an_answer_from_its_reader(verb: str, upgraded: Path) -> None:
    admin = upgraded / "bin" / "tiny-admin"
    for redirection in (*CLOSED, "| true"):
        assert run(redirection, admin, verb) == 0
    assert run(">/dev/full", admin, verb) == 1


@pytest.mark.parametrize("verb", ["--list", "--info", "--check", "--licenses", "-h"])
def test_answers_of_installers(verb: str, release: Release) -> None:
    for redirection in CLOSED:
        assert run(redirection, "sh", release.installer, verb) == 0
    assert run(">/dev/full", "sh", release.installer, verb) == 1


def test_full_disk_is_named(upgraded: Path) -> None:
    text = 'exec "$@" >/dev/full'
    argv = ("sh", "-c", text, "sh", str(upgraded / "bin" / "tiny-admin"), "list")
    done = process.run(process.Request(argv=argv, timeout=HANGING))
    assert done.stderr == "Error: The output cannot be written: No space left on device.\n"
