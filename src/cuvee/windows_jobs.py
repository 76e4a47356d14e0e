"""Job objects of Windows: whatever a program has started ends with its job.

https://learn.microsoft.com/windows/win32/procthread/job-objects
"""

import ctypes
from typing import Any

_SET_QUOTA, _TERMINATE = 0x0100, 0x0001


class WindowsJob:
    """A job that a process, and all that it starts from now on, belongs to."""

    def __init__(self, pid: int) -> None:
        self._kernel = _kernel()
        self._handle = self._kernel.CreateJobObjectW(None, None)
        process = self._kernel.OpenProcess(_SET_QUOTA | _TERMINATE, False, pid)
        if process:  # none if it has ended already
            self._kernel.AssignProcessToJobObject(self._handle, process)
            self._kernel.CloseHandle(process)

    def end(self) -> None:
        """End all of its processes."""
        self._kernel.TerminateJobObject(self._handle, 1)

    def close(self) -> None:
        """End all of its processes, and forget them."""
        self.end()
        self._kernel.CloseHandle(self._handle)


def _kernel() -> Any:
    library = getattr(ctypes, "WinDLL")("kernel32", use_last_error=True)  # noqa: B009 - only Windows has it
    handle, number = ctypes.c_void_p, ctypes.c_uint32
    for name, result, arguments in (
        ("CreateJobObjectW", handle, (handle, ctypes.c_wchar_p)),
        ("OpenProcess", handle, (number, ctypes.c_int, number)),
        ("AssignProcessToJobObject", ctypes.c_int, (handle, handle)),
        ("TerminateJobObject", ctypes.c_int, (handle, number)),
        ("CloseHandle", ctypes.c_int, (handle,)),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
