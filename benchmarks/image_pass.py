"""Measure the probe of all image files of a data set, and what the machine needs to decode them.

python -m benchmarks.image_pass --images 6000 --side 128
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from florence2.images.listing import list_images
from florence2.images.parallel import probe_images
from florence2.storage.fingerprint import fingerprint_folder

__all__ = ["measure", "write_images"]

_LONG_AGO = 1_600_000_000
"""Seconds since the epoch: files that changed just now are not remembered, see ``FileIndex``."""


def write_images(folder: Path, images: int, side: int) -> None:
    """Write JPEG files of soft shapes with a little noise, about as large as photographs of that size.

    Args:
        folder: an empty one.
        images: how many.
        side: width and height in pixels.
    """
    rng = np.random.default_rng(0)
    for number in range(images):
        shapes = Image.fromarray(rng.integers(0, 255, (8, 8, 3), dtype=np.uint8)).resize((side, side))
        noise = rng.integers(-6, 7, (side, side, 1))
        pixels = np.clip(np.asarray(shapes).astype(np.int16) + noise, 0, 255).astype(np.uint8)
        file = folder / f"{number // 1000:03}" / f"{number:07}.jpg"
        file.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(file, quality=85)
        os.utime(file, (_LONG_AGO, _LONG_AGO))


def measure(root: Path, repeats: int) -> dict[str, list[tuple[float, float]]]:
    """Return seconds and seconds of processor time of each repetition, by what was done.

    The first four are the machine's floor, on one core.
    """
    names = list_images(root)
    cache = Path(os.environ["XDG_CACHE_HOME"])

    def first_pass() -> None:
        for file in cache.rglob("*.sqlite"):
            file.unlink()
        probe_images(root, names)

    tasks: dict[str, Callable[[], object]] = {
        "read only": lambda: [(root / name).read_bytes() for name in names],
        "read and hash": lambda: [hashlib.sha256((root / name).read_bytes()).digest() for name in names],
        "Pillow's header only": lambda: [_size(root / name) for name in names],
        "Pillow's full decoding": lambda: [_size(root / name, load=True) for name in names],
        "first pass": first_pass,
        "second pass": lambda: probe_images(root, names),
        "second pass, --verify": lambda: probe_images(root, names, verify=True),
        "first fingerprint": lambda: fingerprint_folder(root, verify=True),
        "second fingerprint": lambda: fingerprint_folder(root),
        "list_images": lambda: list_images(root),
    }
    seconds: dict[str, list[tuple[float, float]]] = {}
    for task, run in tasks.items():
        for _ in range(repeats):
            begin, begin_cpu = time.perf_counter(), sum(os.times()[:4])
            run()
            spent = time.perf_counter() - begin, sum(os.times()[:4]) - begin_cpu
            seconds.setdefault(task, []).append(spent)
    return seconds


def _size(file: Path, load: bool = False) -> tuple[int, int]:
    with Image.open(io.BytesIO(file.read_bytes())) as image:
        if load:
            image.load()
        return image.size


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=6000)
    parser.add_argument("--side", type=int, default=128, help="width and height in pixels")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = str(Path(folder) / "cache")
        root = Path(folder) / "images"
        root.mkdir()
        write_images(root, args.images, args.side)
        mean_bytes = sum((root / name).stat().st_size for name in list_images(root)) / args.images
        print(f"{args.images} JPEG, {args.side} x {args.side} pixels, {mean_bytes:.0f} bytes; {os.cpu_count()} cores")
        for task, seconds in measure(root, args.repeats).items():
            rates = sorted(args.images / second for second, _ in seconds)
            cpu = statistics.median(second for _, second in seconds) / args.images * 1e6
            spread = f"({rates[0]:.0f} .. {rates[-1]:.0f})"
            print(f"{task:24} {statistics.median(rates):9.0f} images/s {spread:20} {cpu:6.0f} us CPU per image")
    own, workers = (
        resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"peak resident memory: {own:.0f} MiB, of a worker process {workers:.0f} MiB")


if __name__ == "__main__":
    main()
