"""Two models side by side on the same split, with the samples that are worth a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from florence2.config import EvaluationConfig
from florence2.evaluation.analysis.extremes import extremes
from florence2.evaluation.bootstrap import paired_comparison
from florence2.evaluation.evaluate import SplitEvaluation
from florence2.evaluation.evaluated import describe
from florence2.evaluation.evaluated_sample import EvaluatedSample
from florence2.evaluation.examples import Example, choose_examples, example_of
from florence2.evaluation.report import EvaluationReport

__all__ = ["SelectedExamples", "compare_answers", "select_examples"]

_WORST, _BEST = 24, 12


@dataclass(frozen=True)
class SelectedExamples:
    """The samples that a report shows.

    Attributes:
        spread: spread evenly over the split.
        worst: those that the evaluated model answers worst.
        best: those that it answers best.
    """

    spread: Sequence[Example] = ()
    worst: Sequence[Example] = ()
    best: Sequence[Example] = ()


def compare_answers(
    before: SplitEvaluation,
    after: SplitEvaluation,
    facts: Mapping[str, str],
    config: EvaluationConfig,
    baseline: SplitEvaluation | None = None,
) -> EvaluationReport:
    """Compare the answers of two models on the same split.

    Args:
        before: of the base model.
        after: of the fine-tuned model, on the same samples.
        facts: what the scores rest on: fingerprints, strategy ...
        config: number of resamples, and how many samples the report shows.
        baseline: the answers without seeing the image on the same samples, ``evaluate_baseline``.

    Returns:
        The report, without its page.
    """
    old, old_resamples = describe(before, config)
    new, new_resamples = describe(after, config, baseline)
    selected = select_examples(after.samples, config.examples, before.samples)
    return EvaluationReport(
        before=old,
        after=new,
        comparison=paired_comparison(old_resamples, new_resamples).scores,
        examples=tuple(selected.spread),
        worst=tuple(selected.worst),
        best=tuple(selected.best),
        facts=dict(facts),
    )


def select_examples(
    samples: Sequence[EvaluatedSample], count: int, before: Sequence[EvaluatedSample] | None = None
) -> SelectedExamples:
    """Select the samples that a report shows.

    Args:
        samples: of the evaluated model.
        count: how many are spread over the split.
        before: samples of the model that it is compared with.
    """

    def examples(indices: Sequence[int]) -> list[Example]:
        return [example_of(samples[index], None if before is None else before[index]) for index in indices]

    worst, best = extremes(samples, _WORST, _BEST)
    spread = choose_examples([sample.task.token for sample in samples], count)
    return SelectedExamples(examples(spread), examples(worst), examples(best))
