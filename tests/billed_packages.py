"""Locked packages, as tests of bills of materials need them."""

from typing import Any

from cuvee.conda.package_record import LockedPackage
from cuvee.conda.virtual_packages import VirtualPackage
from cuvee.image.model import ReleaseLabel
from cuvee.lock.model import PlatformLock

RELEASE = ReleaseLabel(distribution="tiny", version="2026.11.0", title="Tiny & Sons")
CHANNEL = "https://conda.example/forge"


def package(name: str, **fields: Any) -> LockedPackage:
    values: dict[str, Any] = {
        "version": "1.0",
        "build": "py_0",
        "build_number": 0,
        "platform": "linux-64",
        "subdir": "noarch",
        "url": f"{CHANNEL}/noarch/{name}-1.0-py_0.conda",
        "channel": CHANNEL,
        "sha256": "ab" * 32,
        "md5": "cd" * 16,
        "license": "MIT",
    }
    return LockedPackage(name=name, **values | fields)


def locked(*packages: LockedPackage) -> PlatformLock:
    virtual = (VirtualPackage(name="__glibc", version="2.28"),)
    return PlatformLock(platform="linux-64", packages=packages, virtual_packages=virtual)
