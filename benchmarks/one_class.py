"""Keep one class of a detection set, and only images that show it: a set that a small model can learn.

python -m benchmarks.one_class od_bccd/florence2 WBC od_bccd_wbc
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from florence2.codec.grammar import format_spans, scan_boxes
from florence2.config import DatasetConfig
from florence2.datasets.ingestion import ingest
from florence2.datasets.manifest import SPLITS

__all__ = ["main"]


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("class_name")
    parser.add_argument("destination", type=Path)
    options = parser.parse_args()
    manifest = ingest(DatasetConfig(source=options.source))
    root = manifest.fetch_root()
    for split in SPLITS:
        folder: Path = options.destination / split
        folder.mkdir(parents=True)
        lines = []
        table = manifest.select(split).table
        for image, prefix, suffix in zip(table["image"], table["prefix"], table["suffix"], strict=True):
            kept = [span for span in scan_boxes(suffix)[0] if span.class_name == options.class_name]
            if kept:
                shutil.copy(root / image, folder)
                answer = format_spans((span.class_name, span.bins) for span in kept)
                lines.append(json.dumps({"image": Path(image).name, "prefix": prefix, "suffix": answer}))
        (folder / "annotations.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
