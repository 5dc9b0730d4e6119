"""The rules about image files."""

from __future__ import annotations

import numpy as np

from florence2.datasets.checks.definition import Finding, Rule, rule
from florence2.datasets.checks.views.images import ImageFile, ImagesView


@rule(
    ImagesView,
    "warning",
    remedy="check that the boxes fit the upright image, or save the image upright",
    example="a phone's JPEG with EXIF orientation 6",
)
def image_exif_orientation(view: ImagesView) -> Finding[ImageFile]:
    """The EXIF orientation of the file turns or mirrors the image; it is loaded upright."""
    return Finding(
        view.table["orientation"].isin(range(2, 9)),
        lambda image: (
            f"EXIF orientation {image['orientation']}: turned upright to {image['width']} x {image['height']} pixels, "
            "which boxes must fit"
        ),
        lambda image: image["orientation"],
    )


def _mode_rule(code: str, modes: tuple[str, ...], sentence: str, example: str) -> Rule:
    def find(view: ImagesView) -> Finding[ImageFile]:
        return Finding(
            view.table["mode"].isin(modes),
            lambda image: f"{image['mode']} is converted to RGB",
            lambda image: image["mode"],
        )

    remedy = "nothing to do if the image looks right that way"
    return Rule(code, "note", ImagesView, sentence, remedy, example, find)


image_greyscale = _mode_rule(
    "image-greyscale", ("1", "L"), "A grey image; its three channels become equal.", "a scanned page"
)
image_alpha = _mode_rule(
    "image-alpha",
    ("LA", "La", "PA", "RGBA", "RGBa", "1+transparency", "L+transparency", "P+transparency", "RGB+transparency"),
    "An image with transparency; what is transparent becomes white.",
    "a logo saved as PNG",
)
image_cmyk = _mode_rule(
    "image-cmyk", ("CMYK",), "An image in printing colours; they are converted.", "a JPEG made for print"
)
image_16_bit = _mode_rule(
    "image-16-bit",
    ("I", "I;16", "I;16B", "I;16L", "I;16N", "F"),
    "A grey image of more than 8 bits; its upper 8 bits are kept.",
    "a 16-bit PNG of a microscope",
)


@rule(
    ImagesView,
    "warning",
    remedy="annotate it, or remove the file",
    example="train/z.png, and no line with that name",
    concerns_rows=False,
)
def image_unused(view: ImagesView) -> Finding[ImageFile]:
    """No annotation names the image."""
    unused = np.ones(len(view.table), dtype=bool)
    unused[view.image_of_row[view.image_of_row >= 0]] = False
    return Finding(unused, lambda _: "no annotation names this image")


@rule(
    ImagesView,
    "warning",
    remedy="keep both in one split: a test on images like those of the training proves little",
    example="neighbouring frames of one video in train/ and test/",
)
def image_nearly_in_two_splits(view: ImagesView) -> Finding[ImageFile]:
    """Nearly the same image is in an earlier and a later one of the splits train, valid, test."""
    later = view.nearly_equal_row
    rows = view.manifest.table
    return Finding(
        later >= 0,
        lambda image: (
            f"nearly the same image as {rows['image'].iloc[later[image.position]]!r} "
            f"of split {rows['split'].iloc[later[image.position]]}"
        ),
    )
