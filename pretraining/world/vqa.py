"""Questions about the objects of a scene and their right answers: counts, attributes, presence, locations, sizes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pretraining.course import Pair
from pretraining.facts import near_misses, singled_out
from pretraining.world.objects import CLASSES, COLORS, OUTLINES
from pretraining.world.scenes import WorldScene

__all__ = ["PairMaker", "plural", "question"]

PairMaker = Callable[[np.random.Generator, WorldScene], Pair | None]
"""Asks something about a scene; None where it does not fit."""


def question(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    """Ask one question; None where after a few tries none fits."""
    for _ in range(8):
        pair = _KINDS[int(rng.integers(len(_KINDS)))](rng, scene)
        if pair is not None:
            return f"<VQA>{pair[0]}", pair[1]
    return None


def _count(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if len(scene.facts) > 12:
        return None
    if rng.random() < 0.5:
        noun = str(rng.choice(["objects", "shapes", "things"]))
        return f"how many {noun} are there?", str(len(scene.facts))
    key = "color" if rng.random() < 0.5 else "shape"
    known = list(COLORS if key == "color" else OUTLINES)
    value = _present(rng, scene, key) if rng.random() < 0.85 else str(rng.choice(known))
    noun = f"{value} objects" if key == "color" else plural(value, 2)
    return f"how many {noun} are there?", str(sum(fact[key] == value for fact in scene.facts))


_POSITIVE = ("is there a {}?", "is there a {} in the image?", "is a {} present?", "does the image contain a {}?")
_NEGATIVE = (
    "is there not a {}?",
    "is there no {} in the image?",
    "is no {} present?",
    "does the image not contain a {}?",
)


def _is_there(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    """Ask whether something is there, or is not; yes and no are equally frequent."""
    wanted = bool(rng.random() < 0.5)
    kind = int(rng.integers(3))
    if kind == 2:
        present = set(scene.detections.class_name)
        pool = sorted(present) if wanted else near_misses(present, CLASSES)
    else:
        key, known = (("color", COLORS), ("shape", OUTLINES))[kind]
        found = {fact[key] for fact in scene.facts}
        pool = sorted(found) if wanted else sorted(set(known) - found)
    if not pool:
        return None
    phrase = str(rng.choice(pool))
    if kind == 0:
        phrase += str(rng.choice([" object", " shape", " thing"]))
    if rng.random() < 0.3:
        return str(rng.choice(_NEGATIVE)).format(phrase), "no" if wanted else "yes"
    return str(rng.choice(_POSITIVE)).format(phrase), "yes" if wanted else "no"


def _attribute(by: str, attribute: str, *wordings: str) -> PairMaker:
    """Return the maker of questions about one attribute of an object that another attribute identifies."""

    def asker(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
        fact = singled_out(rng, scene.facts, by)
        if fact is None:
            return None
        return str(rng.choice(wordings)).format(fact[by]), fact[attribute]

    return asker


def _alone(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    """Ask about the only object there is."""
    if len(scene.facts) != 1:
        return None
    if rng.random() < 0.5:
        return str(rng.choice(["what color is the {}?", "what is the color of the {}?"])).format(
            rng.choice(["shape", "object"])
        ), scene.facts[0]["color"]
    return str(
        rng.choice(["what shape is in the image?", "what shape is present?", "which shape does the image contain?"])
    ), scene.facts[0]["shape"]


def _at_side(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if len(scene.facts) < 2:
        return None
    axis, last = int(rng.integers(2)), bool(rng.integers(2))
    middles = (scene.detections.xyxy[:, axis] + scene.detections.xyxy[:, axis + 2]) / 2
    order = np.argsort(middles)
    first, second = order[::-1][:2] if last else order[:2]
    if abs(middles[first] - middles[second]) < 0.03 * scene.image.width:
        return None
    side = (("left", "right"), ("top", "bottom"))[axis][last]
    return f"what is at the {side}?" if axis else f"what is on the {side}?", scene.detections.class_name[first]


def _largest(rng: np.random.Generator, scene: WorldScene) -> Pair | None:
    if len(scene.facts) < 2:
        return None
    width, height = np.diff(scene.detections.xyxy.reshape(-1, 2, 2), axis=1)[:, 0].T
    area = width * height
    order = np.argsort(area)
    if rng.random() < 0.5:
        first, second, wording = order[-1], order[-2], "what is the largest object?"
    else:
        second, first, wording = order[1], order[0], "what is the smallest object?"
    if abs(np.log(area[first] / area[second])) < 0.3:
        return None
    return wording, scene.detections.class_name[first]


def _present(rng: np.random.Generator, scene: WorldScene, key: str) -> str:
    return scene.facts[int(rng.integers(len(scene.facts)))][key]


def plural(noun: str, count: int) -> str:
    """Return a noun as it follows a count."""
    return noun if count == 1 else f"{noun}es" if noun.endswith(("cross", "box")) else f"{noun}s"


_KINDS: tuple[PairMaker, ...] = (
    _count,
    _count,
    _is_there,
    _is_there,
    _is_there,
    _attribute("shape", "color", "what color is the {}?", "what is the color of the {}?"),
    _attribute("color", "shape", "what shape is the {} object?", "what is the {} object?"),
    _attribute("shape", "texture", "what pattern is the {}?", "what texture has the {}?"),
    _alone,
    _at_side,
    _largest,
)
