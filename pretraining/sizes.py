"""The sizes in which a base is built: how much it sees, how wide and deep it is, and what it is taught."""

from __future__ import annotations

from dataclasses import dataclass

from pretraining.vocabulary import MORE_WORDS, WORDS

__all__ = ["SIZES", "Size"]


@dataclass(frozen=True)
class Size:
    """One built-in base before any training.

    Attributes:
        name: what follows ``builtin:``.
        course: the scenes and questions it is taught with, ``shapes`` or ``world``.
        words: what its tokenizer knows as whole tokens, divided by blanks.
        side: width and height in pixels that it sees.
        strides: by how much each stage of the vision tower reduces.
        widths: of the stages of the vision tower.
        depths: blocks of each stage.
        heads: attention heads, and groups of channel attention, of each stage.
        window: side of the windows of attention.
        width: of the text model.
        text_heads: attention heads of the text model.
        positions: the longest text with its image, in tokens.
        long_answer: room for a long answer in training, so that all steps have one shape; None: as it comes.
        short_answer: the same of a short one.
    """

    name: str
    course: str
    words: str
    side: int
    strides: tuple[int, int, int]
    widths: tuple[int, int, int]
    depths: tuple[int, int, int]
    heads: tuple[int, int, int]
    window: int
    width: int
    text_heads: int
    positions: int
    long_answer: int | None = None
    short_answer: int | None = None

    @property
    def is_of_one_shape(self) -> bool:
        """Say whether all training steps have tensors of the same shapes."""
        return self.long_answer is not None and self.short_answer is not None

    @property
    def grid(self) -> int:
        """Return the rows, and columns, of visual tokens."""
        first, second, third = self.strides
        return self.side // (first * second * third)

    @property
    def image_tokens(self) -> int:
        """Return how many tokens an image becomes: the grid, and its mean, which Florence-2's projector puts first."""
        return self.grid * self.grid + 1


SIZES: dict[str, Size] = {
    size.name: size
    for size in (
        Size(
            name="nano",
            course="shapes",
            words=WORDS,
            side=64,
            strides=(4, 2, 2),
            widths=(32, 64, 128),
            depths=(1, 1, 2),
            heads=(2, 4, 4),
            window=4,
            width=128,
            text_heads=4,
            positions=1024,
        ),
        Size(
            name="small",
            course="world",
            words=WORDS + MORE_WORDS,
            side=128,
            strides=(4, 2, 1),
            widths=(48, 96, 160),
            depths=(1, 1, 2),
            heads=(3, 6, 5),
            window=8,
            width=160,
            text_heads=5,
            positions=640,
            long_answer=176,
            short_answer=40,
        ),
    )
}
"""Every size by its name."""
