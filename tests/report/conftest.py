"""A made-up release of realistic size that has one of everything a report can tell."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from changed_release import changed, page_of
from cuvee.channel.model import Absent
from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.graph.diff import diff
from cuvee.graph.findings import Finding, Verdict
from cuvee.integration.outcomes import OutcomeState, PlatformRun, TestOutcome
from cuvee.lock.model import Lock, PlatformLock
from cuvee.manifest.model import (
    Installers,
    Manifest,
    Owner,
    PlatformEntry,
    Position,
    ReleaseVersion,
    Requirement,
    Support,
    Track,
    Waiver,
)
from cuvee.release.artefacts import Artefact, ArtefactKind, NotMade
from cuvee.release.record import ChannelResult, CheckResult, ImageResult, LockResult, Release
from cuvee.report.html import render

LINUX, ARM, WIN = "linux-64", "linux-aarch64", "win-64"
PLATFORMS = (LINUX, ARM, WIN)
DIRECT = {
    "altair": "5.5.0", "beautifulsoup4": "4.13.4", "black": "25.1.0", "bokeh": "3.7.3", "cython": "3.1.2",
    "dask": "2026.9.1", "duckdb": "1.4.0", "fastapi": "0.136.1", "h5py": "3.14.0", "httpx": "0.28.1",
    "imageio": "2.37.0", "ipykernel": "6.30.1", "ipywidgets": "8.1.7", "jinja2": "3.1.6",
    "jupyterlab": "4.5.7", "lxml": "6.0.1", "matplotlib": "3.10.9", "networkx": "3.5", "notebook": "7.5.6",
    "numba": "0.62.0", "numpy": "2.4.1", "openpyxl": "3.1.5", "pandas": "3.1.0", "pillow": "11.3.0",
    "plotly": "6.3.0", "polars": "1.33.0", "pyarrow": "21.0.0", "pydantic": "2.13.4", "pytest": "8.4.2",
    "python": "3.11.7", "pywin32": "311", "pyyaml": "6.0.3", "requests": "2.34.0", "rich": "14.1.0",
    "scikit-image": "0.25.2", "scikit-learn": "1.7.2", "scipy": "1.16.3", "seaborn": "0.13.2",
    "sqlalchemy": "2.0.43", "statsmodels": "0.14.5", "sympy": "1.14.0", "tqdm": "4.67.1",
    "uvloop": "0.21.0", "xarray": "2026.9.0",
}  # fmt: skip
CLOSURE = [
    "annotated-types", "anyio", "argon2-cffi", "asttokens", "attrs", "babel", "bleach", "certifi",
    "cffi", "charset-normalizer", "click", "cloudpickle", "colorama", "comm", "contourpy", "cycler",
    "decorator", "defusedxml", "executing", "fonttools", "fsspec", "greenlet", "h11", "httpcore",
    "idna", "iniconfig", "ipython", "jedi", "joblib", "jsonschema", "jupyter-client",
    "jupyter-core", "kiwisolver", "lazy-loader", "llvmlite", "locket", "markdown-it-py",
    "markupsafe", "matplotlib-inline", "mdurl", "mistune", "mpmath", "narwhals", "nbclient",
    "nbconvert", "nbformat", "packaging", "parso", "partd", "patsy", "pexpect", "platformdirs",
    "pluggy", "prompt-toolkit", "psutil", "pure-eval", "pycparser", "pygments", "pyparsing",
    "python-dateutil", "pytz", "pyzmq", "referencing", "rpds-py", "six", "sniffio", "soupsieve",
    "stack-data", "threadpoolctl", "tifffile", "toolz", "tornado", "traitlets", "typing-extensions",
    "tzdata", "urllib3", "wcwidth", "webencodings",
]  # fmt: skip
OWNERS = {
    "numerics": "numerics@example.org",
    "web": "https://example.org/teams/web",
    "desktop": "room 4.12, ask for Ada",
}
OWNED = {
    "numpy": "numerics",
    "scipy": "numerics",
    "pandas": "numerics",
    "requests": "web",
    "pywin32": "desktop",
}
FILE = Path("manifests/starter/2026.11.0.yaml")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def position(line: int = 1) -> Position:
    return Position(file=FILE, line=line, column=3)


def locked(name: str, version: str, platform: str, build: str = "py_0") -> LockedPackage:
    subdir = "noarch" if build == "py_0" else platform
    stem = f"{name}-{version}-{build}"
    return LockedPackage(
        name=name, version=version, build=build, build_number=0, platform=platform, subdir=subdir,
        url=f"channel/{subdir}/{stem}.conda", channel="channel", sha256=digest(stem + subdir),
        size=40_000 + len(stem) * 37_001, depends=("python >=3.11",), license="BSD-3-Clause",
    )  # fmt: skip


def only_on(name: str) -> tuple[str, ...]:
    return {"pywin32": (WIN,), "uvloop": (LINUX, ARM), "pexpect": (LINUX, ARM)}.get(name, PLATFORMS)


def make_lock(**versions: str) -> Lock:
    names = sorted([*DIRECT, *CLOSURE])
    known = {**{name: f"1.{len(name)}.0" for name in CLOSURE}, **DIRECT, **versions}
    natives = {"numpy", "scipy", "pandas", "python", "pillow", "pywin32", "lxml"}
    locks = []
    for platform in PLATFORMS:
        packages = [
            locked(name, known[name], platform, "cp311_0" if name in natives else "py_0")
            for name in names
            if platform in only_on(name) and not (name == "llvmlite" and platform == ARM)
        ]
        if platform == ARM:
            packages = [locked("numba", "0.61.2", ARM) if p.name == "numba" else p for p in packages]
        floor = VirtualPackage(name="__win" if platform == WIN else "__glibc", version="10")
        locks.append(PlatformLock(platform=platform, packages=tuple(packages), virtual_packages=(floor,)))
    return Lock(platforms=tuple(locks))


def make_manifest() -> Manifest:
    return Manifest(
        path=FILE,
        distribution="starter",
        version=ReleaseVersion(2026, 11, 0),
        title="Starter PyData",
        support=Support(track=Track.STABLE, until=dt.date(2027, 11, 30)),
        platforms=(
            PlatformEntry(name=LINUX, floor={"glibc": "2.28", "linux": "4.18"}),
            PlatformEntry(name=ARM, floor={"glibc": "2.36"}),
            PlatformEntry(name=WIN, floor={"win": "10"}),
            PlatformEntry(name="osx-arm64", floor={}, absent="no channel here carries an interpreter for it"),
            PlatformEntry(name="osx-64", floor={}),
        ),
        packages=tuple(
            Requirement(
                name=name, version=f">={version}", owner=OWNED.get(name), platforms=only_on(name),
                position=position(20 + line),
            )
            for line, (name, version) in enumerate(DIRECT.items())
        ),
        suites=("smoke", "interop", "upstream"),
        installers=Installers(formats={"linux": ("sh",), "win": ("exe",)}),
        owners=tuple(Owner(name=name, contact=contact) for name, contact in OWNERS.items()),
        waivers=(
            Waiver(
                check="licence", package="pywin32", reason="Counsel has accepted it for desktops.",
                author="ada", expires=dt.date(2027, 3, 1), link="https://example.org/decisions/17",
                position=position(90),
            ),
        ),
    )  # fmt: skip


def make_findings() -> tuple[Finding, ...]:
    return (
        Finding(
            check="platforms", verdict=Verdict.INFO, packages=("uvloop",), platforms=(WIN,),
            cause="uvloop is on 2 of 3 platforms, as the manifest says",
        ),
        Finding(
            check="licence", verdict=Verdict.WAIVED, packages=("pywin32",), platforms=(WIN,),
            cause="pywin32 is under PSF-2.0, which the policy does not list",
            waived_because="Counsel has accepted it for desktops (ada, until 2027-03-01)",
        ),
        Finding(
            check="same-version", verdict=Verdict.WARNING, packages=("numba",), platforms=(ARM,),
            cause="numba is 0.61.2 on linux-aarch64 and 0.62.0 elsewhere",
            victims=("numba-0.61.2-py_0@linux-aarch64",), owners=("numerics",),
            action="Pin numba in the manifest, or say why it may differ.",
        ),
        Finding(
            check="sources", verdict=Verdict.WAITING, packages=("tzdata",), platforms=PLATFORMS,
            cause="tzdata 2026c is announced and not yet on the index",
        ),
        Finding(
            check="new-package", verdict=Verdict.NEEDS_APPROVAL, packages=("polars",), platforms=PLATFORMS,
            cause="polars is new in the blessed set", owners=("numerics",), action="Approve polars.",
        ),
        Finding(
            check="constrains", verdict=Verdict.BLOCKED, packages=("numpy", "scipy", "scikit-learn"),
            platforms=(LINUX, ARM), owners=("numerics",),
            cause="numpy 2.4.1 is newer than scipy 1.16.3 accepts",
            victims=("scipy-1.16.3-cp311_0@linux-64", "scipy-1.16.3-cp311_0@linux-aarch64"),
            evidence=(
                "scipy-1.16.3-cp311_0@linux-64 constrains: numpy >=1.25,<2.4",
                "numpy-2.4.1-cp311_0@linux-64 is locked",
                "asked for by manifests/starter/2026.11.0.yaml:40:3  numpy >=2.4.1",
            ),
            action="Lower numpy to <2.4, or take scipy 1.17 once it is there.",
        ),
    )  # fmt: skip


def make_outcomes(platform: str) -> Iterator[TestOutcome]:
    for name in sorted([*DIRECT, *CLOSURE]):
        if platform in only_on(name):
            yield TestOutcome(
                suite="smoke", test=f"import:{name}", platform=platform, state=OutcomeState.PASS,
                seconds=len(name) / 40, package=name,
            )  # fmt: skip
            for number in range(2 if name in DIRECT else 1):
                yield TestOutcome(
                    suite="upstream", test=f"{name}::test_{number}", platform=platform,
                    state=OutcomeState.PASS, seconds=0.4 + number, package=name,
                )  # fmt: skip
    special = [
        (
            OutcomeState.REGRESSION,
            "frame through SQL and back",
            ("pandas", "sqlalchemy"),
            "3 rows went in, 2 came out",
        ),
        (
            OutcomeState.FAIL,
            "plot to pixels",
            ("matplotlib", "pillow"),
            "AssertionError: 2 of 4 corners are black",
        ),
        (OutcomeState.TIMEOUT, "notebook executes", ("notebook", "nbclient"), "no end after 120 s"),
        (OutcomeState.INFRA_ERROR, "spawned workers", ("joblib",), "the runner had no space left in /tmp"),
        (OutcomeState.FLAKY, "server answers", ("fastapi", "httpx"), "failed once, passed on the second try"),
        (
            OutcomeState.KNOWN_FAIL,
            "time zones before 1900",
            ("pandas", "tzdata"),
            "pandas does not support them",
        ),
        (
            OutcomeState.WAIVED,
            "excel round trip",
            ("openpyxl",),
            "waived by ada until 2027-03-01: fonts differ",
        ),
        (OutcomeState.SKIPPED, "sound", ("scipy",), "needs a sound card"),
        (OutcomeState.NOT_SUPPORTED, "fork server", ("dask",), "no fork on this system"),
        (OutcomeState.NOT_RUN, "gpu", ("numba",), "no GPU on this host"),
        (OutcomeState.PASS, "model trained and pickled", ("scikit-learn", "joblib"), ""),
    ]
    for state, test, packages, reason in special if platform == LINUX else special[-4:]:
        logged = state.blocks or state is OutcomeState.FLAKY
        yield TestOutcome(
            suite="interop", test=test, platform=platform, state=state, seconds=3.2, packages=packages,
            reason=reason, log=f"logs/{test.replace(' ', '-')}.log" if logged else None,
        )  # fmt: skip


def make_runs() -> tuple[PlatformRun, ...]:
    facts = {
        "host": "Debian 12, x86-64",
        "installer": "Starter-2026.11.0-Linux-x86_64.sh",
        "install": "3.4 s",
    }
    return (
        PlatformRun(platform=LINUX, runner="native", outcomes=tuple(make_outcomes(LINUX)), environment=facts),
        PlatformRun(platform=ARM, runner="qemu-user", outcomes=tuple(make_outcomes(ARM))),
        PlatformRun(
            platform=WIN, runner=None, not_run="no runner for Windows on this host; install wine to have one"
        ),
    )


def make_artefacts() -> tuple[Artefact, ...]:
    made = [
        ("Starter-2026.11.0-Linux-x86_64.sh", LINUX, "sh", 214_000_000, 14.2),
        ("Starter-2026.11.0-Linux-aarch64.sh", ARM, "sh", 201_000_000, 13.8),
        ("Starter-2026.11.0-Windows-x86_64.exe", WIN, "exe", 0, 0.0),
    ]
    why = NotMade(reason="makensis is not installed here", remedy="apt-get install nsis, then run it again")
    return tuple(
        Artefact(
            path=f"installers/{name}", platform=platform, kind=ArtefactKind.INSTALLER, format=form,
            size=size, seconds=seconds,
            sha256=digest(name) if size else "", not_made=None if size else why,
        )
        for name, platform, form, size, seconds in made
    )  # fmt: skip


def make_sample(results: Path | None = None) -> Release:
    base = make_lock(
        numpy="2.3.5", requests="2.33.1", pillow="12.0.0", pandas="3.0.9", click="0.4", anyio="1.4.9"
    )
    lock = make_lock()
    if results is not None:
        write_logs(results)
    image = ImageResult(
        stage="image", inputs=digest("image"), seconds=21.4, platform=LINUX, manifest_sha256=digest("m"),
        stage0_sha256=digest("s"), payload_sha256=digest("p"), files=17_800, raw_size=463_000_000,
    )  # fmt: skip
    bare = Release(
        manifest=make_manifest(),
        base="starter-2026.10.2",
        channel=ChannelResult(stage="channel", inputs=digest("channel"), seconds=41.3, reused=True),
        locked=LockResult(stage="lock", inputs=digest("lock"), seconds=0.61, lock=lock),
        checked=CheckResult(stage="check", inputs=digest("check"), seconds=0.12),
        images=(image,),
        changes=diff(base, lock, requested_before=DIRECT, requested_after=DIRECT),
        made_at=dt.datetime(2026, 11, 22, 11, 40, tzinfo=dt.UTC),
        tools={"cuvee": "0.1.0", "python": "3.11.7", "py-rattler": "0.28.0", "uv": "0.9.11", "zstd": "1.5.7"},
        folder=results.parent if results is not None else Path(),
    )
    return changed(
        bare,
        absent=(
            Absent(
                platform="osx-64",
                reason="no interpreter for it can be had on this host",
                hint="Name a channel that carries python for osx-64.",
            ),
        ),
        findings=make_findings(),
        runs=make_runs(),
        artefacts=make_artefacts(),
    )


def write_logs(results: Path) -> None:
    for outcome in make_outcomes(LINUX):
        if outcome.log:
            path = results / LINUX / outcome.log
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = [f"{number:4}  E   assert frame.shape == (3, 2)" for number in range(1, 401)]
            path.write_text(
                "\x1b[31m" + "\n".join(lines[: 8 if outcome.state is OutcomeState.FAIL else 400]) + "\n"
            )


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Release:
    """One of everything, with 5 logs."""
    return make_sample(tmp_path_factory.mktemp("release") / "results")


@pytest.fixture(scope="session")
def ready(sample: Release) -> Release:
    """A release with nothing to complain about."""
    return quiet(sample)


def quiet(data: Release) -> Release:
    """Take everything out of a report's input that could be complained about."""

    def passed(platform: str) -> PlatformRun:
        outcomes = tuple(o for o in make_outcomes(platform) if o.state is OutcomeState.PASS)
        return PlatformRun(platform=platform, runner="native", outcomes=outcomes)

    manifest = dataclasses.replace(data.manifest, platforms=data.manifest.platforms[:3], waivers=())
    return changed(
        data,
        manifest=manifest,
        absent=(),
        findings=(),
        runs=tuple(passed(platform) for platform in PLATFORMS),
        artefacts=tuple(artefact for artefact in data.handed_out if artefact.not_made is None),
    )


class Html(HTMLParser):
    """What a page consists of: its elements with their attributes, its text, and its code."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.code: dict[str, list[str]] = {"script": [], "style": []}
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._inside = tag if tag in self.code else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.code[self._inside].append(data)
        else:
            self.text += data

    def values(self, attribute: str) -> list[str]:
        """All values of an attribute, in the page's order."""
        return [attributes[attribute] for _, attributes in self.elements if attribute in attributes]


@pytest.fixture
def read_page() -> Callable[[Release], Html]:
    """Render a report and take its page apart."""
    return lambda data: Html(render(page_of(data)))
