"""Written scenes: signs with words, and small documents with a name and a value on each line."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from florence2.builtin.canvas import Points, jitter
from pretraining.vocabulary import WORDS

__all__ = ["CHARACTERS", "FIELDS", "Line", "draw_document", "draw_words"]

CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-/$%"
"""Texts consist of these characters; the head knows comma, hyphen and per cent, but no text has them yet."""

FIELDS = ("total", "date", "tax", "name", "number", "amount", "price", "city", "time", "cash", "change", "page")
"""What a line of a document may be about."""

_FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono")
_DICTIONARY = tuple(dict.fromkeys(word for word in WORDS.lower().split() if len(word) > 1))
_NARROW = 0.62
"""Width of a character of these fonts as a share of its size, about."""


@dataclass(frozen=True)
class Line:
    """One line of writing.

    Attributes:
        text: what it says.
        box: (4,) around it, in pixels of the drawing or, in a scene, of its image.
        characters: per character that is no blank, the character and the middle (2,) of it.
        field: what a line of a document is about, empty on a sign.
        value: what a line of a document says about it.
    """

    text: str
    box: Points
    characters: tuple[tuple[str, Points], ...]
    field: str = ""
    value: str = ""


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    # Matplotlib is where free fonts are found on every machine: DejaVu comes with it.
    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)


def draw_words(
    rng: np.random.Generator, drawing: Image.Image, ground: Points, lines: int, height: tuple[float, float]
) -> list[Line]:
    """Write lines of words, one below another, sometimes on a board.

    Args:
        rng: source of randomness.
        drawing: a square at drawing size, on which the text is drawn.
        ground: mean RGB of the ground.
        lines: number of lines wanted.
        height: smallest and largest size of letters as a share of the image's side.
    """
    side = drawing.width
    size = int(rng.uniform(*height) * side)
    name = str(rng.choice(_FONTS))
    room = int(side * 0.94 / (size * _NARROW))
    texts = []
    for _ in range(lines):
        text = _word(rng, room)
        while rng.random() < 0.4 and len(text) + 3 < room:
            text = f"{text} {_word(rng, room - len(text) - 1)}"
        texts.append(text)
    return _write(rng, drawing, ground, [(text, "", "") for text in texts], (name, size))


def draw_document(rng: np.random.Generator, drawing: Image.Image, ground: Points, lines: int) -> list[Line]:
    """Write a small document: a different field and its value on each line.

    Args:
        rng: source of randomness.
        drawing: a square at drawing size, on which the text is drawn.
        ground: mean RGB of the ground.
        lines: number of lines wanted.
    """
    side = drawing.width
    size = int(rng.uniform(0.085, 0.12) * side)
    name = str(rng.choice(_FONTS))
    separator = str(rng.choice([": ", " "]))
    entries = []
    for field in rng.permutation(list(FIELDS))[:lines]:
        value = _value(rng, str(field))
        shown = str(field).capitalize() if rng.random() < 0.5 else str(field)
        entries.append((f"{shown}{separator}{value}", str(field), value))
    return _write(rng, drawing, ground, entries, (name, size))


def _value(rng: np.random.Generator, field: str) -> str:
    if field in ("total", "tax", "amount", "price", "cash", "change"):
        amount = f"{rng.integers(1, 100)}.{rng.integers(0, 100):02d}"
        return f"${amount}" if rng.random() < 0.3 else amount
    if field == "date":
        return f"{rng.integers(1, 29)}/{rng.integers(1, 13)}/{rng.integers(10, 30)}"
    if field == "time":
        return f"{rng.integers(0, 24)}:{rng.integers(0, 60):02d}"
    if field in ("number", "page"):
        return str(rng.integers(1, 10000 if field == "number" else 100))
    return _word(rng, 7).capitalize()


def _word(rng: np.random.Generator, room: int) -> str:
    """Return a word of the dictionary, a number, or letters of no meaning, no longer than the room."""
    room = max(1, min(room, 9))
    kind = rng.random()
    if kind < 0.55:
        word = str(_DICTIONARY[int(rng.integers(len(_DICTIONARY)))])
        if len(word) > room:
            return _word(rng, room)
    elif kind < 0.7:
        word = str(rng.integers(0, 10 ** int(rng.integers(1, min(room, 5) + 1))))
    else:
        length = int(rng.integers(1, min(room, 6) + 1))
        word = "".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), length))
    case = rng.random()
    return word.upper() if case < 0.25 else word.capitalize() if case < 0.45 else word


def _write(
    rng: np.random.Generator,
    drawing: Image.Image,
    ground: Points,
    entries: list[tuple[str, str, str]],
    style: tuple[str, int],
) -> list[Line]:
    """Write entries (text, field, value) below one another in a font and size; those that find no room are left out."""
    side, size = drawing.width, style[1]
    font = _font(*style)
    draw = ImageDraw.Draw(drawing)
    # A font's letters are not of one width: what is too wide for the image goes.
    kept = [entry for entry in entries if font.getlength(entry[0]) < side * 0.97]
    gap = float(rng.uniform(1.15, 1.6)) * size
    kept = kept[: max(1, int(side * 0.98 // gap))]
    if not kept:
        return []
    widest = max(font.getlength(text) for text, _, _ in kept)
    left = float(rng.uniform(2, side - widest - 1)) if side - widest > 4 else 1.0
    top = float(rng.uniform(0, max(1.0, side - gap * len(kept))))
    if rng.random() < 0.5:
        ground = np.array([rng.uniform(0, 255)] * 3) + rng.uniform(-40, 40, 3)
        margin = float(rng.uniform(2, 12))
        corners = (left - margin, top - margin / 2, left + widest + margin, top + gap * len(kept) + margin / 2)
        draw.rectangle(corners, fill=jitter(rng, ground, 4.0))
    dark = float(np.mean(ground)) > 125
    ink = jitter(rng, rng.uniform(0, 70, 3) if dark else rng.uniform(185, 255, 3), 5.0)
    centered = rng.random() < 0.3
    lines = []
    for index, (text, field, value) in enumerate(kept):
        x = left + (widest - font.getlength(text)) / 2 if centered else left
        y = top + gap * index
        draw.text((x, y), text, font=font, fill=ink)
        box = np.array(draw.textbbox((x, y), text, font=font), dtype=np.float64)
        middle = (box[1] + box[3]) / 2
        edges = [x + font.getlength(text[:end]) for end in range(len(text) + 1)]
        characters = tuple(
            (character, np.array([(edges[index] + edges[index + 1]) / 2, middle]))
            for index, character in enumerate(text)
            if character != " "
        )
        lines.append(Line(text, box, characters, field, value))
    return lines
