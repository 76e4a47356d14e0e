"""What the index says today of wheels that were imported earlier."""

import http.server
import io
import tarfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from packaging.version import Version

from checked_sets import package
from cuvee.channel.package_writer import PackageContent, write_package
from cuvee.channel.source_comparison import NotCompared, SourceChange, SourceComparison
from cuvee.channel.wheels import WheelRequest, uv
from cuvee.channel.wheels.index_comparison import ImportedWheel, compare_with_index, imported_wheel
from cuvee.channel.wheels.model import PinnedWheel, ResolutionTarget
from cuvee.channel.wheels.resolve import resolve
from cuvee.channel.wheels.wheel_archive import WheelName
from cuvee.errors import IntegrityError
from cuvee.files import sha256_file
from cuvee.process import Completed, Request

TARGET = ResolutionTarget(platform="linux-64", python="3.11.7", floor={"glibc": "2.28"})
SHA = "ab" * 32
YANKED = 'Resolved 1 package in 1ms\nwarning: `demo==1.0` is yanked (reason: "It is `broken`.\nSee (1).")\n'
NO_VERSION = "error: No solution found when resolving dependencies\n  cause: there is no version of demo==1.0"


def wheel(name: str = "demo", sha256: str = SHA) -> ImportedWheel:
    return ImportedWheel(
        package=package(name), name=WheelName.parse(f"{name}-1.0-py3-none-any.whl"), sha256=sha256
    )


def pylock(*names: str, sha256: str = SHA) -> str:
    return "".join(
        f'[[packages]]\nname = "{name}"\nversion = "1.0"\n'
        f'wheels = [{{ url = "https://i/{name}-1.0-py3-none-any.whl",'
        f' hashes = {{ sha256 = "{sha256}" }} }}]\n'
        for name in names
    )


def answering(
    monkeypatch: pytest.MonkeyPatch, answer: Callable[[Sequence[str]], tuple[int, str, str]]
) -> list[Sequence[str]]:
    """Let uv answer to its requirement lines; return the list of what it is asked."""
    asked: list[Sequence[str]] = []

    def compiling(requirements: Sequence[str], *_: object, **__: object) -> Completed:
        asked.append(requirements)
        code, out, err = answer(requirements)
        return Completed(request=Request(argv=("uv",)), exit_code=code, stdout=out, stderr=err, seconds=1.0)

    monkeypatch.setattr(uv, "compile_requirements", compiling)
    return asked


def changes(found: SourceComparison) -> list[tuple[str, SourceChange, str]]:
    return [(item.package.name, item.change, item.evidence) for item in found.changed]


def told(name: str = "demo", *, sha256: str = SHA, yanked: str | None = None) -> PinnedWheel:
    return PinnedWheel(
        name=name,
        version=Version("1.0"),
        file_name=f"{name}-1.0-py3-none-any.whl",
        url=f"https://i/{name}-1.0-py3-none-any.whl",
        sha256=sha256,
        yanked=yanked,
    )


def test_what_the_index_has_told_in_this_run_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, lambda _: (2, "", "it must not be asked"))
    known = {"linux-64": [told(), told("other")], "win-64": [told("third")]}
    found = compare_with_index([wheel(), wheel("other")], [TARGET], told=known)
    assert (found, asked) == (SourceComparison(), [])
    known["linux-64"][0] = told(yanked="broken")
    found = compare_with_index([wheel(), wheel("other")], [TARGET], told=known)
    assert changes(found) == [("demo", SourceChange.YANKED, "reason: broken")]
    known["linux-64"][0] = told(yanked="")
    found = compare_with_index([wheel()], [TARGET], told=known)
    assert changes(found) == [("demo", SourceChange.YANKED, "no reason is given")]
    assert asked == []


