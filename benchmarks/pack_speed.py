"""Measure packing and unpacking a data set against plain copies of it on the same disk.

python -m benchmarks.pack_speed --gigabytes 1.5

Every lap ends when the disk has everything. All read what was written a moment ago, mostly from memory: what is
compared is the way through the program and onto the disk.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from florence2.storage.packed import pack, unpacked

__all__ = ["measure", "write_files"]

_FILE_BYTES = 160_000
"""As a photograph of COCO has on average."""

_LONG_AGO = 1_600_000_000
"""Seconds since the epoch: files that changed just now are not remembered, see ``FileIndex``."""


def write_files(folder: Path, total: int, seed: int = 0) -> int:
    """Write files that do not compress, of sizes around those of photographs.

    Args:
        folder: an empty one.
        total: bytes of all of them, at least.
        seed: of sizes and contents.

    Returns:
        The bytes written.
    """
    drawn, written, number = random.Random(seed), 0, 0
    while written < total:
        size = int(drawn.lognormvariate(0, 0.5) * _FILE_BYTES)
        file = folder / f"train/{number // 1000:03}/{number:07}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(drawn.randbytes(size))
        os.utime(file, (_LONG_AGO, _LONG_AGO))
        written, number = written + size, number + 1
    return written


def measure(top: Path, total: int, repeats: int) -> dict[str, list[float]]:
    """Return the seconds of each repetition, by what was done.

    Args:
        top: an empty folder on the disk that is measured.
        total: bytes of the data set.
        repeats: of each.
    """
    os.environ["XDG_CACHE_HOME"] = str(top / "cache")
    folder = top / "data"
    write_files(folder, total)
    found: dict[str, list[float]] = {}

    def lap(what: str, act: Callable[[], object]) -> None:
        subprocess.run(["sync", "-f", str(top)], check=True)
        since = time.perf_counter()
        act()
        subprocess.run(["sync", "-f", str(top)], check=True)
        found.setdefault(what, []).append(time.perf_counter() - since)

    store = str(top / "store")
    for _ in range(repeats):
        lap("cat all > one file", lambda: _run(f"find {folder} -type f -print0 | xargs -0 cat > {top}/one"))
        lap("cp -r", lambda: _run(f"cp -r {folder} {top}/copy"))
        _run(f"rm -rf {top}/cache {top}/one {top}/copy")
        lap("pack, nothing known", lambda: pack(folder, store))
        _run(f"rm -rf {store}")
        lap("pack, hashes known", lambda: pack(folder, store))
        lap("pack again, unchanged", lambda: pack(folder, store))
        lap("unpack", lambda: unpacked(pack(folder, store)))
        _run(f"rm -rf {store} {top}/cache")
    return found


def _run(command: str) -> None:
    subprocess.run(command, shell=True, check=True)


def main() -> None:
    """Print the scores as a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gigabytes", type=float, default=1.5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, help="on the disk that is measured; default: the temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as top:
        found = measure(Path(top), int(options.gigabytes * 1e9), options.repeats)
    plain = statistics.median(found["cp -r"])
    print(f"{options.gigabytes:g} GB, medians of {options.repeats}\n{'':24}{'seconds':>9}{'GB/s':>7}{'of cp -r':>10}")
    for what, seconds in found.items():
        middle = statistics.median(seconds)
        print(f"{what:24}{middle:9.2f}{options.gigabytes / middle:7.2f}{plain / middle:10.2f}")
    print(f"largest memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
