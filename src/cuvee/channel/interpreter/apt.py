"""apt with folders of its own: packages of another architecture, without root or changes to the host's state.

Sources, trusted keys and proxy settings are the host's; apt refuses what it cannot verify (apt-secure(8)).
Its settings: https://manpages.debian.org/bookworm/apt/apt.conf.5.en.html
"""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cuvee.errors import IntegrityError, SourceUnreachableError
from cuvee.files import sha256_file
from cuvee.process import Completed, Request, find, run

_ETC = Path("/etc/apt")
_UNREACHABLE = re.compile(
    r"Could not resolve|Temporary failure|Connection (failed|refused|timed out)|Network is unreachable|"
    r"Could not connect|Unable to connect|Failed to fetch .* 50\d"
)
_STALLS = 'Acquire::http::Timeout "60";\nAcquire::https::Timeout "60";\n'  # the host's settings come later
_REFUSED = re.compile(
    r"GPG error|NO_PUBKEY|BADSIG|EXPKEYSIG|is not signed|Hash Sum mismatch|verification failed"
)
_HINT = "Run cuvee on a Debian or Ubuntu whose `apt-get update` works, or use a channel that carries python."


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianPackage:
    """A package that apt has downloaded and verified."""

    name: str
    version: str
    path: Path


class Apt:
    """apt for one architecture, its state below ``folder``."""

    def __init__(self, architecture: str, folder: Path) -> None:
        self._folder = folder
        self._log = ""
        self._known: dict[str, Mapping[str, str]] = {}
        self._get = find("apt-get", hint=_HINT)
        self._cache = find("apt-cache", hint=_HINT)
        self._environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LC_ALL": "C",
            "APT_CONFIG": str(folder / "apt.conf"),
        }
        for name in ("lists/partial", "archives/partial", "sources.list.d", "parts", "state"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        for path in _source_files():
            target = folder / path.relative_to(_ETC)
            target.write_text(for_any_architecture(path.read_text(encoding="utf-8")), encoding="utf-8")
        configuration = host_settings(run(Request(argv=("apt-config", "dump"), timeout=60)).stdout)
        (folder / "apt.conf").write_text(
            _STALLS + configuration + _settings(folder, architecture), encoding="utf-8"
        )

    @staticmethod
    def host_sources() -> list[str]:
        """Return hashes of the files that configure the host's package sources, for cache keys."""
        return [sha256_file(path) for path in _source_files()]

    def update(self) -> None:
        """Update the lists of packages. Sources that fail matter only if a package is not found."""
        completed = self._run(self._get, "update")
        self._log = completed.stdout + completed.stderr
        if completed.timed_out:
            raise SourceUnreachableError(
                f"apt did not read its sources of packages within {completed.seconds:.0f} s", hint=_HINT
            )

    def available(self, packages: Iterable[str]) -> list[str]:
        """Return those of ``packages`` that the sources have, in the same order."""
        wanted = list(packages)
        self._learn(wanted)
        return [name for name in wanted if self._known[name]]

    def explain_absence(self) -> None:
        """Raise an error if a source that could not be used may be the reason why a package is not available.

        Raises
        ------
        SourceUnreachableError, IntegrityError
            If a source could not be reached, or not be verified.
        """
        lines = [line for line in self._log.splitlines() if line.startswith(("W:", "E:", "Err:"))]
        problems = "\n".join(lines)
        if _REFUSED.search(self._log):
            raise IntegrityError(f"apt refuses a source of packages\n{problems}", hint=_HINT)
        if _UNREACHABLE.search(self._log):
            raise SourceUnreachableError(f"apt cannot reach a source of packages\n{problems}", hint=_HINT)

    def dependencies(self, packages: Iterable[str]) -> list[str]:
        """Return the direct dependencies of ``packages``, the first of each alternative."""
        wanted = list(packages)
        self._learn(wanted)
        names = [
            entry.split("|")[0].split("(")[0].strip().partition(":")[0]
            for package in wanted
            for key in ("Pre-Depends", "Depends")
            for entry in self._known[package].get(key, "").split(",")
        ]
        return list(dict.fromkeys(name for name in names if name))

    def download(self, packages: Iterable[str]) -> list[DebianPackage]:
        """Download packages; apt checks them against the signed index.

        Raises
        ------
        SourceUnreachableError, IntegrityError
            If one cannot be downloaded, or differs from the index.
        """
        target = self._folder / "packages"
        target.mkdir(exist_ok=True)
        completed = self._run(self._get, "download", *packages, cwd=target)
        if not completed.ok:
            kind = IntegrityError if _REFUSED.search(completed.stderr) else SourceUnreachableError
            raise kind(f"apt cannot download packages\n{completed.stderr.strip()}", hint=_HINT)
        return [
            DebianPackage(name=name, version=version.replace("%3a", ":"), path=path)
            for path in sorted(target.glob("*.deb"))
            for name, version, _ in [path.stem.split("_")]
        ]

    def _learn(self, packages: Iterable[str]) -> None:
        """Query all unknown packages at once: each start of apt-cache takes half a second."""
        new = [name for name in packages if name not in self._known]
        if new:
            completed = self._run(self._cache, "show", "--no-all-versions", *new)
            records = parse_records(completed.stdout)
            self._known |= {name: records.get(name, {}) for name in new}

    def _run(self, *argv: str, cwd: Path | None = None) -> Completed:
        return run(Request(argv=argv, cwd=cwd, environment=self._environment, timeout=600))


def _settings(folder: Path, architecture: str) -> str:
    values = {
        "APT::Architecture": architecture,
        "Dir::State": folder / "state",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Cache::archives": folder / "archives",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": folder / "sources.list.d",
        "Dir::Etc::parts": folder / "parts",
        "Dir::Etc::main": folder / "none",
        "Acquire::AllowInsecureRepositories": "false",
        "Acquire::AllowWeakRepositories": "false",
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
        "APT::Get::AllowUnauthenticated": "false",
        "APT::Sandbox::User": "root",
    }
    lines = "".join(f'{key} "{value}";\n' for key, value in values.items())
    return f'#clear APT::Architectures;\nAPT::Architectures {{ "{architecture}"; }};\n{lines}'


def parse_records(text: str) -> dict[str, dict[str, str]]:
    """Return the fields that ``apt-cache show`` prints, by package; of long fields only the first line."""
    records = {}
    for paragraph in text.split("\n\n"):
        lines = [line.partition(":") for line in paragraph.splitlines() if line[:1].isalpha()]
        fields = {key: value.strip() for key, _, value in lines}
        if "Package" in fields:
            records[fields["Package"]] = fields
    return records


def host_settings(dump: str) -> str:
    """Return the host's settings for fetching, such as proxies, from the output of ``apt-config dump``."""
    return "".join(
        f"{line}\n"
        for line in dump.splitlines()
        if line.startswith("Acquire::") and "AllowInsecure" not in line and "AllowWeak" not in line
    )


def for_any_architecture(source: str) -> str:
    """Return a list of sources without its restrictions to architectures."""
    source = re.sub(r"^Architectures:.*\n?", "", source, flags=re.MULTILINE)
    source = re.sub(r"(?<=[\[ ])arch=[^\s\]]+ ?", "", source)
    return source.replace("[] ", "").replace("[ ] ", "")


def _source_files() -> list[Path]:
    parts = (_ETC / "sources.list.d").glob("*")
    files = (_ETC / "sources.list", *sorted(path for path in parts if path.suffix in {".list", ".sources"}))
    return [path for path in files if path.is_file() and os.access(path, os.R_OK)]