def test_what_the_index_has_told_of_another_file_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, lambda _: (0, pylock("demo", "other", sha256="cd" * 32), YANKED))
    known = {"linux-64": [told(sha256="cd" * 32), told("other", yanked="old")], "win-64": [told()]}
    found = compare_with_index([wheel("other"), wheel()], [TARGET], told=known)
    assert asked == [["demo==1.0"]]
    assert [(name, change) for name, change, _ in changes(found)] == [
        ("other", SourceChange.YANKED),
        ("demo", SourceChange.REPLACED),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (YANKED, {("demo", Version("1.0")): "It is `broken`. See (1)."}),
        ("warning: `zope-interface==5.0.dev1` is yanked", {("zope-interface", Version("5.0.dev1")): ""}),
        ("warning: `a[x]==1`  is yanked\nwarning: `demo==1.0` is old", {}),
        ("", {}),
    ],
)
def test_what_uv_calls_yanked(text: str, found: dict[tuple[str, Version], str]) -> None:
    assert uv.yanked(text) == found


def test_wheels_that_the_index_has_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answering(monkeypatch, lambda _: (0, pylock("demo", "other"), ""))
    assert compare_with_index([wheel(), wheel("other")], [TARGET]) == SourceComparison()
    assert asked == [["demo==1.0", "other==1.0"]]


@pytest.mark.parametrize(
    ("answer", "change", "evidence"),
    [
        ((0, pylock("demo"), YANKED), SourceChange.YANKED, "reason: It is `broken`. See (1)."),
        ((0, pylock("other"), ""), SourceChange.WITHDRAWN, "it no longer has demo-1.0-py3-none-any.whl"),
        (
            (0, pylock("demo", sha256="cd" * 32), ""),
            SourceChange.REPLACED,
            f"demo-1.0-py3-none-any.whl: imported with SHA-256 {SHA}, today it is {'cd' * 32}",
        ),
        ((1, "", NO_VERSION), SourceChange.WITHDRAWN, "it has no demo==1.0"),
    ],
)
def test_wheels_that_the_index_has_changed(
    monkeypatch: pytest.MonkeyPatch, answer: tuple[int, str, str], change: SourceChange, evidence: str
) -> None:
    answering(monkeypatch, lambda _: answer)
    assert changes(compare_with_index([wheel()], [TARGET])) == [("demo", change, evidence)]


def test_one_wheel_that_is_gone_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(lines: Sequence[str]) -> tuple[int, str, str]:
        names = [line.partition("=")[0] for line in lines]
        return (1, "", NO_VERSION) if "demo" in names else (0, pylock(*names), YANKED.replace("demo", "c"))

    answering(monkeypatch, answer)
    found = compare_with_index([wheel(name) for name in ("a", "b", "c", "demo", "e")], [TARGET])
    assert [(name, change) for name, change, _ in changes(found)] == [
        ("c", SourceChange.YANKED),
        ("demo", SourceChange.WITHDRAWN),
    ]


def test_an_index_that_is_not_reached_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(
        monkeypatch, lambda _: (2, "", "error: Failed to fetch: https://i.org/simple/demo/\n dns error")
    )
    (missing,) = compare_with_index([wheel()], [TARGET]).not_compared
    assert isinstance(missing, NotCompared)
    assert (missing.source, missing.packages) == ("the Python index", ("demo-1.0-0@linux-64",))
    assert missing.reason.startswith("i.org could not be reached")


@pytest.mark.parametrize(
    ("out", "targets", "reason"),
    [("[[", [TARGET], "uv's answer cannot be read"), (pylock("demo"), [], "their Python is not known")],
)
def test_what_cannot_be_compared_is_said(
    monkeypatch: pytest.MonkeyPatch, out: str, targets: list[ResolutionTarget], reason: str
) -> None:
    answering(monkeypatch, lambda _: (0, out, ""))
    (missing,) = compare_with_index([wheel()], targets).not_compared
    assert missing.reason.startswith(reason)


def test_a_package_whose_metadata_cannot_be_read_is_named(tmp_path: Path) -> None:
    archive = tmp_path / "demo-1.0-0.tar.bz2"
    with tarfile.open(archive, "w:bz2") as tar:
        member = tarfile.TarInfo("info/about.json")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"{"))
    with pytest.raises(IntegrityError, match=r"demo-1\.0-0\.tar\.bz2: info/about\.json"):
        imported_wheel(package("demo"), archive)


