"""Families of bases: models of one size, for which one recipe suits."""

from __future__ import annotations

import json
from dataclasses import dataclass

from florence2.config import ModelConfig
from florence2.errors import ModelError
from florence2.model.files import model_file

__all__ = ["FAMILIES", "Family", "family_of"]


@dataclass(frozen=True)
class Family:
    """Models of one size.

    Attributes:
        name: in a recipe.
        title: which models belong to it.
        side: pixels of the side of its input.
        most_width: width of its text model, at most.
    """

    name: str
    title: str
    side: int
    most_width: float


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("nano", "builtin:nano, and what was trained from it", 64, 128),
        Family("small", "builtin:small, and what was trained from it", 128, 256),
        Family("florence-2", "Microsoft's Florence-2, and what was trained from it", 768, float("inf")),
    )
}
"""All families by name, the smallest first."""


def family_of(config: ModelConfig) -> Family:
    """Return the family of a base, by the width of its text model; no weights are read.

    Raises:
        ModelError: there is no such model, or its config.json cannot be read.
    """
    try:
        width = int(json.loads(model_file(config, "config.json").read_text(encoding="utf-8"))["text_config"]["d_model"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise ModelError(
            f"model {config.base!r} is not a native Florence-2: its config.json gives no text_config.d_model ({exc})"
        ) from exc
    return next(family for family in FAMILIES.values() if width <= family.most_width)
