"""How figures are shown: title, meaning, order, and which of two values is the better one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["FIGURES", "Figure", "figure_named", "in_order"]


@dataclass(frozen=True)
class Figure:
    """One figure that metrics compute.

    Attributes:
        name: its key in ``Metric.compute()``.
        title: what a table calls it.
        meaning: what it says, in a few words.
        headline: whether it belongs to the few figures that a person sees first.
        higher_is_better: whether a larger value is the better one.
    """

    name: str
    title: str
    meaning: str = ""
    headline: bool = False
    higher_is_better: bool = True

    def improves(self, before: float, after: float) -> bool:
        """Tell whether ``after`` is strictly better than ``before``."""
        return after > before if self.higher_is_better else after < before


FIGURES: dict[str, Figure] = {
    figure.name: figure
    for figure in (
        Figure("map50", "mAP50", "boxes: right class, overlap at least 0.5", headline=True),
        Figure("map", "mAP", "boxes: mean over overlaps 0.50 to 0.95", headline=True),
        Figure("vqa_accuracy", "VQA accuracy", "share of questions answered right", headline=True),
        Figure("anls", "ANLS", "similarity to the nearest right answer", headline=True),
        Figure(
            "relaxed_accuracy", "Relaxed accuracy", "questions answered right, numbers up to 5 % off", headline=True
        ),
        Figure("exact_answer", "Exact answers", "answers equal letter by letter", headline=True),
        Figure(
            "character_error_rate", "Character errors", "edits per character", headline=True, higher_is_better=False
        ),
        Figure("grounding_accuracy", "Phrases found", "phrases whose box overlaps by at least 0.5", headline=True),
        Figure("mean_iou", "Mean IoU", "outlines: shared part of both areas", headline=True),
        Figure("ocr_region_f1", "Text regions, F1", "right place and equal text, each once", headline=True),
        Figure("cider", "CIDEr", "wording shared with the references, rare words count more, 0 to 10", headline=True),
        Figure("bleu", "BLEU", "word sequences that stand in a reference, 0 to 1"),
        Figure("rouge_l", "ROUGE-L", "words shared in the same order, 0 to 1"),
        Figure("chrf", "chrF", "shared wording letter by letter, 0 to 1"),
        Figure("word_error_rate", "Word errors", "edits per word", higher_is_better=False),
        Figure("ocr_region_localisation_f1", "Text regions, place", "F1 of the places alone, whatever the text"),
        Figure("map75", "mAP75", "boxes: overlap at least 0.75"),
        Figure("map_small", "mAP, small", "truths below 32 x 32 pixels"),
        Figure("map_medium", "mAP, medium", "from 32 x 32 to 96 x 96 pixels"),
        Figure("map_large", "mAP, large", "from 96 x 96 pixels"),
        Figure("mar_1", "Recall, 1 box", "one box an image and class"),
        Figure("mar_10", "Recall, 10 boxes", "at most ten boxes an image and class"),
        Figure("mar_100", "Recall, 100 boxes", "at most 100 boxes an image and class"),
        Figure("mar_small", "Recall, small", "truths below 32 x 32 pixels"),
        Figure("mar_medium", "Recall, medium", "from 32 x 32 to 96 x 96 pixels"),
        Figure("mar_large", "Recall, large", "from 96 x 96 pixels"),
    )
}
"""Every figure of the metrics, the most telling first."""


def figure_named(name: str) -> Figure:
    """Return the figure of that name; one that is not in the table is shown under its name."""
    return FIGURES.get(name, Figure(name, name))


def in_order(names: Iterable[str]) -> list[str]:
    """Return distinct names in the order of the table, unknown ones after them by name."""
    distinct = set(names)
    return [name for name in FIGURES if name in distinct] + sorted(distinct - FIGURES.keys())