def test_a_package_knows_its_wheel(tmp_path: Path) -> None:
    content = PackageContent(name="demo", version="1.0", build="0", subdir="noarch", timestamp=0, files=())
    plain = write_package(content, tmp_path / "plain")
    assert imported_wheel(package("demo"), plain) is None
    extra = {"cuvee": {"wheel": "demo-1.0-py3-none-any.whl", "sha256": SHA}}
    made = write_package(replace(content, extra=extra), tmp_path / "made")
    assert imported_wheel(package("demo"), made) == wheel()


def test_a_yanked_wheel_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    targets: list[ResolutionTarget] = []

    def compiling(*_: object, target: ResolutionTarget, **__: object) -> Completed:
        targets.append(target)
        said = YANKED if "Demo" in target.prefer else ""
        return Completed(
            request=Request(argv=("uv",)), exit_code=0, stdout=pylock("demo"), stderr=said, seconds=1.0
        )

    monkeypatch.setattr(uv, "compile_requirements", compiling)
    request = WheelRequest(name="demo", platforms=("linux-64",), position="m.yaml:1:3")
    target = replace(TARGET, prefer={"Demo": "1.0", "other": "2.0"})
    assert [pinned.yanked for pinned in resolve([request], target)] == [None]
    assert [dict(item.prefer) for item in targets] == [{"Demo": "1.0", "other": "2.0"}, {"other": "2.0"}]


def test_a_yanked_wheel_that_is_pinned_is_taken_and_known(monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch, lambda _: (0, pylock("demo"), YANKED))
    request = WheelRequest(name="demo", version="==1.0", platforms=("linux-64",), position="m.yaml:1:3")
    (pinned,) = resolve([request], TARGET)
    assert pinned.yanked == "It is `broken`. See (1)."


class Index:
    """An index of this machine with pages that tests change."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.address = ""

    def write(self, *lines: str) -> None:
        page = self.folder / "simple" / "demo" / "index.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"<!DOCTYPE html><body>{''.join(lines)}</body>", encoding="utf-8")

    def line(self, path: Path, attributes: str = "", sha256: str = "") -> str:
        digest = sha256 or sha256_file(path)
        return f'<a href="{self.address}/{path.name}#sha256={digest}" {attributes}>{path.name}</a>'


class Handler(http.server.SimpleHTTPRequestHandler):
    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    made = Index(tmp_path / "index")
    made.folder.mkdir()
    handler = partial(Handler, directory=str(made.folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.address = f"http://127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{made.address}/simple")
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
        yield made
        server.shutdown()


@pytest.mark.real
def test_uv_says_what_an_index_has_yanked_replaced_or_removed(
    index: Index, make_wheel: Callable[..., Path]
) -> None:
    old, new = make_wheel("demo-1.0-py3-none-any.whl"), make_wheel("demo-0.9-py3-none-any.whl")
    request = WheelRequest(name="demo", platforms=("linux-64",), position="m.yaml:1:3")
    imported = wheel(sha256=sha256_file(old))
    keeping = replace(TARGET, prefer={"demo": "1.0"})

    index.write(index.line(old), index.line(new))
    assert compare_with_index([imported], [TARGET]) == SourceComparison()
    assert [str(pinned.version) for pinned in resolve([request], keeping)] == ["1.0"]

    index.write(index.line(old, 'data-yanked="it is broken"'), index.line(new))
    (item,) = compare_with_index([imported], [TARGET]).changed
    assert (item.change, item.evidence) == (SourceChange.YANKED, "reason: it is broken")
    assert [str(pinned.version) for pinned in resolve([request], keeping)] == ["0.9"]
    (pinned,) = resolve([replace(request, version="==1.0")], keeping)
    assert (str(pinned.version), pinned.yanked) == ("1.0", "it is broken")

    index.write(index.line(old, sha256="cd" * 32), index.line(new))
    (item,) = compare_with_index([imported], [TARGET]).changed
    assert item.change is SourceChange.REPLACED

    index.write(index.line(new))
    (item,) = compare_with_index([imported], [TARGET]).changed
    assert item.change is SourceChange.WITHDRAWN
