"""A few sentences on where the model fails, so that a person knows in a minute what to look at."""

from __future__ import annotations

from collections.abc import Iterator

from florence2.evaluation import Analysis, ClassChange, score_named

__all__ = ["in_short"]

_FEW = 3
_FAR = 0.1
"""Smallest difference that is worth a sentence."""
_MOST_NAMES = 5
"""Classes that a sentence names."""
_ENOUGH = 5
"""Smallest number of truths or questions in a group that has a sentence: fewer may be chance."""


def in_short(analysis: Analysis, classes: list[ClassChange]) -> list[str]:
    """Return sentences on one model, the most important first.

    Args:
        analysis: of the model.
        classes: the weakest first.
    """
    return [
        *_boxes(analysis),
        *_classes(analysis, classes),
        *_sizes(analysis),
        *_questions(analysis),
        *_faults(analysis),
    ]


def _boxes(analysis: Analysis) -> Iterator[str]:
    groups = analysis.crowding
    truths, found = sum(group.truths for group in groups), sum(group.found for group in groups)
    boxes, right = sum(group.predictions for group in groups), sum(group.right for group in groups)
    if truths:
        share = (
            f", and {right / boxes:.0%} of its {boxes:,} boxes are right" if boxes else "; it predicts no box at all"
        )
        yield f"It finds {found:,} of {truths:,} boxes ({found / truths:.0%}){share} (IoU 0.5)."


def _classes(analysis: Analysis, classes: list[ClassChange]) -> Iterator[str]:
    weak = [(each.name, each.ap50.after) for each in classes if each.ap50.after is not None][:_FEW]
    if len(classes) > _FEW:
        yield f"The weakest classes: {', '.join(f'{name} (AP50 {value:.2f})' for name, value in weak)}."
    mistakes = analysis.confusion.mistakes if analysis.confusion else ()
    if mistakes:
        first = mistakes[0]
        times = "once" if first.count == 1 else f"{first.count} times"
        yield f"The most frequent wrong name: {first.truth} is called {first.prediction}, {times}."


def _sizes(analysis: Analysis) -> Iterator[str]:
    for where, groups in (("of the boxes that are", analysis.sizes), ("in images with", analysis.crowding)):
        shares = [
            (group.name, group.recall) for group in groups if group.recall is not None and group.truths >= _ENOUGH
        ]
        shares.sort(key=lambda share: share[1])
        if len(shares) > 1 and shares[-1][1] - shares[0][1] >= _FAR:
            (low, least), (high, most) = shares[0], shares[-1]
            yield f"It finds {least:.0%} {where} {low}, and {most:.0%} {where} {high}."


def _questions(analysis: Analysis) -> Iterator[str]:
    if analysis.questions is None:
        return
    score = score_named(analysis.questions.score)
    groups = [group for group in analysis.questions.by_opening if group.questions >= _ENOUGH]
    groups.sort(key=lambda group: group.value if score.higher_is_better else -group.value)
    if len(groups) > 1 and abs(groups[-1].value - groups[0].value) >= _FAR:
        weak, strong = groups[0], groups[-1]
        yield (
            f"Questions that begin with “{weak.name}” are the hardest ({score.title} {weak.value:.2f}), "
            f"those with “{strong.name}” the easiest ({strong.value:.2f})."
        )


def _faults(analysis: Analysis) -> Iterator[str]:
    validity = analysis.validity
    if validity.invalid:
        kinds = f"{validity.cut:,} cut, {validity.malformed:,} malformed"
        yield f"{validity.invalid:,} of {validity.answers:,} answers are invalid: {kinds}."
    if validity.unseen:
        names = ", ".join(validity.unseen_names[:_MOST_NAMES])
        more = ", ..." if len(validity.unseen_names) > _MOST_NAMES else ""
        yield f"{validity.unseen:,} boxes have classes that the training of this model never saw: {names}{more}."
    if validity.unscored:
        yield f"{validity.unscored:,} boxes have a score or a coordinate that is not a number: they were left out."
    if analysis.calibration and analysis.calibration.error >= _FAR:
        boxes = sum(one.boxes for one in analysis.calibration.bins)
        mean = sum(one.boxes * (one.confidence - one.right) for one in analysis.calibration.bins) / boxes
        way = "too high" if mean > 0 else "too low"
        yield f"Confidences are {way}: calibration error {analysis.calibration.error:.2f}."
