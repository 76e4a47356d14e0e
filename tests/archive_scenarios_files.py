"""Archives for the checks of metadata, files and names."""

from dataclasses import replace

from archive_contents import (
    MAC,
    PURE,
    PYTHON,
    TOO,
    WIN,
    WIN_B,
    A,
    B,
    C,
    Known,
    archive,
    distribution,
    file,
    link,
)
from checked_sets import package
from cuvee.channel.inspection.model import UnreadableArchive
from cuvee.graph.checks import Check
from cuvee.graph.checks.archive_integrity import ArchivesCheck, RecordCheck, TimestampsCheck
from cuvee.graph.checks.file_clashes import FileCaseCheck, FileClashesCheck
from cuvee.graph.checks.file_names import FileNamesCheck, LinkScriptsCheck, PathLengthsCheck
from cuvee.graph.checks.path_ownership import ReservedPathsCheck
from cuvee.graph.checks.python_packages import PythonDistributionsCheck, WheelFormatCheck
from cuvee.graph.checks.symbolic_links import LinksCheck

LONG = "Lib/site-packages/" + "long/" * 31 + "m.py"


SCENARIOS: dict[str, tuple[Check, Known]] = {
    "unreadable": (ArchivesCheck(), {A: UnreadableArchive(reason="a.conda is no zip"), B: archive(B)}),
    "not-as-listed": (ArchivesCheck(), {A: archive(A, problems=("it lacks x", "it lacks y"))}),
    "another-package": (
        RecordCheck(),
        {A: archive(A, index={"version": "1.1", "noarch": "python"}, size=7)} | {B: archive(B)},
    ),
    "another-size": (
        RecordCheck(),
        {(big := replace(A, size=5, md5="1" * 32)): archive(big, size=7, md5="2" * 32)},
    ),
    "patched": (
        RecordCheck(),
        {
            (
                remote := replace(
                    A,
                    channel="https://c.example/x",
                    url="https://c.example/x/linux-64/a.conda",
                    depends=("b >=1",),
                    timestamp=1_700_000_000_000,
                )
            ): archive(
                remote, index={"depends": ("b",), "license": "BSD-3-Clause", "timestamp": 1_700_000_001}
            ),
            B: archive(B, index={"constrains": ("c <1",)}),
        },
    ),
    "wheel-format": (
        WheelFormatCheck(),
        {
            A: archive(A, irregularities=("RECORD does not list a.py", "RECORD lists a.py twice")),
            B: archive(B),
        },
    ),
    "two-versions-of-a-distribution": (
        PythonDistributionsCheck(),
        {
            PYTHON: archive(PYTHON),
            PURE: archive(PURE, distributions=(distribution("site-packages", "d", "1.0"),)),
            A: archive(A, distributions=(distribution("lib/python3.11/site-packages", "d", "1.1"),)),
            B: archive(B, distributions=(distribution("lib/python3.12/site-packages", "d", "1.1"),)),
        },
    ),
    "one-version-of-a-distribution": (
        PythonDistributionsCheck(),
        {
            PYTHON: archive(PYTHON),
            PURE: archive(PURE, distributions=(distribution("site-packages", "d", "1.0"),)),
            TOO: archive(TOO, distributions=(distribution("site-packages", "d", "1.0"),)),
            A: archive(A, distributions=(distribution("lib/python3.11/site-packages", "e", "1.0"),)),
        },
    ),
    "times": (
        TimestampsCheck(),
        {
            item: archive(item)
            for item in (
                replace(A, timestamp=1_795_500_000_000),
                replace(B, timestamp=1_795_200_000_000),
                replace(C, timestamp=315_532_800),
                replace(package("d"), timestamp=1_700_000_000_000),
                replace(package("e"), timestamp=99_999_999_999_999_999),
            )
        },
    ),
    "clash": (
        FileClashesCheck(),
        {
            A: archive(A, file("bin/x"), file("bin/y"), file("share/same"), file("own")),
            B: archive(B, file("bin/x", "b"), file("bin/y", "b"), file("share/same")),
            C: archive(C, file("bin/x"), link("own2", "own")),
        },
    ),
    "clash-on-two-platforms": (
        FileClashesCheck(),
        {
            A: archive(A, file("x")),
            B: archive(B, file("x", "b")),
            WIN: archive(WIN, file("x"), file("y")),
            WIN_B: archive(WIN_B, file("x", "b"), file("y", "b")),
        },
    ),
    "same-text-another-placeholder": (
        FileClashesCheck(),
        {A: archive(A, file("etc/x", placeholder="/p")), B: archive(B, file("etc/x", placeholder="/q"))},
    ),
    "file-and-folder": (FileClashesCheck(), {A: archive(A, "lib/x"), B: archive(B, "lib/x/deep/y")}),
    "twice": (
        FileClashesCheck(),
        {
            PYTHON: archive(PYTHON, "bin/python"),
            TOO: archive(TOO, "python-scripts/run", entry_points=("run = t:main",)),
            B: archive(B, "bin/run"),
        },
    ),
    "clash-of-commands": (
        FileClashesCheck(),
        {
            PYTHON: archive(PYTHON, "bin/python"),
            PURE: archive(PURE, "site-packages/p.py", entry_points=("run = p:main",)),
            TOO: archive(TOO, "python-scripts/run", entry_points=("other = t:main",)),
            A: archive(A, "lib/python3.11/site-packages/p.py"),
        },
    ),
    "case": (
        FileCaseCheck(),
        {
            WIN: archive(WIN, "share/README", "share/readme"),
            WIN_B: archive(WIN_B, "Share/ReadMe"),
            A: archive(A, "x/A", "x/a"),
        },
    ),
    "accents": (FileCaseCheck(), {MAC: archive(MAC, "share/caf\u00e9", "share/cafe\u0301")}),
    "names": (
        FileNamesCheck(),
        {
            WIN: archive(
                WIN, "lib/aux.py", "con", "share/a:b", "dot.", "LPT1", "fine.txt", "auxiliary", "com10"
            ),
            A: archive(A, "lib/aux.py", "share/" + "\u00e9" * 128),
        },
    ),
    "long": (PathLengthsCheck(), {WIN: archive(WIN, LONG, LONG[:-1] + "d"), A: archive(A, LONG)}),
    "links": (
        LinksCheck(),
        {
            A: archive(
                A,
                "lib/real/x",
                link("lib/one", "real/x"),
                link("lib/folder", "real"),
                link("lib/two", "folder/x"),
                link("bin/out", "../../etc/passwd"),
                link("bin/abs", "/etc/passwd"),
                link("lib/gone", "nothing"),
                link("lib/empty", ""),
                link("lib/loop", "loop2"),
                link("lib/loop2", "loop/x"),
            ),
            WIN: archive(WIN, "x", link("y", "x")),
        },
    ),
    "link-chains": (
        LinksCheck(),
        {
            A: archive(A, "a/b/c/x", link("a/b/c/up", "../../.."), link("in", "a/b/c/up/a")),
            B: archive(B, link("esc", "a/b/c/up/../x"), link("fine", "a/b/c/up/a/b/c/x")),
            MAC: archive(MAC, link("share/Up", "..")),
            (mac := package("b", platform="osx-arm64")): archive(mac, link("esc", "SHARE/up/../x")),
            WIN: archive(WIN, "x", link("y", "..\\x"), link("z", "C:x")),
        },
    ),
    "reserved": (
        ReservedPathsCheck(),
        {
            PYTHON: archive(PYTHON, "bin/python3.11", "lib/python3.11/os.py", "conda-meta/history"),
            PURE: archive(PURE, "conda-meta/cuvee/json.py", "site-packages/conda-meta/x.json"),
            TOO: archive(TOO, "python-scripts/t", entry_points=("tiny-admin = t:main", "x-admin = t:main")),
            A: archive(A, "lib/python3.11/fcntl.py", link("pyvenv.cfg", "lib/x"), "lib/python3.11/test/x.py"),
            WIN: archive(WIN, "DLLs/_a.pyd", "Lib/site-packages/a.py", "Scripts/tiny-admin.exe"),
        },
    ),
    "scripts": (
        LinkScriptsCheck(),
        {
            A: archive(A, "bin/.a-post-link.sh"),
            C: archive(C, "bin/.c-pre-unlink.sh", "bin/.c-post-link.sh", "bin/c-post-link.sh"),
        },
    ),
}
