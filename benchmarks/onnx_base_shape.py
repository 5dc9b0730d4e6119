"""Whether ONNX graphs of a model of the shape of Florence-2-base answer as PyTorch does.

    python -m benchmarks.onnx_base_shape /tmp/base_shape

The weights are random: the graphs are those of the real model, what they compute is noise. Needs 4 GB of memory and
2 GB of disk, and minutes.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from benchmarks.base_shape import save_base_shape
from florence2.export.exportable import load_exportable
from florence2.export.onnx_folder import export_onnx


def main() -> None:
    """Save the model, export it, and print how far the graphs are off and what they weigh."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="new folder for model and graphs")
    folder: Path = parser.parse_args().folder
    source = load_exportable(str(save_base_shape(folder / "model")), "base-shape")
    started = time.monotonic()
    difference = export_onnx(source, folder / "onnx")
    megabytes = sum(file.stat().st_size for file in (folder / "onnx").iterdir()) / 1e6
    print(f"largest difference of a logit {difference:.1e}; {megabytes:.0f} MB; {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
