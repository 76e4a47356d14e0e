"""Another implementation of the payload format, from docs/reference/payload-format.md and nothing of cuvee.

It holds an image to its hashes and writes a prefix, alone and in order: slow, and easy to follow.
"""

import json
import os
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from installers.payload_containers import Container, hold, sha256

WINDOW = 1 << 25
FOLLOWED = 255
PART = r"(?!\.{1,2}(?:/|$))[^/\\:\x00-\x1f]+"
PYTHON = re.compile(rb"python(\d+(\.\d+)?)?")


def frames_of(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    packages = [frame for package in manifest["packages"] for frame in package["frames"]]
    return [*packages, *manifest["extras"], *manifest["records"]]


def check_paths(manifest: dict[str, Any]) -> None:
    """Refuse a manifest that names a place outside of the prefix or of a frame."""
    for folder in manifest["folders"]:
        hold(re.fullmatch(rf"{PART}(/{PART})*", folder), folder)
    folders = {"", *manifest["folders"]}
    links = [link for package in manifest["packages"] for link in package["links"]]
    links += [[entry[0], entry[5]] for entry in manifest["stage0"] if entry[4] == "link"]
    paths = [link[0] for link in links] + [entry[0] for entry in manifest["stage0"]]
    for frame in frames_of(manifest):
        for path, _, start, size, *_ in frame["files"]:
            hold(min(start, size) >= 0 and start + size <= frame["raw"], path)
            paths.append(path)
    for path in paths:
        folder, _, name = path.rpartition("/")
        hold(folder in folders and re.fullmatch(PART, name), path)
    for path, target in links:
        end = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
        hold(target and not target.startswith("/") and end != ".." and not end.startswith("../"), path)
    if manifest["platform"].startswith("linux"):
        targets = dict(links)
        for path, _ in links:
            walk((), path, targets, FOLLOWED)
        hold(not folders & targets.keys(), "a folder is a link")


def walk(at: tuple[str, ...], path: str, links: dict[str, str], left: int) -> tuple[tuple[str, ...], int]:
    """Follow a path from a folder through links; return where it ends, and how many more may be followed."""
    for part in path.split("/"):
        if left < 0:
            break
        if part == "..":
            hold(at, path)
            at = at[:-1]
        elif part not in {"", "."}:
            target = links.get("/".join((*at, part)))
            if target is None:
                at = (*at, part)
            else:
                hold(not target.startswith("/"), path)
                at, left = walk(at, target, links, left - 1) if left else (at, -1)
    return at, left


def unpacked(frame: dict[str, Any], payload: memoryview) -> Iterator[tuple[list[Any], bytes]]:
    """Yield a frame's files and their bytes, all of them held to their hashes."""
    packed = payload[frame["offset"] : frame["offset"] + frame["size"]]
    hold(sha256(packed) == frame["sha256"], f"the frame at {frame['offset']}")
    decompressor = zstandard.ZstdDecompressor(max_window_size=WINDOW)
    raw = decompressor.decompress(packed, max_output_size=frame["raw"])
    hold(len(raw) == frame["raw"], f"the frame at {frame['offset']}")
    for file in frame["files"]:
        data = raw[file[2] : file[2] + file[3]]
        hold(sha256(data) == file[5], file[0])
        yield file, data


class Writer:
    """Writes a prefix into ``folder``, with files that name it ``prefix``."""

    def __init__(self, container: Container, folder: Path, prefix: str) -> None:
        self.manifest, self.payload, self.stage0 = container.manifest, container.payload, container.stage0
        self.folder = folder
        self.prefix = prefix
        self.system = self.manifest["platform"].partition("-")[0]

    def write(self) -> None:
        check_paths(self.manifest)
        for folder in self.manifest["folders"]:
            (self.folder / folder).mkdir()
        links = {path: to for package in self.manifest["packages"] for path, to in package["links"]}
        for path, mode, size, digest, how, extra in self.manifest["stage0"]:
            if how == "link":
                hold(links.setdefault(path, extra) == extra, path)
                continue
            hold(digest in self.stage0 and len(self.stage0[digest]) == size, path)
            self.put(path, mode, self.stage0[digest], how, extra)
        for frame in frames_of(self.manifest):
            for (path, mode, _, _, how, _, *extra), data in unpacked(frame, self.payload):
                self.put(path, mode, data, how, extra[0] if extra else None)
        for path, target in links.items():
            (self.folder / path).symlink_to(target)

    def put(self, path: str, mode: int, data: bytes, how: str, extra: Any) -> None:
        place = self.folder / path
        hold(how == "piece" or not os.path.lexists(place), path)
        if how in {"text", "binary"}:
            data = relocated(data, how, extra, self.prefix, self.system)
        elif how == "record":
            data = self.completed(data, extra)
        with os.fdopen(os.open(place, os.O_CREAT | os.O_WRONLY, mode), "wb") as stream:
            stream.seek(extra if how == "piece" else 0)
            stream.write(data)
        if how == "source":
            time = self.manifest["source_time"] if extra is None else extra
            os.utime(place, (time, time))

    def completed(self, data: bytes, lines: list[list[Any]]) -> bytes:
        record = json.loads(data)
        for number, path in lines:
            line, content = record["paths_data"]["paths"][number], (self.folder / path).read_bytes()
            key = "sha256" if "entry_point" in line["path_type"] else "sha256_in_prefix"
            line |= {key: sha256(content), "size_in_bytes": len(content)}
        return (json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode()


def relocated(data: bytes, how: str, placeholder: str, prefix: str, system: str) -> bytes:
    """Put the prefix in the place of the placeholder."""
    old, new = placeholder.encode(), os.fsencode(prefix)
    if how == "binary":

        def string(match: re.Match[bytes]) -> bytes:
            return match[0].replace(old, new).ljust(len(match[0]), b"\0")

        return re.sub(re.escape(old) + rb"[^\0]*", string, data)
    if system == "win":
        return data.replace(old, new.replace(b"\\", b"/"))
    line, newline, rest = data.partition(b"\n")
    if line.startswith(b"#!"):
        line = first_line(line, old, new, longest=512 if system == "osx" else 127)
    return line.replace(old, new) + newline + rest.replace(old, new)


def first_line(line: bytes, old: bytes, new: bytes, *, longest: int) -> bytes:
    """Start a script whose first line no kernel would understand in another way."""
    if b" " not in new:
        line = line.replace(old, new)
        if len(line) <= longest:
            return line
    elif old not in line:
        return line
    parts = re.fullmatch(rb"#! *(/(?:\\ |[^ \n\r\t])*)(.*)", line, re.DOTALL)
    if parts is None:
        return line
    program, options = parts.groups()
    name = posixpath.basename(program)
    if PYTHON.fullmatch(name):
        return b"#!/bin/sh\n'''exec' \"" + program + b'"' + options + b' "$0" "$@" #\'\'\''
    return b"#!/usr/bin/env " + name + options
