"""Archives for the checks of programs and libraries."""

from dataclasses import replace

from archive_contents import MAC, WIN, WIN_B, A, B, C, Known, archive, dylib, elf, file, link, pe
from cuvee.graph.checks import Check
from cuvee.graph.checks.binary_portability import MachinesCheck, SearchPathsCheck
from cuvee.graph.checks.shared_libraries import LibrariesCheck, SymbolVersionsCheck
from cuvee.graph.checks.system_floor import SystemFloorCheck

SCENARIOS: dict[str, tuple[Check, Known]] = {
    "libraries": (
        LibrariesCheck(),
        {
            A: archive(
                A,
                "lib/liblinked.so.1.2",
                link("lib/liblinked.so.1", "liblinked.so.1.2"),
                binaries=[
                    elf("lib/a.so", "libc.so.6", "libstdc++.so.6", "liblinked.so.1", "libgone.so.3"),
                    elf(
                        "opt/a/a.so",
                        "libprivate.so",
                        "libX11.so.6",
                        "libcuda.so.1",
                        search_paths=("$ORIGIN/../b",),
                    ),
                    elf("opt/b/libprivate.so", "libgone.so.3", "libhidden.so.1"),
                ],
            ),
            B: archive(B, binaries=[elf("opt/c/libhidden.so", name="libhidden.so.1")]),
        },
    ),
    "libraries-of-those-who-load": (
        LibrariesCheck(),
        {
            A: archive(
                A,
                binaries=[
                    elf("x/m.so", "libone.so", search_paths=("$ORIGIN/libs",), is_inherited=True),
                    elf("x/libs/libone.so", "libtwo.so"),
                    elf("x/libs/libtwo.so", "libone.so"),
                    elf("y/m.so", "libthree.so", search_paths=("$ORIGIN/libs",)),
                    elf("y/libs/libthree.so", "libfour.so"),
                    elf("y/libs/libfour.so"),
                ],
            ),
        },
    ),
    "libraries-of-windows": (
        LibrariesCheck(),
        {
            WIN: archive(
                WIN,
                binaries=[
                    pe(
                        "Lib/site-packages/a/m.pyd",
                        "KERNEL32.dll",
                        "api-ms-win-crt-heap-l1-1-0.dll",
                        "python311.dll",
                        "Own-1234.dll",
                        "MSVCP140.dll",
                        "gone.dll",
                    ),
                    pe("Lib/site-packages/a.libs/own-1234.dll", "other.dll"),
                ],
            ),
            WIN_B: archive(WIN_B, binaries=[pe("Python311.dll"), pe("Lib/site-packages/b.libs/other.dll")]),
        },
    ),
    "libraries-of-macos": (
        LibrariesCheck(),
        {
            MAC: archive(
                MAC,
                file("lib/libplaced.dylib"),
                binaries=[
                    dylib(
                        "lib/p/m.so",
                        "/usr/lib/libSystem.B.dylib",
                        "@rpath/libz.dylib",
                        "@rpath/libq.dylib",
                        "@loader_path/../libz.dylib",
                        "/opt/build/libgone.dylib",
                        "/usr/local/lib/libx.dylib",
                        search_paths=("@loader_path/../q",),
                    ),
                    dylib("lib/libz.dylib"),
                    dylib("lib/q/libq.dylib"),
                ],
            ),
        },
    ),
    "symbols": (
        SymbolVersionsCheck(),
        {
            A: archive(
                A,
                binaries=[
                    elf(
                        "lib/a.so",
                        "libssl.so.3",
                        "libstdc++.so.6",
                        "libc.so.6",
                        wants=(
                            "libssl.so.3 OPENSSL_3.0",
                            "libssl.so.3 OPENSSL_3.9",
                            "libstdc++.so.6 GLIBCXX_3.4.24",
                            "libstdc++.so.6 GLIBCXX_3.4.30",
                            "libstdc++.so.6 CXXABI_1.3.9",
                            "libc.so.6 GLIBC_2.99",
                        ),
                    ),
                ],
            ),
            B: archive(B, binaries=[elf("lib/libssl.so.3", defined_versions=("libssl.so.3", "OPENSSL_3.0"))]),
        },
    ),
    "search": (
        SearchPathsCheck(),
        {
            A: archive(
                A,
                file("lib/placed.so", placeholder="/opt/placeholder"),
                binaries=[
                    elf(
                        "lib/placed.so", search_paths=("/opt/placeholder/lib", "$ORIGIN", "${ORIGIN}/../lib")
                    ),
                    elf(
                        "lib/a.so",
                        search_paths=(
                            "/home/conda/feedstock_root/build/lib",
                            "",
                            "../../../..",
                            "/usr/lib64",
                        ),
                    ),
                    elf("lib/b.so", search_paths=("/var/tmp/build/lib", "$ORIGIN/../../..")),  # noqa: S108 - what is looked for
                ],
            ),
        },
    ),
    "machines": (
        MachinesCheck(),
        {
            A: archive(
                A,
                binaries=[
                    elf("lib/liba.so.1", machine="aarch64"),
                    elf(
                        "lib/python3.11/site-packages/a/m.cpython-311-aarch64-linux-gnu.so", machine="aarch64"
                    ),
                    elf("share/data/helper.so", problem="it is cut short", machine=""),
                    elf("bin/tool", problem="it is cut short", machine=""),
                ],
            ),
            B: archive(
                B,
                binaries=[
                    elf("lib/python3.11/site-packages/b/m.cpython-311-x86_64-linux-gnu.so"),
                    elf(
                        "lib/python3.11/site-packages/b/m.cpython-311-aarch64-linux-gnu.so", machine="aarch64"
                    ),
                    pe("lib/python3.11/site-packages/b/w64.exe"),
                    pe("bin/assembly.exe", machine="any", is_program=True),
                    pe("lib/net/assembly.dll", machine="any"),
                    elf("b/sysroot/lib/libc.so.6", machine="aarch64"),
                ],
            ),
            WIN: archive(
                WIN, binaries=[pe("Scripts/a.exe", machine="x86", is_program=True), pe("Scripts/b.exe")]
            ),
        },
    ),
    "floor-kept": (
        SystemFloorCheck(),
        {
            (needy := replace(A, depends=("__glibc >=2.17,<3.0.a0", "__linux", "__cuda >=12"))): archive(
                needy,
                binaries=[elf("lib/a.so", wants=("libc.so.6 GLIBC_2.28",)), elf("lib/b.so")],
            ),
            B: archive(B, binaries=[elf("lib/b2.so", wants=("libc.so.6 GLIBC_2.2.5", "libx.so MY_9.9"))]),
        },
    ),
    "floor-broken": (
        SystemFloorCheck(),
        {
            A: archive(
                A,
                binaries=[elf("lib/a.so", wants=("libc.so.6 GLIBC_2.9", "libc.so.6 GLIBC_2.34"))],
            ),
            B: archive(B, binaries=[elf("lib/b.so", wants=("libc.so.6 GLIBC_ABI_DT_RELR",), cpu_level=3)]),
            C: archive(C, binaries=[elf("s/sysroot/lib/libm.so.6", wants=("libc.so.6 GLIBC_2.99",))]),
            MAC: archive(
                MAC,
                binaries=[
                    dylib("lib/a.dylib", oldest_system="12.3"),
                    dylib("lib/b.dylib", oldest_system="99.0", machine="x86_64"),
                ],
            ),
        },
    ),
}
