from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from cuvee.channel.wheels import uv
from cuvee.channel.wheels.model import ResolutionTarget, WheelRequest
from cuvee.channel.wheels.resolve import read_pylock, resolve
from cuvee.errors import BlockedError, CuveeError, IntegrityError, ManifestError, SourceUnreachableError
from cuvee.process import Completed, Request

LINUX = ResolutionTarget(platform="linux-64", python="3.11.7", floor={"glibc": "2.28"})
SHA = "ab" * 32


def request(name: str, version: str = "*", *, line: int = 1, constraint: bool = False) -> WheelRequest:
    return WheelRequest(
        name=name,
        version=version,
        platforms=("linux-64",),
        position=f"m.yaml:{line}:3",
        constraint=constraint,
    )


def pylock(*wheels: str, name: str = "demo", version: str = "1.0", sha256: str = SHA) -> str:
    rows = "".join(
        f'{{ url = "https://example.org/{wheel}", size = 3, hashes = {{ sha256 = "{sha256}" }} }},'
        for wheel in wheels
    )
    return f'lock-version = "1.0"\n[[packages]]\nname = "{name}"\nversion = "{version}"\nwheels = [{rows}]\n'


class FakeUv:
    """Answers by the first requirement line; remembers what it was asked."""

    def __init__(self, answers: Mapping[str, tuple[int, str, str]]) -> None:
        self.answers = answers
        self.asked: list[tuple[Sequence[str], Sequence[str]]] = []

    def __call__(
        self, requirements: Sequence[str], constraints: Sequence[str] = (), **_: object
    ) -> Completed:
        self.asked.append((requirements, constraints))
        code, stdout, stderr = self.answers[requirements[0]]
        return Completed(
            request=Request(argv=("uv",)), exit_code=code, stdout=stdout, stderr=stderr, seconds=1.0
        )


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[..., FakeUv]:
    def install(**answers: tuple[int, str, str]) -> FakeUv:
        double = FakeUv(answers)
        monkeypatch.setattr(uv, "compile_requirements", double)
        return double

    return install


def test_the_best_wheel_of_each_project_is_pinned() -> None:
    text = pylock("demo-1.0-py3-none-any.whl", "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl")
    (pinned,) = read_pylock(text, LINUX)
    assert pinned.file_name == "demo-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"
    assert (pinned.sha256, pinned.size) == (SHA, 3)


@pytest.mark.parametrize(
    ("text", "error", "why"),
    [
        (pylock("demo-1.0-cp312-cp312-win_amd64.whl"), BlockedError, "demo 1.0 has no wheel for linux-64"),
        (pylock(), BlockedError, "no wheel"),
        (pylock("demo-1.0-py3-none-any.whl", sha256="xyz"), IntegrityError, "no SHA-256"),
        (pylock("other-1.0-py3-none-any.whl"), IntegrityError, "offers other-1.0"),
        (pylock("demo-2.0-py3-none-any.whl"), IntegrityError, "offers demo-2.0.* as demo 1.0"),
        (pylock("demo.txt"), IntegrityError, "not the name of a wheel"),
        ("packages = 3", BlockedError, "cannot be read"),
        ("[[", BlockedError, "cannot be read"),
    ],
)
def test_an_answer_that_can_not_be_used(text: str, error: type[CuveeError], why: str) -> None:
    with pytest.raises(error, match=why):
        read_pylock(text, LINUX)


def test_what_is_asked_of_uv(fake: Callable[..., FakeUv]) -> None:
    double = fake(**{"demo<2.0,>=1.0": (0, pylock("demo-1.0-py3-none-any.whl"), "")})
    wanted = [
        request("demo", ">=1.0,<2.0a0"),
        request("numpy", "2.4.*", constraint=True),
        request("openssl", "3.0|4.0", constraint=True),
        request("scipy", constraint=True),
        WheelRequest(name="winonly", platforms=("win-64",), position="m.yaml:9:3"),
    ]
    resolve(wanted, LINUX)
    assert double.asked == [(["demo<2.0,>=1.0"], ("numpy==2.4.*",))]


def test_nothing_to_ask_asks_nothing(fake: Callable[..., FakeUv]) -> None:
    double = fake()
    assert resolve([request("numpy", "2.4.*", constraint=True)], LINUX) == ()
    assert double.asked == []


def test_a_spec_that_is_condas_alone_names_the_line() -> None:
    with pytest.raises(ManifestError, match=r"^m\.yaml:4:3"):
        resolve([request("demo", "1.0|2.0", line=4)], LINUX)


