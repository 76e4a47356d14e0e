"""The windows of Windows programs on a screen of their own: keys go in, texts and pictures come out."""

import json
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cuvee import process
from cuvee.process import Request
from needed_programs import HANGING, needed
from wine_desktop import Wine, windows

SIZE = "540x400"
_PATIENCE, _STEP = 120.0, 0.1
"""Seconds until something that should be seen is given up, and between two looks."""

_READER = r"""
import ctypes, json, sys
from ctypes import wintypes

user = ctypes.WinDLL("user32")
Visitor = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.HWND, wintypes.LPARAM)
user.SendMessageW.argtypes = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, ctypes.c_void_p]
user.SendMessageW.restype = ctypes.c_ssize_t
GETTEXT, LENGTH, CHECKED = 0x000D, 0x000E, 0x00F0

def words(window, ask):
    buffer = ctypes.create_unicode_buffer(2000)
    ask(window, buffer)
    return buffer.value

def kind(window):
    return words(window, lambda window, buffer: user.GetClassNameW(window, buffer, 2000))

def text(window):
    return words(window, lambda window, buffer: user.SendMessageW(window, GETTEXT, 2000, buffer))

def below(parent):
    found = []
    def visit(window, _):
        if user.IsWindowVisible(window):
            found.append(window)
        return True
    if parent:
        user.EnumChildWindows(parent, Visitor(visit), 0)
    else:
        user.EnumWindows(Visitor(visit), 0)
    return found

def is_checked(window):
    return kind(window) == "Button" and user.SendMessageW(window, CHECKED, 0, None) == 1

def look():
    front = user.GetForegroundWindow()
    return [
        {
            "title": text(window),
            "front": window == front,
            "controls": [
                {
                    "kind": kind(control),
                    "text": text(control).replace("&&", "&"),
                    "enabled": bool(user.IsWindowEnabled(control)),
                    "checked": is_checked(control),
                }
                for control in below(window)
            ],
        }
        for window in below(None)
        if kind(window) == "#32770"
    ]

for line in sys.stdin:
    print(json.dumps(look()), flush=True)
"""
"""Runs under Wine: for each line that it reads, it tells of all dialogs that are to be seen."""


class Dialog:
    """A window with what is in it, at one moment."""

    def __init__(self, found: dict[str, Any]) -> None:
        self.title: str = found["title"].strip()
        self.front: bool = found["front"]
        self._controls: list[dict[str, Any]] = found["controls"]

    def __repr__(self) -> str:
        return f"{self.title}: {[control['text'] for control in self._controls]}"

    @property
    def texts(self) -> list[str]:
        """What is written there, and in its fields."""
        return [control["text"].replace("\r\n", "\n").strip() for control in self._controls]

    @property
    def checked(self) -> set[str]:
        """The options that are ticked."""
        return {control["text"].replace("&", "") for control in self._controls if control["checked"]}

    @property
    def buttons(self) -> set[str]:
        """The buttons, and options, that can be pressed."""
        return {
            control["text"].replace("&", "")
            for control in self._controls
            if control["kind"] == "Button" and control["enabled"]
        }


class Screen:
    """A screen with a Windows desktop; ``python`` runs the reader, pictures go to ``pictures``."""

    def __init__(self, folder: Path, pictures: Path) -> None:
        self._server = subprocess.Popen(
            (
                needed("Xvfb"),
                "-displayfd",
                "1",
                "-screen",
                "0",
                f"{SIZE}x24",
                "-nolisten",
                "tcp",
            ),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._server.stdout is not None
        display = ":" + self._server.stdout.readline().decode().strip()
        # With a desktop, Wine draws the frames of windows by itself, as a window manager would. It looks for
        # that setting when it starts.
        first = Wine(folder, display=display)
        key = r"HKCU\Software\Wine\Explorer"
        first.run("reg", "add", key, "/v", "Desktop", "/d", "Default", "/f")
        first.run("reg", "add", rf"{key}\Desktops", "/v", "Default", "/d", SIZE, "/f")
        first.stop()
        self.wine = Wine(folder, display=display)
        self._environment = self.wine.environment
        self._pictures = pictures
        pictures.mkdir(parents=True, exist_ok=True)
        self._reader: subprocess.Popen[bytes] | None = None
        self._programs: list[subprocess.Popen[bytes]] = []

    def read_with(self, python: Path, folder: Path) -> None:
        """Start the reader, under a Python for Windows."""
        script = folder / "reader.py"
        script.write_text(_READER)
        self._reader = self._start(subprocess.PIPE, python, windows(script))

    def start(self, program: Path, *options: str, **variables: str) -> "subprocess.Popen[bytes]":
        """Start a program with a window."""
        return self._start(subprocess.DEVNULL, program, *options, **variables)

    def _start(self, pipe: int, program: Path, *options: str, **variables: str) -> "subprocess.Popen[bytes]":
        started = subprocess.Popen(
            (needed("wine"), str(program), *options),
            env=self._environment | variables,
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._programs.append(started)
        return started

    def look(self) -> list[Dialog]:
        """Tell of all dialogs that are to be seen."""
        assert self._reader is not None
        assert self._reader.stdin is not None
        assert self._reader.stdout is not None
        self._reader.stdin.write(b"look\n")
        self._reader.stdin.flush()
        return [Dialog(found) for found in json.loads(self._reader.stdout.readline())]

    def wait(self, *texts: str, until: Callable[[Dialog], bool] = lambda _: True) -> Dialog:
        """Wait for the dialog in front to show all of ``texts``; give it."""
        seen: list[Dialog] = []
        for _ in range(int(_PATIENCE / _STEP)):
            seen = self.look()
            for dialog in seen:
                shown = "\n".join(dialog.texts)
                if dialog.front and all(text in shown for text in texts) and until(dialog):
                    return dialog
            threading.Event().wait(_STEP)
        pytest.fail(f"no window shows {texts}, but {seen}")

    def press(self, *keys: str) -> None:
        """Press keys, one after another: ``alt+n``."""
        self._xdotool("key", *keys)

    def write(self, text: str) -> None:
        """Write into the field that has the focus, in place of what is in it."""
        # A field that gets the focus back selects what is in it, so that the next letter takes its place.
        for _ in range(5):
            self._xdotool("key", "Home", "shift+End")
            self._xdotool("type", text)
            for _ in range(30):
                if any(text in dialog.texts for dialog in self.look()):
                    return
                threading.Event().wait(_STEP)
        pytest.fail(f"{text} can not be written: {self.look()}")

    def picture(self, name: str, *, moving: bool = False) -> None:
        """Keep a picture of the screen, as soon as two in a row are the same, or at once of what moves."""
        before = b""
        for _ in range(int(_PATIENCE / _STEP)):
            argv = ("import", "-window", "root", "png:-")
            now = subprocess.run(argv, env=self._environment, stdout=subprocess.PIPE, check=True).stdout
            if moving or now == before:
                break
            before = now
            threading.Event().wait(_STEP)
        (self._pictures / f"{name}.png").write_bytes(now)

    def stop(self) -> None:
        """End everything."""
        self.wine.stop()
        for program in self._programs:
            program.communicate(timeout=HANGING)
        self._server.terminate()
        self._server.communicate(timeout=HANGING)

    def _xdotool(self, *arguments: str) -> None:
        done = process.run(
            Request(argv=("xdotool", *arguments), environment=self._environment, timeout=HANGING)
        )
        assert done.ok, done
