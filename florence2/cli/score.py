"""The command score: the scores of predictions by any model, as the official programs compute them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from florence2.evaluation import SCORED_TASKS
from florence2.storage import write_file

if TYPE_CHECKING:
    from florence2.evaluation import AnswerScores

    _Task = str
else:
    _Task = Literal["od", *SCORED_TASKS]  # type checkers take no list that is computed

__all__ = ["score"]


def score(
    *,
    task: Annotated[
        _Task,
        typer.Option(help="od: COCO's twelve scores; the others: scores of answers in words."),
    ],
    references: Annotated[
        Path, typer.Option(help='od: a COCO data set; else lines of {"id": 1, "answers": ["two", "2"]}.')
    ],
    predictions: Annotated[
        Path, typer.Option(help='od: a COCO results list; else lines of {"id": 1, "prediction": "2"}.')
    ],
    predictions_dataset: Annotated[
        Path | None,
        typer.Option(
            help="od: the COCO data set that defines the ids of the predictions; images are matched by file name, "
            "classes by name. (default: coco_dataset.json beside the predictions, where it exists)",
        ),
    ] = None,
    missing: Annotated[
        Literal["error", "empty"],
        typer.Option(help="A reference without a prediction: an error, or an empty answer."),
    ] = "error",
    per_row: Annotated[
        Path | None, typer.Option(help='File for the value of each row, lines of {"id": 1, "value": 0.6}.')
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Write JSON to standard output, for programs.")] = False,
) -> None:
    """Score predictions of any model; scores that the references do not define are -1 for od, as in COCO.

    Ends with status 1 if a file cannot be scored, and lists all problems of both files.
    """
    if task == "od":
        if per_row is not None or missing == "empty":
            raise typer.BadParameter("--per-row and --missing are for answers in words; leave them out for od")
        _score_boxes(references, predictions, predictions_dataset, as_json)
        return
    if predictions_dataset is not None:
        raise typer.BadParameter("--predictions-dataset is for od; leave it out for answers in words")
    from florence2.evaluation import score_answers

    scores = score_answers(task, references, predictions, missing_as_empty=missing == "empty")
    if per_row is not None:
        _write_rows(per_row, scores)
    if as_json:
        rows = {"rows": len(scores.values), "missing": scores.missing}
        content = {"task": task, "metric": scores.metric, "mean": scores.mean, "scores": scores.scores, **rows}
        typer.echo(json.dumps(content, indent=2))
        return
    mean = {} if scores.mean is None else {"mean": scores.mean}
    _print_scores(mean | scores.scores)
    typer.echo(f"{'rows':24} {len(scores.values)}")
    if scores.missing:
        typer.echo(f"{'rows without prediction':24} {scores.missing}")


def _score_boxes(references: Path, predictions: Path, dataset: Path | None, as_json: bool) -> None:
    from florence2.evaluation import score_boxes

    scores = score_boxes(references, predictions, dataset)
    for note in scores.notes:
        typer.echo(f"note: {note}", err=True)
    if not scores.truths:
        typer.echo(f"warning: {references} holds no annotations, so no score is defined", err=True)
    if as_json:
        typer.echo(json.dumps({**scores.scores, "per_class": scores.per_class}, indent=2))
    else:
        _print_scores(scores.scores)


def _print_scores(scores: Mapping[str, float]) -> None:
    for name, value in scores.items():
        typer.echo(f"{name:24} {value:.6f}")


def _write_rows(file: Path, scores: AnswerScores) -> None:
    lines = [json.dumps({"id": own, "value": value}, ensure_ascii=False) for own, value in scores.values.items()]
    write_file(file, "".join(line + "\n" for line in lines))