NO_VERSION = (
    "error: No solution found when resolving dependencies\n  cause: Because there is no version of"
    " numpy==2.4.99 and you require numpy==2.4.99, your requirements are unsatisfiable.\n"
)


def test_a_pin_that_no_index_has(fake: Callable[..., FakeUv]) -> None:
    fake(
        **{
            "numpy==2.4.99": (1, "", NO_VERSION),
            "numpy<2.4.99": (0, pylock("numpy-2.4.6-py3-none-any.whl", name="numpy", version="2.4.6"), ""),
            "numpy>2.4.99": (0, pylock("numpy-2.5.0-py3-none-any.whl", name="numpy", version="2.5.0"), ""),
            "numpy": (0, pylock("numpy-2.6.1-py3-none-any.whl", name="numpy", version="2.6.1"), ""),
        }
    )
    unspoken = request("numpy", "2.4|2.5", line=14, constraint=True)
    with pytest.raises(BlockedError) as error:
        resolve([request("numpy", "2.4.99", line=12), request("pandas", line=13), unspoken], LINUX)
    assert error.value.message.splitlines() == [
        "m.yaml:12:3: requests numpy 2.4.99",
        "the wheels for linux-64 cannot be resolved:",
        *(f"  {line}" for line in NO_VERSION.strip().splitlines()),
        "available of numpy, nearest and newest: 2.4.6, 2.5.0, 2.6.1",
    ]


def test_a_conflict_names_all_who_asked(fake: Callable[..., FakeUv]) -> None:
    words = (
        "error: No solution found when resolving dependencies\n  cause: Because pandas>=3.1.0 depends on"
        " numpy>=2.0.2 and you require numpy<2.0, we can conclude that pandas>=3.1.0 is incompatible.\n"
    )
    fake(**{"pandas>=3.1": (1, "", words)})
    wanted = [request("pandas", ">=3.1", line=3), request("numpy", "<2.0", line=4, constraint=True)]
    with pytest.raises(
        BlockedError, match=r"m\.yaml:3:3: requests pandas >=3\.1\nm\.yaml:4:3: requests numpy"
    ):
        resolve([*wanted, request("num", line=5)], LINUX)


def test_a_name_that_no_index_has(fake: Callable[..., FakeUv]) -> None:
    words = (
        "error: No solution found when resolving dependencies\n  cause: Because nope-xyz was not found in the"
        " package registry and you require nope-xyz, your requirements are unsatisfiable."
    )
    fake(**{"nope-xyz": (1, "", words)})
    with pytest.raises(BlockedError, match="requests nope-xyz") as error:
        resolve([request("nope-xyz")], LINUX)
    assert "spelling" in (error.value.hint or "")


@pytest.mark.parametrize(
    ("words", "said", "hint"),
    [
        (
            "error\n  cause: Failed to fetch: https://me:secret@i.example.org/six/\n  cause: dns error",
            "i.example.org could not be reached",
            "proxy",
        ),
        ("error sending request for url (https://i.org/)\n invalid peer certificate", "i.org", "trust store"),
        ("HTTP status client error (401 Unauthorized) for url (https://i.org/six/)", "i.org", "netrc"),
        (
            "error: No solution found\n hint: Packages were unavailable because the network was disabled.",
            "UV_OFFLINE",
            "run once without it",
        ),
    ],
)  # fmt: skip
def test_an_index_that_can_not_be_reached(
    fake: Callable[..., FakeUv], words: str, said: str, hint: str
) -> None:
    fake(six=(2, "", words))
    with pytest.raises(SourceUnreachableError) as error:
        resolve([request("six")], LINUX)
    assert said in error.value.message
    assert "secret" not in error.value.message
    assert hint in (error.value.hint or "")


@pytest.mark.parametrize(
    ("platform", "floor", "name"),
    [
        ("linux-64", {"glibc": "2.28"}, "x86_64-manylinux_2_28"),
        ("linux-64", {"glibc": "2.30"}, "x86_64-manylinux_2_28"),
        ("linux-aarch64", {"glibc": "2.17"}, "aarch64-manylinux_2_17"),
        ("linux-64", {"glibc": "2.99"}, "x86_64-manylinux_2_40"),
        ("win-64", {}, "x86_64-pc-windows-msvc"),
        ("osx-64", {"osx": "11.0"}, "x86_64-apple-darwin"),
        ("osx-arm64", {"osx": "11.0"}, "aarch64-apple-darwin"),
    ],
)
def test_uvs_name_of_a_platform(platform: str, floor: dict[str, str], name: str) -> None:
    assert uv.platform_triple(platform, floor) == name


