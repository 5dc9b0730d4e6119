"""Images of every mode become RGB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence2.images.files import open_rgb, probe_image


def test_modes_become_rgb(tmp_path: Path) -> None:
    expected = {
        "1": (255, 255, 255),
        "L": (200, 200, 200),
        "P": (200, 0, 0),
        "LA": (255, 255, 255),
        "RGBA": (255, 255, 255),
        "CMYK": (255, 0, 255),
        "I;16": (128, 128, 128),
    }
    colors: dict[str, int | tuple[int, ...]] = {
        "1": 255,
        "L": 200,
        "LA": (0, 0),
        "RGBA": (9, 9, 9, 0),
        "CMYK": (0, 255, 0, 0),
        "I;16": 128 << 8,
    }
    for mode, color in colors.items():
        name = "a.jpg" if mode == "CMYK" else "a.png"
        Image.new(mode, (8, 8), color).save(tmp_path / name, quality=100)
        opened = open_rgb(tmp_path / name)
        assert opened.mode == "RGB"
        probe = probe_image(tmp_path / name)
        assert (probe.error, probe.mode) == (None, mode)
        # A level for each rounding, of the cell and of its luma; JPEG (the CMYK) may change a colour by another two.
        luma = np.dot(expected[mode], [0.299, 0.587, 0.114]) / 255
        assert probe.brightness == pytest.approx(luma, abs=4 / 255), mode
        np.testing.assert_allclose(opened.getpixel((4, 4)), expected[mode], atol=3, err_msg=mode)  # type: ignore[arg-type]
    Image.new("RGB", (8, 8), (200, 0, 0)).quantize(4).save(tmp_path / "p.png")
    assert open_rgb(tmp_path / "p.png").getpixel((0, 0)) == expected["P"]


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_transparency_that_is_not_part_of_the_mode(tmp_path: Path, mode: str) -> None:
    image = Image.new("RGB", (120, 120), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 60, 120))
    transparent: int | tuple[int, ...] = (0, 0, 0) if mode == "RGB" else 0
    stored = image.quantize(2, dither=Image.Dither.NONE) if mode == "P" else image.convert(mode)
    if mode == "P":
        transparent = stored.getpixel((100, 60))  # type: ignore[assignment]
    stored.save(tmp_path / "a.png", transparency=transparent)
    stored.save(tmp_path / "opaque.png")
    probe = probe_image(tmp_path / "a.png")
    assert (probe.mode, probe.brightness) == (f"{mode}+transparency", 1.0)
    assert open_rgb(tmp_path / "a.png").getpixel((100, 60)) == (255, 255, 255)
    assert probe_image(tmp_path / "opaque.png").mode == mode
