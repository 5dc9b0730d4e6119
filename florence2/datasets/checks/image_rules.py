"""The rules about image files and splits: columns of the views ``images`` and ``splits``."""

from __future__ import annotations

from florence2.datasets.checks.rule import IsNull, NotIn, Rule

__all__ = ["IMAGE_RULES", "SPLIT_RULES"]

_FLAG = NotIn((True,))


def _mode_rule(code: str, modes: tuple[str, ...], sentence: str, example: str) -> Rule:
    return Rule(
        code,
        "note",
        "images",
        sentence,
        "nothing to do if the image looks right that way",
        example,
        column="mode",
        check=NotIn(modes),
        shows="mode",
        detail="{mode} is converted to RGB",
    )


IMAGE_RULES: tuple[Rule, ...] = (
    Rule(
        "image-exif-orientation",
        "warning",
        "images",
        "The file asks to be shown turned or mirrored; it is turned upright.",
        "make sure that the boxes fit the upright image, or save it turned",
        "a phone's JPEG with EXIF orientation 6",
        column="orientation",
        check=NotIn(tuple(range(2, 9))),
        shows="orientation",
        detail="EXIF orientation {orientation}: turned upright to {width} x {height} pixels, which boxes must fit",
    ),
    _mode_rule("image-greyscale", ("1", "L"), "A grey image; its three channels become equal.", "a scanned page"),
    _mode_rule(
        "image-alpha",
        ("LA", "La", "PA", "RGBA", "RGBa", "1+transparency", "L+transparency", "P+transparency", "RGB+transparency"),
        "An image with transparency; what is transparent becomes white.",
        "a logo saved as PNG",
    ),
    _mode_rule("image-cmyk", ("CMYK",), "An image in printing colours; they are converted.", "a JPEG made for print"),
    _mode_rule(
        "image-16-bit",
        ("I", "I;16", "I;16B", "I;16L", "I;16N", "F"),
        "A grey image of more than 8 bits; its upper 8 bits are kept.",
        "a 16-bit PNG of a microscope",
    ),
    Rule(
        "image-unused",
        "warning",
        "images",
        "No annotation names the image.",
        "annotate it, or remove the file",
        "train/z.png, and no line with that name",
        column="unused",
        check=_FLAG,
        shows="image",
        detail="no annotation names this image",
        concerns_rows=False,
    ),
    Rule(
        "image-nearly-in-two-splits",
        "warning",
        "images",
        "Nearly the same image is in an earlier and a later one of the splits train, valid, test.",
        "keep both in one split: what was seen in training proves little in the test",
        "neighbouring frames of one video in train/ and test/",
        column="nearly_leaks_to",
        check=IsNull(),
        shows="image",
        detail="nearly the same image as {other!r} of split {other_split}",
    ),
)

SPLIT_RULES: tuple[Rule, ...] = (
    Rule(
        "train-empty",
        "error",
        "splits",
        "The training split that the data set comes with has no annotation.",
        "add annotations to it, or remove the folder so that the others are split anew",
        "an empty train/annotations.jsonl",
        column="train_empty",
        check=_FLAG,
        shows="split",
        detail="the training split has no annotation",
        concerns_rows=False,
    ),
    Rule(
        "split-empty",
        "warning",
        "splits",
        "A validation or test split that the data set comes with has no annotation.",
        "add annotations to it; else it is taken out of the training split",
        "an empty valid/annotations.jsonl",
        column="held_out_empty",
        check=_FLAG,
        shows="split",
        detail="the split has no annotation",
        concerns_rows=False,
    ),
)
