"""The built-in data sets: generated on first use, always with the same bytes, without a download.

``builtin:cards`` holds 400 / 60 / 120 images (train / valid / test) of one to three playing cards, each with an
``<OD>`` sample and a ``<VQA>`` sample. The most frequent training answer to the text of each question is right for 0.27
of the test questions, the most frequent answer overall for 0.15; tests bound both.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from florence2.builtin.canvas import Scene
from florence2.builtin.cards import CARD_CLASSES, CARD_RANKS, CARD_SUITS, draw_cards
from florence2.codec import format_detections
from florence2.errors import DatasetError
from florence2.storage import make_once

__all__ = ["BUILTIN_DATASETS", "materialize"]

_SEED = 2306
_SIDE = 128
_IMAGES = {"train": 400, "valid": 60, "test": 120}


def materialize(name: str, root: Path) -> Path:
    """Write a built-in data set in the JSONL layout.

    The folder is written atomically; one that exists is kept as it is.

    Args:
        name: one of ``BUILTIN_DATASETS``.
        root: folder in which the data set's folder is made.

    Returns:
        The data set's folder, with ``train``, ``valid`` and ``test``.

    Raises:
        DatasetError: there is no such built-in data set, or the folder cannot be written.
    """
    if name not in BUILTIN_DATASETS:
        raise DatasetError(f"no built-in data set {name!r}; known: {', '.join(BUILTIN_DATASETS)}")
    return make_once(root / name.removeprefix("builtin:"), BUILTIN_DATASETS[name])


def _write_cards(folder: Path) -> None:
    for index, (split, count) in enumerate(_IMAGES.items()):
        target = folder / split
        target.mkdir(parents=True)
        rng = np.random.default_rng([_SEED, index])
        lines: list[dict[str, str]] = []
        for number, scene in enumerate(_card_scenes(rng, count)):
            image = f"cards_{split}_{number:03d}.png"
            scene.image.save(target / image, compress_level=3)
            lines.append(
                {"image": image, "prefix": "<OD>", "suffix": format_detections(scene.detections, (_SIDE, _SIDE))}
            )
            question, answer = _draw_question(rng, scene)
            lines.append({"image": image, "prefix": f"<VQA>{question}", "suffix": answer})
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (target / "annotations.jsonl").write_text(text, encoding="utf-8")


def _card_scenes(rng: np.random.Generator, count: int) -> Iterator[Scene]:
    """Draw scenes of one to three cards in which every class is about equally frequent."""
    stock: list[str] = []
    for number in range(count):
        wanted = 1 + number % 3
        if len(stock) < wanted:
            stock += [str(name) for name in rng.permutation(CARD_CLASSES)]
        yield draw_cards(rng, _SIDE, [stock.pop(0) for _ in range(wanted)])


def _draw_question(rng: np.random.Generator, scene: Scene) -> tuple[str, str]:
    """Return a question and its answer: how many cards, whether a card is present, or a rank or suit."""
    while True:
        draw = rng.random()
        if draw < 0.44:
            return "how many cards are there?", str(len(scene.facts))
        pair = _presence_question(rng, scene) if draw < 0.54 else _attribute_question(rng, scene)
        if pair is not None:
            return pair


def _presence_question(rng: np.random.Generator, scene: Scene) -> tuple[str, str]:
    """Return whether a rank or suit is present; yes and no are equally frequent."""
    key, known, wording = (
        ("rank", CARD_RANKS, "is there a card of rank {}?"),
        ("suit", CARD_SUITS, "is there a card of {}?"),
    )[int(rng.integers(2))]
    present = {fact[key] for fact in scene.facts}
    yes = bool(rng.random() < 0.5)
    pool = sorted(present) if yes else sorted(set(known) - present)
    return wording.format(rng.choice(pool)), "yes" if yes else "no"


def _attribute_question(rng: np.random.Generator, scene: Scene) -> tuple[str, str] | None:
    """Return the suit of a rank, or the rank of a suit, that occurs once; None where none does."""
    by, attribute, wording = (
        ("rank", "suit", "what is the suit of the {}?"),
        ("suit", "rank", "what is the rank of the card of {}?"),
    )[int(rng.integers(2))]
    frequency = Counter(fact[by] for fact in scene.facts)
    unique = [fact for fact in scene.facts if frequency[fact[by]] == 1]
    if not unique:
        return None
    fact = unique[int(rng.integers(len(unique)))]
    return wording.format(fact[by]), fact[attribute]


BUILTIN_DATASETS: dict[str, Callable[[Path], None]] = {"builtin:cards": _write_cards}
"""The function of each data set, by name: it writes the data set into a folder that it makes."""
