"""Images: what probing finds, and how images become upright RGB."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence2.errors import DatasetError, ImageError, RequestError
from florence2.images import files
from florence2.images.files import ImageDefect, ImageProbe, open_bytes, open_rgb, probe_image
from florence2.images.near_duplicates import group_near_identical
from florence2.images.signatures import mean_luma, signature
from tests.builders import write_image


def test_probe_of_a_good_image(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.png", size=(20, 10))
    probe = probe_image(path)
    assert (probe.width, probe.height, probe.error) == (20, 10, None)
    assert probe.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert ImageProbe(*json.loads(json.dumps(probe.values()))) == probe


def _noise(path: Path) -> Path:
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
def test_truncated_image(tmp_path: Path, suffix: str) -> None:
    path = _noise(tmp_path / f"a{suffix}")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    probe = probe_image(path)
    assert probe.width is None
    assert probe.sha256 == ""
    assert probe.error is not None
    assert probe.error.startswith(("truncated: ", "unreadable: "))
    assert str(tmp_path) not in probe.error


def test_truncated_jpeg_and_png_are_reported_as_truncated(tmp_path: Path) -> None:
    for suffix in (".jpg", ".png"):
        path = _noise(tmp_path / f"a{suffix}")
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        assert str(probe_image(path).error).startswith("truncated: ")


def test_what_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("not an image")
    (tmp_path / "empty.png").touch()
    (tmp_path / "folder.png").mkdir()
    os.mkfifo(tmp_path / "pipe.png")
    expected = {
        "text.png": "unreadable: not an image of a known format",
        "empty.png": "empty: the file has 0 bytes",
        "folder.png": "unreadable: is a folder",
        "pipe.png": "unreadable: is not a regular file",
        "missing.png": "missing: no such file",
        "x" * 300 + ".png": "unreadable: File name too long",
    }
    assert {name: probe_image(tmp_path / name).error for name in expected} == expected
    # Python words it, from 3.12 on in another way.
    assert re.match("unreadable: .*embedded null", probe_image(tmp_path / "nul\0.png").error or "")


def test_decompression_bomb_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_image(tmp_path / "a.png", size=(20, 10))
    monkeypatch.setattr(files, "MAX_PIXELS", 199)
    assert probe_image(path).error == "too-large: 20 x 10 pixels, at most 199 are decoded"
    with pytest.raises(DatasetError, match="too-large"):
        open_rgb(path)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(tmp_path: Path, orientation: int, suffix: str) -> None:
    # The upright image: wide, red at its upper left.
    upright = Image.new("RGB", (32, 16), "blue")
    upright.paste("red", (0, 0, 8, 8))
    undo = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    method = undo.get(orientation, files._UPRIGHT.get(orientation))
    stored = upright.transpose(method) if method is not None else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a{suffix}"
    stored.save(path, exif=exif)
    probe = probe_image(path)
    opened = open_rgb(path)
    assert (probe.width, probe.height) == opened.size == (32, 16)
    assert probe.orientation == orientation
    plain = tmp_path / f"plain{suffix}"
    upright.save(plain)
    assert group_near_identical([str(probe.signature), str(probe_image(plain).signature)]).tolist() == [0, 0]
    red, _, blue = opened.getpixel((3, 3))  # type: ignore[misc]
    assert red > 200 > 100 > blue


def test_bytes_that_are_no_image_raise_the_error_of_images(tmp_path: Path) -> None:
    data = write_image(tmp_path / "a.png").read_bytes()
    image, size_wh = open_bytes(data)
    assert (image.mode, image.size, size_wh) == ("RGB", (20, 10), (20, 10))
    for content, most_pixels, defect in ((b"nothing", None, "unreadable"), (data, 199, "too-large")):
        with pytest.raises(ImageError) as caught:
            open_bytes(content, most_pixels=most_pixels)
        assert not isinstance(caught.value, RequestError)
        assert caught.value.defect == defect
        assert str(caught.value).startswith(f"image: {defect}, ")


def test_the_error_of_images_is_raised_again_by_other_processes() -> None:
    error = pickle.loads(pickle.dumps(ImageError("a.png: too-large", ImageDefect.TOO_LARGE)))
    assert (str(error), error.defect) == ("a.png: too-large", "too-large")
    assert str(ImageError("a.png: unreadable")) == "a.png: unreadable"  # so do the loaders of torch, by its text alone


def test_open_rgb_takes_a_stream_and_translates_errors(tmp_path: Path) -> None:
    assert open_rgb(io.BytesIO(write_image(tmp_path / "a.png").read_bytes())).size == (20, 10)
    with pytest.raises(DatasetError, match="image: unreadable, not an image of a known format; replace"):
        open_rgb(io.BytesIO(b"nothing"))
    with pytest.raises(DatasetError, match=r"missing\.png"):
        open_rgb(tmp_path / "missing.png")


def test_brightness_and_signature_of_large_images_come_from_reduced_ones(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    image = Image.fromarray(pixels).resize((1203, 907), Image.Resampling.BICUBIC)
    expected = mean_luma(signature(image))
    signatures = []
    for name in ("a.jpg", "a.png", "a.webp", "a.tif"):
        image.save(tmp_path / name)
        probe = probe_image(tmp_path / name)
        assert (probe.width, probe.height, probe.mode) == (1203, 907, "RGB")
        assert probe.brightness == pytest.approx(mean_luma(str(probe.signature)), abs=0.00005)  # of 4 decimals
        # Cells of a reduced image differ by at most 2 levels, see _LEAST_SIDE; so does their mean.
        assert probe.brightness == pytest.approx(expected, abs=2 / 255)
        signatures.append(str(probe.signature))
    assert group_near_identical(signatures).tolist() == [0, 0, 0, 0]


def test_a_jpeg_that_is_cut_off_or_progressive(tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (300, 300, 3), dtype=np.uint8))
    path = tmp_path / "a.jpg"
    for progressive in (False, True):
        image.save(path, progressive=progressive)
        assert probe_image(path).error is None
        data = path.read_bytes()
        for kept in (len(data) - 3000, len(data) - 300):
            path.write_bytes(data[:kept])
            assert str(probe_image(path).error).startswith("truncated: ")


def test_a_jpeg_with_a_flood_of_scans_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.jpg"
    Image.new("RGB", (100, 100)).save(path, progressive=True)
    scans = path.read_bytes().count(b"\xff\xda")
    assert scans > 5
    monkeypatch.setattr(files, "_MAX_SCANNED_PIXELS", 10_000 * (scans - 1))
    assert probe_image(path).error == f"too-large: {scans} scans of 100 x 100 pixels would be decoded"


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.png").open("wb") as file:
        file.truncate(files.MAX_FILE_BYTES + 1)
    assert str(probe_image(tmp_path / "a.png").error).startswith("too-large: 1073741825 bytes")


def test_formats_that_start_programs_are_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n")
    assert probe_image(tmp_path / "a.jpg").error == "unreadable: not an image of a known format"


def test_an_image_of_many_pixels_is_refused_by_its_header(tmp_path: Path) -> None:
    header = b"IHDR" + struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    (tmp_path / "a.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", 1 << 20) + b"IDAT" + bytes(1 << 20)
    )
    assert probe_image(tmp_path / "a.png").error is not None
    assert str(probe_image(tmp_path / "a.png").error).startswith("too-large: ")
