"""Putting the desktop's own prefix into files that carry a placeholder for it.

The rules are those of conda's tools, so that the same package becomes the same file whichever tool installs
it: https://docs.conda.io/projects/conda-build/en/stable/resources/make-relocatable.html, and for first lines
that are too long https://github.com/conda/conda/blob/main/conda/core/portability.py.
"""

from __future__ import annotations

import re

# The kernel reads no more of a script's first line than this.
_SHEBANG_LIMIT = {"linux": 127, "osx": 512}
_SHEBANG = re.compile(rb"#! *(/(?:\\ |[^ \n\r\t])*)([^\n]*)")
_PYTHON = re.compile(rb"python(?:\d+(?:\.\d+)?)?")


def replace_prefix(data: bytes, how: str, placeholder: str, prefix: bytes, system: str) -> bytes:
    """Return ``data`` with ``placeholder`` replaced by ``prefix``.

    ``how`` is ``text``, or ``binary`` for files whose strings must keep their length. ``system`` is
    ``linux``, ``osx`` or ``win``.
    """
    old = placeholder.encode()
    if how == "binary":
        return _in_strings(data, old, prefix)
    return _in_text(data, old, prefix.replace(b"\\", b"/") if system == "win" else prefix, system)


def _in_text(data: bytes, old: bytes, new: bytes, system: str) -> bytes:
    if system == "win" or not data.startswith(b"#!"):
        return data.replace(old, new)
    end = data.find(b"\n")
    end = len(data) if end < 0 else end
    return _in_shebang(data[:end], old, new, _SHEBANG_LIMIT[system]) + data[end:].replace(old, new)


def _in_shebang(line: bytes, old: bytes, new: bytes, limit: int) -> bytes:
    if b" " in new:
        return _without_shebang(line).replace(old, new) if old in line else line
    line = line.replace(old, new)
    return line if len(line) <= limit else _without_shebang(line)


def _without_shebang(line: bytes) -> bytes:
    """Return a first line that starts the program whatever spaces and length its path has.

    A Python script is read twice: to the shell its second line is an ``exec``, to Python it is a string.
    """
    match = _SHEBANG.fullmatch(line)
    if match is None:
        return line
    program, options = match.groups()
    name = program.rpartition(b"/")[2]
    if _PYTHON.fullmatch(name):
        return b"#!/bin/sh\n'''exec' \"" + program + b'"' + options + b' "$0" "$@" #\'\'\''
    return b"#!/usr/bin/env " + name + options


def _in_strings(data: bytes, old: bytes, new: bytes) -> bytes:
    """Replace in C strings, which keep their length: what becomes free is filled with NUL."""
    pieces = []
    start = 0
    while True:
        found = data.find(old, start)
        if found < 0:
            pieces.append(data[start:])
            return b"".join(pieces)
        end = data.find(b"\0", found)
        end = len(data) if end < 0 else end
        replaced = data[found:end].replace(old, new)
        pieces += [data[start:found], replaced, b"\0" * (end - found - len(replaced))]
        start = end
