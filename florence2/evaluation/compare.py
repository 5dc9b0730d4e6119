"""The report: one model on a split, or two on the same split side by side, with the rows to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from PIL import Image

from florence2.config import EvaluationConfig
from florence2.data.images.files import open_rgb
from florence2.evaluation.analysis.extremes import extremes
from florence2.evaluation.analysis.rows import JudgedRow
from florence2.evaluation.bootstrap import paired_comparison
from florence2.evaluation.evaluate import Answers
from florence2.evaluation.examples import Example, choose_examples, example_of
from florence2.evaluation.judged import describe, judged_rows, resamples_of
from florence2.evaluation.page.pictures import thumbnail
from florence2.evaluation.page.render import PageExamples, render_page
from florence2.evaluation.report import EvaluationReport

__all__ = ["compare", "examples_of"]

_WORST, _BEST = 24, 12


def compare(before: Answers, after: Answers, facts: Mapping[str, str], config: EvaluationConfig) -> EvaluationReport:
    """Put two models' answers on the same split side by side.

    Args:
        before: of the base model.
        after: of the fine-tuned model, on the same samples.
        facts: what else the report should say: fingerprints, strategy.
        config: resamples, and how many rows of a sample the report shows.
    """
    old_rows, new_rows = judged_rows(before), judged_rows(after)
    old_resamples, new_resamples = resamples_of(before, config), resamples_of(after, config)
    old, new = describe(before, old_rows, old_resamples), describe(after, new_rows, new_resamples)
    shown = examples_of(after, new_rows, config, old_rows)
    comparison = paired_comparison(old_resamples, new_resamples).figures
    return EvaluationReport(
        before=old,
        after=new,
        comparison=comparison,
        examples=tuple(shown.sample),
        worst=tuple(shown.worst),
        best=tuple(shown.best),
        facts=dict(facts),
        html=render_page(new, old, comparison, shown, facts),
    )


def examples_of(
    answers: Answers, rows: Sequence[JudgedRow], config: EvaluationConfig, before: Sequence[JudgedRow] | None = None
) -> PageExamples:
    """Choose the rows that a report shows, and open their pictures.

    Args:
        answers: of the model that is judged.
        rows: ``judged_rows`` of them.
        config: how many rows of a sample are shown.
        before: rows of the model that it is compared with.
    """

    def shown(places: Iterable[int]) -> list[Example]:
        return [example_of(rows[place], before[place] if before is not None else None) for place in places]

    worst, best = extremes(rows, _WORST, _BEST)
    sample = choose_examples([row.prefix for row in rows], config.examples)
    pictures: dict[str, Image.Image] = {}
    for place in (*worst, *best, *sample):
        name = rows[place].image
        if name not in pictures:
            pictures[name] = thumbnail(open_rgb(answers.samples[place].image))
    return PageExamples(shown(sample), shown(worst), shown(best), pictures)
