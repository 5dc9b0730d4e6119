"""Images are listed by their suffix; what leads out of the folder is not."""

from __future__ import annotations

import os
from pathlib import Path

from florence2.images.listing import list_images


def test_listed_images(tmp_path: Path) -> None:
    root = tmp_path / "set"
    for name in ("b.JPG", "deep/er/a.png", "a.webp", ".hidden.png", ".git/a.png", "a.txt", "a.eps", "c.tiff"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    os.mkfifo(root / "pipe.png")
    (root / "folder.png").mkdir()
    (tmp_path / "out.png").touch()
    (root / "in.png").symlink_to("a.webp")
    (root / "out.png").symlink_to("../out.png")
    (root / "broken.png").symlink_to("nowhere")
    (root / "ring.png").symlink_to("ring.png")
    (root / "again").symlink_to("deep")
    (tmp_path / "link").symlink_to(root)
    expected = ["a.webp", "b.JPG", "c.tiff", "deep/er/a.png", "in.png"]
    assert list_images(root) == list_images(tmp_path / "link") == expected
