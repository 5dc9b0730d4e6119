"""The README of an exported folder: the head that hubs read, the model card, and how to load the model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from florence2.codec import TASKS, AnswerKind, Task, TaskTable
from florence2.evaluation import in_order, score_named
from florence2.reports.templates import render_template

__all__ = ["HubFacts", "render_hub_card"]

_PIPELINE = "image-text-to-text"
_TAGS = {
    AnswerKind.BOXES: "object-detection",
    AnswerKind.PROPOSALS: "object-detection",
    AnswerKind.QUADS: "ocr",
    AnswerKind.POLYGONS: "image-segmentation",
    AnswerKind.ANSWER: "visual-question-answering",
    AnswerKind.TEXT: "image-captioning",
    AnswerKind.JSON: "document-understanding",
}
_INPUTS = {
    AnswerKind.BOXES: "a cat",
    AnswerKind.POLYGONS: "a cat",
}
"""An example of the text that follows a task token, for the tasks that take one."""
_A_QUESTION = "What is in the image?"
_A_REGION = "<loc_100><loc_100><loc_900><loc_900>"


@dataclass(frozen=True)
class HubFacts:
    """The facts in the head of a model card, which hubs read.

    Attributes:
        base_model: hub id of the base; None where it has none.
        license: identifier of the licence in the hub's spelling.
        tasks: task tokens that the model was trained for, the first one first.
        metrics: scores on the test split by name.
        dataset: name of the data set; empty where it is not known.
    """

    base_model: str | None
    license: str
    tasks: Sequence[str] = ()
    metrics: Mapping[str, float] = field(default_factory=dict)
    dataset: str = ""


def render_hub_card(
    title: str, card: str, facts: HubFacts, loading: str, known_tasks: TaskTable = TASKS, **values: Any
) -> str:
    """Return the README.

    Args:
        title: name of the folder, which the snippet loads.
        card: the model card in Markdown; begins with a heading.
        facts: for the head.
        loading: template of the part on how to load it, such as ``load_transformers.md``.
        known_tasks: those that prompts of the model may name.
        values: for that template, besides ``folder``, ``prompt`` and ``kind``.
    """
    task = known_tasks[next((token for token in facts.tasks if token in known_tasks), "<OD>")]
    # As within the quotes of a text in Python.
    prompt = json.dumps(_prompt(task, known_tasks), ensure_ascii=False)[1:-1]
    known = {"folder": title, "prompt": prompt, "kind": task.answer.value}
    snippet = render_template(loading, known | values, escape=False)
    library = "onnx" if loading == "load_onnx.md" else "transformers"
    return f"---\n{_head(title, facts, library, known_tasks)}---\n\n{card.strip()}\n\n{snippet.strip()}\n"


def _prompt(task: Task, tasks: TaskTable) -> str:
    """Return an example of what plain transformers gets: the sentence of an own task, else the token with its text."""
    text = _A_REGION if task.token.startswith("<REGION_TO") else _INPUTS.get(task.answer, _A_QUESTION)
    return tasks.prompt_of(task.prefix_with(text))


def _head(title: str, facts: HubFacts, library: str, tasks: TaskTable) -> str:
    from huggingface_hub import ModelCardData

    scores = [name for name in in_order(facts.metrics) if score_named(name).headline]
    data = ModelCardData(
        license=facts.license,
        base_model=facts.base_model,
        library_name=library,
        pipeline_tag=_PIPELINE,
        tags=_tags([tasks[token] for token in facts.tasks if token in tasks], library),
        metrics=scores or None,
        model_name=title if scores else None,
        eval_results=_results(facts, scores) if scores else None,
    )
    return f"{data.to_yaml().strip()}\n"


def _tags(tasks: Sequence[Task], library: str) -> list[str]:
    kinds = [_TAGS[task.answer] for task in tasks]
    return list(dict.fromkeys(["florence-2", "florence2-finetune", *(["onnx"] if library == "onnx" else []), *kinds]))


def _results(facts: HubFacts, scores: Sequence[str]) -> list[Any]:
    from huggingface_hub import EvalResult

    dataset = facts.dataset or "the test split of its own data"
    return [
        EvalResult(
            task_type=_PIPELINE,
            dataset_type="custom",
            dataset_name=dataset,
            dataset_split="test",
            metric_type=name,
            metric_name=score_named(name).title,
            metric_value=round(facts.metrics[name], 4),
        )
        for name in scores
    ]
