"""The report: one model on a split, or two on the same split side by side, with the rows to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PIL import Image

from florence2.config import EvaluationConfig
from florence2.evaluation import (
    Answers,
    EvaluatedSample,
    EvaluationReport,
    Example,
    choose_examples,
    describe,
    evaluated_samples,
    example_of,
    extremes,
    paired_comparison,
    resamples_of,
)
from florence2.images import open_rgb
from florence2.reports.evaluation.images import thumbnail
from florence2.reports.evaluation.render import PageExamples, render_evaluation

__all__ = ["compare_models", "select_examples"]

_WORST, _BEST = 24, 12


def compare_models(
    before: Answers, after: Answers, facts: Mapping[str, str], config: EvaluationConfig
) -> EvaluationReport:
    """Put two models' answers on the same split side by side.

    Args:
        before: of the base model.
        after: of the fine-tuned model, on the same samples.
        facts: what else the report should say: fingerprints, strategy.
        config: resamples, and how many rows of a sample the report shows.
    """
    old_rows, new_rows = evaluated_samples(before), evaluated_samples(after)
    old_resamples, new_resamples = resamples_of(before, config), resamples_of(after, config)
    old, new = describe(before, old_rows, old_resamples), describe(after, new_rows, new_resamples)
    shown = select_examples(after, new_rows, config, old_rows)
    comparison = paired_comparison(old_resamples, new_resamples).scores
    return EvaluationReport(
        before=old,
        after=new,
        comparison=comparison,
        examples=tuple(shown.sample),
        worst=tuple(shown.worst),
        best=tuple(shown.best),
        facts=dict(facts),
        html=render_evaluation(new, old, comparison, shown, facts),
    )


def select_examples(
    answers: Answers,
    rows: Sequence[EvaluatedSample],
    config: EvaluationConfig,
    before: Sequence[EvaluatedSample] | None = None,
) -> PageExamples:
    """Choose the rows that a report shows, and open their images.

    Args:
        answers: of the model that is judged.
        rows: ``evaluated_samples`` of them.
        config: how many rows of a sample are shown.
        before: rows of the model that it is compared with.
    """

    def shown(places: Iterable[int]) -> list[Example]:
        return [example_of(rows[place], before[place] if before is not None else None) for place in places]

    worst, best = extremes(rows, _WORST, _BEST)
    sample = choose_examples([row.prefix for row in rows], config.examples)
    images: dict[str, Image.Image] = {}
    for place in (*worst, *best, *sample):
        name = rows[place].image
        if name not in images:
            images[name] = thumbnail(open_rgb(answers.samples[place].image))
    return PageExamples(shown(sample), shown(worst), shown(best), images)