def test_a_floor_that_no_wheel_supports() -> None:
    with pytest.raises(BlockedError, match=r"glibc floor of 2\.12"):
        uv.platform_triple("linux-64", {"glibc": "2.12"})


def test_pips_index_is_passed_on_unless_uv_has_one(tmp_path: Path) -> None:
    config = tmp_path / "pip.conf"
    config.write_text("[global]\nindex-url = https://mirror.example/simple\n")
    home = {"HOME": str(tmp_path)}
    assert uv.pip_index(home, [config]) == "https://mirror.example/simple"
    assert uv.pip_index({**home, "PIP_INDEX_URL": "https://a/"}, [config]) == "https://a/"
    assert uv.pip_index({**home, "UV_DEFAULT_INDEX": "https://b/"}, [config]) is None
    assert uv.pip_index(home, [tmp_path / "none"]) is None
    settings = tmp_path / ".config" / "uv" / "uv.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text('[[index]]\nurl = "https://c/"\n')
    assert uv.pip_index(home, [config]) is None


def test_versions_to_keep_are_those_that_uv_can_read() -> None:
    """uv refuses a whole ``pylock.toml`` for one name or version of conda's own."""
    text = uv._pylock({"_libgcc_mutex": "0.1", "jpeg": "9e_0", "zope.interface": "7.2", "tzdata": "2025c"})
    assert "zope.interface" in text
    assert not {"_libgcc_mutex", "jpeg"} & set(text.split('"'))


UNSOLVED = "error: No solution found when resolving dependencies\n  cause: Because "


def test_a_version_newer_than_exclude_newer_is_said_with_the_key_of_the_manifest(
    fake: Callable[..., FakeUv],
) -> None:
    words = (
        f"{UNSOLVED}there is no version of pandas==3.0.0 and you require pandas==3.0.0, we can conclude that"
        " your requirements are unsatisfiable.\n\nhint: `pandas` was filtered by `exclude-newer` to only"
        " include packages uploaded before 2025-06-01T00:00:00Z. The requested version, v3.0.0, was published"
        " at 2026-01-21T15:50:15.775Z. Consider using `exclude-newer-package` to override the cutoff.\n"
    )
    older = (0, pylock("pandas-2.2.3-py3-none-any.whl", name="pandas", version="2.2.3"), "")
    fake(**{"pandas==3.0.0": (1, "", words), "pandas<3.0.0": older, "pandas>3.0.0": older, "pandas": older})
    with pytest.raises(BlockedError) as error:
        resolve([request("pandas", "3.0.0", line=3)], LINUX)
    assert error.value.message.splitlines()[-1] == (
        "pandas 3.0.0 was published at 2026-01-21T15:50:15.775Z, after the manifest's exclude-newer,"
        " 2025-06-01T00:00:00Z"
    )
    assert "exclude-newer-package" not in error.value.message
    assert "exclude-newer in the manifest" in str(error.value.hint)


def test_a_project_for_one_system_is_limited_to_it(fake: Callable[..., FakeUv]) -> None:
    words = (
        f"{UNSOLVED}pywin32>=303 has no wheels with a matching platform tag (e.g., `manylinux_2_28_x86_64`)"
        " and you require pywin32, we can conclude that your requirements are unsatisfiable.\n\nhint: Wheels"
        " are available for `pywin32` (v312) on the following platforms: `win32`, `win_amd64`, `win_arm64`\n"
    )
    fake(pywin32=(1, "", words))
    wanted = WheelRequest(
        name="pywin32", platforms=("linux-64", "osx-arm64", "win-64"), position="m.yaml:9:3"
    )
    with pytest.raises(BlockedError) as error:
        resolve([wanted], LINUX)
    assert error.value.hint == "Limit pywin32 to the platforms that have it: platforms: [win-64]."


def test_a_misspelt_wheel_is_compared_with_the_other_names(fake: Callable[..., FakeUv]) -> None:
    words = f"{UNSOLVED}nunpy was not found in the package registry and you require nunpy, …\n"
    fake(nunpy=(1, "", words))
    with pytest.raises(BlockedError) as error:
        resolve([request("nunpy"), request("numpy", "2.*", constraint=True)], LINUX)
    assert error.value.hint == "Did you mean numpy?"
