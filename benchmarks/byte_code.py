"""Measure the settings of byte code: size of the installer, time to install, and to start what it installs.

    python benchmarks/byte_code.py dist/starter-2026.11.0 --publish

An image of the release's packages is made for each setting of `bytecode` in installer.yaml, and an installer
of it, with a cache in `--folder`. All are installed in turn; the median of the wall time counts, with the
processor time of that round. What is installed is verified, and must be good.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from measuring import processor_seconds, program

from cuvee.image.build import build_image
from cuvee.image.frames import HIGH_LEVEL, QUICK_LEVEL
from cuvee.image.model import ReleaseLabel
from cuvee.image.settings import ByteCode, InstallerSettings
from cuvee.installers.sh import build_sh
from cuvee.progress import SILENT
from cuvee.release.image_stage import byte_compiler
from cuvee.release.record import Release


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("release", type=Path, help="a release folder")
    parser.add_argument("--platform", default="linux-64")
    parser.add_argument("--publish", action="store_true", help="compress as much as for a publication")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where to work")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    level = HIGH_LEVEL if options.publish else QUICK_LEVEL
    installers = {
        setting: make(options.release, options.platform, setting, options.folder, level)
        for setting in ByteCode
    }
    took: dict[ByteCode, list[tuple[float, float]]] = {setting: [] for setting in ByteCode}
    for _ in range(options.rounds):
        for setting, installer in installers.items():
            took[setting].append(install(installer, options.folder / "prefix", setting))
    print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    largest = installers[ByteCode.INSTALLER].stat().st_size
    for setting, installer in installers.items():
        size = installer.stat().st_size
        median = statistics.median_low(wall for wall, _ in took[setting])
        cpu = next(cpu for wall, cpu in took[setting] if wall == median)
        print(
            f"{setting.value:10} {size / 1e6:7.1f} MB {size / largest:5.2f} x"
            f"   installed in {median:6.1f} s   cpu {cpu:6.1f} s"
        )
    return 0


def make(folder: Path, platform: str, setting: ByteCode, work: Path, level: int) -> Path:
    """Return the installer of a release's packages with a setting."""
    release = Release.open(folder)
    manifest = release.manifest
    lock = next(one for one in release.locked.lock.platforms if one.platform == platform)
    settings = InstallerSettings(bytecode=setting)
    label = ReleaseLabel(
        distribution=manifest.distribution, version=str(manifest.version), title=manifest.title
    )
    found = {path.name: path for path in (folder / "channel").rglob("*.conda")}
    image = build_image(
        lock,
        release=label,
        archives={package.identifier: found[package.file_name] for package in lock.packages},
        requested={},
        cache=work / "cache",
        folder=work / setting.value,
        level=level,
        compiler=byte_compiler(lock, settings, work / "cache", SILENT),
        reporter=SILENT,
        settings=settings,
    )
    assert image.settings.bytecode is setting, f"no Python here compiles for {platform}"
    return build_sh(image, license_text="", target=work / f"{setting.value}.sh", reporter=SILENT)


def install(installer: Path, prefix: Path, setting: ByteCode) -> tuple[float, float]:
    """Install, verify and remove; return the seconds of installing, and its processor time."""
    os.sync()
    busy, started = processor_seconds(), time.perf_counter()
    subprocess.run(
        [program("sh"), str(installer), "-b", "-p", str(prefix)], check=True, stdout=subprocess.DEVNULL
    )
    took = time.perf_counter() - started, processor_seconds() - busy
    command = next((prefix / "bin").glob("*-admin"))
    done = subprocess.run([str(command), "verify", "--json"], capture_output=True, check=False)
    assert json.loads(done.stdout)["good"], f"{setting.value}: {done.stdout.decode()[:2000]}"
    shutil.rmtree(prefix)
    return took


if __name__ == "__main__":
    raise SystemExit(main())
