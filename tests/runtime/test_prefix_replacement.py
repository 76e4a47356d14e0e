"""The runtime's replacing of prefixes; that it equals rattler's is shown by the differential test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cuvee.runtime.prefix_replacement import replace_prefix

OLD = "/old/placeholder" + "_x" * 20
PREFIX = "/home/ü/py"


def placed(data: bytes, how: str, prefix: str = PREFIX, system: str = "linux") -> bytes:
    return replace_prefix(data, how, OLD, prefix.encode(), system)


@given(st.lists(st.one_of(st.binary(max_size=6), st.just(OLD.encode())), max_size=8))
def test_binary_keeps_every_length(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    new = placed(data, "binary")
    assert len(new) == len(data)
    assert OLD.encode() not in new
    strings = [part for part in data.split(b"\0") if OLD.encode() in part]
    for string in strings:
        assert string.replace(OLD.encode(), PREFIX.encode()) in new


@given(st.lists(st.one_of(st.binary(max_size=6), st.just(OLD.encode())), max_size=8))
def test_text_without_a_shebang_is_replaced_everywhere(pieces: list[bytes]) -> None:
    data = b"".join(pieces)
    if not data.startswith(b"#!"):
        assert placed(data, "text") == data.replace(OLD.encode(), PREFIX.encode())


@pytest.mark.parametrize(
    ("line", "prefix", "system", "expected"),
    [
        ("#!@/bin/python3 -E", "/p", "linux", "#!/p/bin/python3 -E"),
        (
            "#!@/bin/python3 -E",
            "/p q",
            "linux",
            "#!/bin/sh\n'''exec' \"/p q/bin/python3\" -E \"$0\" \"$@\" #'''",
        ),
        ("#!@/bin/perl -w", "/p q", "linux", "#!/usr/bin/env perl -w"),
        ("#!/usr/bin/env python", "/p q", "linux", "#!/usr/bin/env python"),
        ("#!@/bin/python", "/" + "p" * 113, "linux", "#!/" + "p" * 113 + "/bin/python"),
        (
            "#!@/bin/python",
            "/" + "p" * 114,
            "linux",
            "#!/bin/sh\n'''exec' \"/" + "p" * 114 + '/bin/python" "$0" "$@" #\'\'\'',
        ),
        ("#!@/bin/python", "/" + "p" * 114, "osx", "#!/" + "p" * 114 + "/bin/python"),
        ("#!@/bin/python", "C:\\p q", "win", "#!C:/p q/bin/python"),
    ],
)
def test_shebangs(line: str, prefix: str, system: str, expected: str) -> None:
    data = (line.replace("@", OLD) + f"\nx = '{OLD}'\n").encode()
    rest = f"\nx = '{prefix}'\n".replace("\\", "/")
    assert placed(data, "text", prefix, system).decode() == expected + rest
