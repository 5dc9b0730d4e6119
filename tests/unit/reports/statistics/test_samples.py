"""Random samples with their images."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from florence2.datasets.formats import read_dataset
from florence2.reports.statistics.samples import draw_samples
from tests.builders import annotation, write_dataset, write_scenes


def test_boxes_are_drawn_where_they_are(tmp_path: Path) -> None:
    write_dataset(tmp_path, {"train": [annotation(suffix="cat<loc_250><loc_500><loc_749><loc_999>")]})
    Image.new("RGB", (100, 100), "#ffffff").save(tmp_path / "train/a.png")
    (sample,) = draw_samples(read_dataset(tmp_path))
    image = Image.open(io.BytesIO(base64.b64decode((sample.uri or "").partition(",")[2])))
    pixels = np.asarray(image.convert("L")).astype(int)
    side = image.width
    assert pixels[int(0.75 * side), int(0.25 * side) + 1] < 150, "the left edge"
    assert pixels[int(0.75 * side), int(0.5 * side)] > 240, "nothing inside"
    assert pixels[int(0.2 * side), int(0.25 * side) + 1] > 240, "nothing above"


def test_samples_come_from_all_splits_and_show_each_image_once(tmp_path: Path) -> None:
    scenes = read_dataset(write_scenes(tmp_path))
    samples = draw_samples(scenes, count=6)
    assert [sample.split for sample in samples] == ["train", "train", "valid", "valid", "test", "test"]
    assert len({sample.image for sample in samples}) == 6
    assert samples == draw_samples(scenes, count=6)
    assert samples != draw_samples(scenes, count=6, seed=1)
    for sample in draw_samples(scenes):
        assert (sample.boxes == 1) if sample.prefix == "<OD>" else (sample.answer in ("red", "blue"))


def test_large_noisy_images_leave_the_page_small(tmp_path: Path) -> None:
    root = write_dataset(tmp_path, {"train": [annotation(f"{number}.png") for number in range(13)]})
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (700, 700, 3), dtype=np.uint8))
    noise.save(root / "train/0.png")
    for number in range(1, 13):
        (root / f"train/{number}.png").write_bytes((root / "train/0.png").read_bytes())
    samples = draw_samples(read_dataset(root))
    assert len(samples) == 12
    # A page has up to 21 plots of some 20 kB and 3 MB in all.
    assert sum(len(sample.uri or "") for sample in samples) < 2_500_000
