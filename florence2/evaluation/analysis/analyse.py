"""All that a report says of one model besides its scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from florence2.evaluation.analysis.breakdown import BoxGroup, by_crowding, by_size
from florence2.evaluation.analysis.calibration import Calibration, calibration
from florence2.evaluation.analysis.confusion import Confusion, confusion
from florence2.evaluation.analysis.curves import PrecisionRecall, precision_recall
from florence2.evaluation.analysis.questions import Questions, questions
from florence2.evaluation.analysis.validity import Validity, validity
from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.matching import MatchedImage

__all__ = ["Analysis", "analyse"]


@dataclass(frozen=True)
class Analysis:
    """Where one model is right and where it fails.

    Attributes:
        validity: numbers of answers that are cut, malformed or empty.
        curves: precision over recall; this and the following are None or empty where the split defines none.
        confusion: which class is predicted for which.
        calibration: how far confidences are from the share of right boxes.
        sizes: boxes by their size.
        crowding: images by the number of true boxes.
        questions: by kind and opening.
    """

    validity: Validity
    curves: PrecisionRecall | None = None
    confusion: Confusion | None = None
    calibration: Calibration | None = None
    sizes: tuple[BoxGroup, ...] = ()
    crowding: tuple[BoxGroup, ...] = ()
    questions: Questions | None = None


def analyse(samples: Sequence[EvaluatedSample], ranked: Sequence[MatchedImage]) -> Analysis:
    """Analyse the answers of a model to a split.

    Args:
        samples: all of the split.
        ranked: the images that mean average precision evaluates, in the order in which it ranks equal confidences.
    """
    return Analysis(
        validity=validity(samples, ranked),
        curves=precision_recall(ranked),
        confusion=confusion(ranked),
        calibration=calibration(ranked),
        sizes=by_size(ranked),
        crowding=by_crowding(ranked),
        questions=questions(samples),
    )
