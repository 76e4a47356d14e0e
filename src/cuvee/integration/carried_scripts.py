"""Running the scripts of tests that a package carries, each in a folder of its own with the test's files."""

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cuvee.codec import decode
from cuvee.conda.package_archive import INFO_LIMIT, is_safe_path, member_data, members
from cuvee.errors import CuveeError
from cuvee.files import parse_json, write_json
from cuvee.integration.carried_tests import ScriptTest
from cuvee.integration.inside.run_carried import NO_FILES, NO_INTERPRETER
from cuvee.integration.model import PlannedTest
from cuvee.integration.outcomes import OutcomeState, TestOutcome
from cuvee.integration.packaged_plan import PackagedTarget
from cuvee.integration.test_session import (
    TestSession,
    describe_exit,
    exceeded_limit,
    last_line,
    transcript,
)
from cuvee.integration.tool_sets import ToolsMissingError
from cuvee.platforms import get
from cuvee.process import Completed

_OF_ENDING = {
    ".py": "python", ".rb": "ruby", ".js": "nodejs", ".pl": "perl", ".r": "rscript", ".sh": "bash",
    ".bash": "bash", ".bat": "cmd", ".cmd": "cmd", ".ps1": "powershell", ".nu": "nushell", ".lua": "lua",
}  # fmt: skip
_ENDINGS = {"python": ".py", "cmd": ".bat", "powershell": ".ps1", "nushell": ".nu", "rscript": ".r"}
_OPTIONS = {"bash": ("-ex",), "sh": ("-ex",)}
_CHECKED = "\r\nIF %ERRORLEVEL% NEQ 0 exit /B 1\r\n"


@dataclass(frozen=True, kw_only=True)
class CarriedScripts:
    """The scripts of one package. The `info/` of its archive, verified before, is unpacked once."""

    session: TestSession
    target: PackagedTarget

    def run(self, test: PlannedTest, script: ScriptTest) -> TestOutcome:
        """Run a script; return what became of it."""
        try:
            session = self.session.with_tools(script.requires)
        except ToolsMissingError as error:
            return self.session.outcome(test, OutcomeState.NOT_RUN, 0, reason=error.message)
        try:
            spec = self._prepared(test, script, session.beside)
        except CuveeError as error:
            return session.outcome(test, OutcomeState.FAIL, 0, reason=error.message)
        cwd = spec.parent / "cwd"
        completed = session.run_script("run_carried.py", spec, cwd=cwd)
        if completed.ok:
            return session.outcome(test, OutcomeState.PASS, completed.seconds)
        state, reason = self._judged(completed)
        return session.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed))

    def absent(self, test: PlannedTest, paths: Collection[str]) -> frozenset[str] | TestOutcome:
        """Return which paths the prefix does not have, as the release sees it; or why that is not known."""
        session = self.session
        work = session.folder(f"{test.suite}-{test.test}")
        (work / "cwd").mkdir()
        write_json(work / "paths.json", list(paths))
        completed = session.run_script("absent_paths.py", work / "paths.json", cwd=work / "cwd")
        try:
            return frozenset(decode(tuple[str, ...], parse_json(completed.stdout.encode())))
        except ValueError:
            state, reason = self._judged(completed)
            return session.outcome(test, state, completed.seconds, reason=reason, log=transcript(completed))

    def _judged(self, completed: Completed) -> tuple[OutcomeState, str]:
        session = self.session
        if completed.timed_out:
            return OutcomeState.TIMEOUT, f"took longer than {session.timeout:g} s"
        said = last_line(completed.stderr)
        if completed.exit_code == NO_INTERPRETER and said.startswith("there is no "):
            return OutcomeState.NOT_RUN, said
        if completed.exit_code == NO_FILES and said.startswith("the package has not installed "):
            return OutcomeState.FAIL, said
        limit = session.runner.limitation(completed)
        if limit is not None:
            return OutcomeState.NOT_SUPPORTED, limit
        reason = exceeded_limit(completed) or f"{describe_exit(completed)}: {said}".rstrip(": ")
        return OutcomeState.FAIL, reason

    def _prepared(self, test: PlannedTest, script: ScriptTest, beside: Path | None) -> Path:
        """Write the script and make its folder; return the path of the spec for ``run_carried.py``.

        Raises
        ------
        CuveeError
            If the package lacks what the test states.
        """
        session, package = self.session, self.target.package
        if package is None:
            raise ValueError(f"{self.target.name} is not in the release")
        work = session.folder(f"{test.suite}-{test.test}")
        cwd = work / "cwd"
        if script.beside_files:
            shutil.copytree(self._unpacked / "info" / "test", cwd)
        elif script.cwd:
            if not is_safe_path(script.cwd):
                raise CuveeError(f"the test's folder {script.cwd!r} leads out of the prefix")
            cwd.mkdir()
        else:
            shutil.copytree(self._unpacked, cwd)
        text, interpreter = self._script(script)
        file = work / f"script{_ENDINGS.get(interpreter, '')}"
        if script.beside_files:
            file = cwd / Path(script.file).name
        else:
            file.write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        guest_path = session.runner.guest_path
        spec = {
            "script": guest_path(file),
            "interpreter": interpreter,
            "options": list(_OPTIONS.get(interpreter, ())),
            "copied": "" if script.beside_files else script.cwd,
            "beside": guest_path(beside) if beside is not None else "",
            "environment": dict(script.environment),
            "variants": self._variants,
            "package": {
                "name": package.name,
                "version": package.version,
                "build": package.build,
                "build_number": package.build_number,
                "subdir": package.subdir,
                "platform": session.plan.platform,
            },
        }
        write_json(work / "spec.json", spec)
        return work / "spec.json"

    def _script(self, script: ScriptTest) -> tuple[str, str]:
        """Return the text of a script, and what runs it.

        A single line may also be the name of a file in the package.
        """
        shell = "cmd" if get(self.session.plan.platform).is_windows else "bash"
        named = script.file or ("" if len(script.lines) != 1 else script.lines[0])
        file = self._unpacked / named if is_safe_path(named) and "\n" not in named else None
        if file is not None and file.is_file():
            interpreter = script.interpreter or _OF_ENDING.get(file.suffix.lower(), shell)
            return file.read_text(encoding="utf-8", errors="surrogateescape"), interpreter
        if script.file:
            raise CuveeError(f"the package has no {script.file!r}, which is the script")
        interpreter = script.interpreter or shell
        if interpreter == "cmd":
            return _CHECKED.join((*script.lines, "")), interpreter
        return "\n".join((*script.lines, "")), interpreter

    @cached_property
    def _variants(self) -> dict[str, object]:
        """What the package was built for, as far as it says so."""
        try:
            stated = parse_json((self._unpacked / "info" / "hash_input.json").read_bytes())
        except (OSError, ValueError):
            return {}
        return stated if isinstance(stated, dict) else {}

    @cached_property
    def _unpacked(self) -> Path:
        """A folder with the package's ``info``; links are left out."""
        folder = self.session.folder(f"info-{self.target.name}")
        archive = self.target.archive
        if archive is None:
            raise ValueError(f"{self.target.name} has no archive")
        for tar, member in members(archive, "info"):
            if member.isreg() and member.name.startswith("info/") and is_safe_path(member.name):
                place = folder / member.name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(member_data(tar, member, INFO_LIMIT))
                place.chmod(0o755 if member.mode & 0o100 else 0o644)
        return folder
