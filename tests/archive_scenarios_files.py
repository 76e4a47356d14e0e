"""What archives may hold that checks of metadata, files and names speak of."""

from dataclasses import replace

from archive_facts import MAC, PURE, PYTHON, TOO, WIN, WIN_B, A, B, C, Known, facts, file, link
from checked_sets import package
from cuvee.channel.inspection.model import UnreadableArchive
from cuvee.graph.checks import Check
from cuvee.graph.checks.archive_integrity import ArchivesCheck, RecordCheck, TimestampsCheck
from cuvee.graph.checks.file_clashes import FileCaseCheck, FileClashesCheck
from cuvee.graph.checks.file_names import FileNamesCheck, LinkScriptsCheck, PathLengthsCheck
from cuvee.graph.checks.symbolic_links import LinksCheck

LONG = "Lib/site-packages/" + "long/" * 31 + "m.py"


SCENARIOS: dict[str, tuple[Check, Known]] = {
    "unreadable": (ArchivesCheck(), {A: UnreadableArchive(reason="a.conda is no zip"), B: facts(B)}),
    "not-as-listed": (ArchivesCheck(), {A: facts(A, problems=("it lacks x", "it lacks y"))}),
    "another-package": (
        RecordCheck(),
        {A: facts(A, index={"version": "1.1", "noarch": "python"}, size=7)} | {B: facts(B)},
    ),
    "another-size": (
        RecordCheck(),
        {(big := replace(A, size=5, md5="1" * 32)): facts(big, size=7, md5="2" * 32)},
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
            ): facts(
                remote, index={"depends": ("b",), "license": "BSD-3-Clause", "timestamp": 1_700_000_001}
            ),
            B: facts(B, index={"constrains": ("c <1",)}),
        },
    ),
    "times": (
        TimestampsCheck(),
        {
            item: facts(item)
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
            A: facts(A, file("bin/x"), file("bin/y"), file("share/same"), file("own")),
            B: facts(B, file("bin/x", "b"), file("bin/y", "b"), file("share/same")),
            C: facts(C, file("bin/x"), link("own2", "own")),
        },
    ),
    "clash-on-two-platforms": (
        FileClashesCheck(),
        {
            A: facts(A, file("x")),
            B: facts(B, file("x", "b")),
            WIN: facts(WIN, file("x"), file("y")),
            WIN_B: facts(WIN_B, file("x", "b"), file("y", "b")),
        },
    ),
    "same-text-another-placeholder": (
        FileClashesCheck(),
        {A: facts(A, file("etc/x", placeholder="/p")), B: facts(B, file("etc/x", placeholder="/q"))},
    ),
    "file-and-folder": (FileClashesCheck(), {A: facts(A, "lib/x"), B: facts(B, "lib/x/deep/y")}),
    "twice": (
        FileClashesCheck(),
        {
            PYTHON: facts(PYTHON, "bin/python"),
            TOO: facts(TOO, "python-scripts/run", entry_points=("run = t:main",)),
            B: facts(B, "bin/run"),
        },
    ),
    "clash-of-commands": (
        FileClashesCheck(),
        {
            PYTHON: facts(PYTHON, "bin/python"),
            PURE: facts(PURE, "site-packages/p.py", entry_points=("run = p:main",)),
            TOO: facts(TOO, "python-scripts/run", entry_points=("other = t:main",)),
            A: facts(A, "lib/python3.11/site-packages/p.py"),
        },
    ),
    "case": (
        FileCaseCheck(),
        {
            WIN: facts(WIN, "share/README", "share/readme"),
            WIN_B: facts(WIN_B, "Share/ReadMe"),
            A: facts(A, "x/A", "x/a"),
        },
    ),
    "accents": (FileCaseCheck(), {MAC: facts(MAC, "share/caf\u00e9", "share/cafe\u0301")}),
    "names": (
        FileNamesCheck(),
        {
            WIN: facts(
                WIN, "lib/aux.py", "con", "share/a:b", "dot.", "LPT1", "fine.txt", "auxiliary", "com10"
            ),
            A: facts(A, "lib/aux.py", "share/" + "\u00e9" * 128),
        },
    ),
    "long": (PathLengthsCheck(), {WIN: facts(WIN, LONG, LONG[:-1] + "d"), A: facts(A, LONG)}),
    "links": (
        LinksCheck(),
        {
            A: facts(
                A,
                "lib/real/x",
                link("lib/one", "real/x"),
                link("lib/folder", "real"),
                link("lib/two", "folder/x"),
                link("bin/out", "../../etc/passwd"),
                link("bin/abs", "/etc/passwd"),
                link("lib/gone", "nothing"),
                link("lib/loop", "loop2"),
                link("lib/loop2", "loop/x"),
            ),
            WIN: facts(WIN, "x", link("y", "x")),
        },
    ),
    "scripts": (
        LinkScriptsCheck(),
        {
            A: facts(A, "bin/.a-post-link.sh"),
            C: facts(C, "bin/.c-pre-unlink.sh", "bin/.c-post-link.sh", "bin/c-post-link.sh"),
        },
    ),
}
