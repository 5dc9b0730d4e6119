"""``reference/tasks.md``: what each task requests, and its metrics, from the codec and the list of metrics."""

from __future__ import annotations

from docs.generator.markdown import MADE, escaped, table
from florence2.codec.tasks import TASKS, AnswerKind, Task
from florence2.evaluation.metrics.registry import METRICS, metrics_for
from florence2.evaluation.scores import SCORES

__all__ = ["EXAMPLES", "example_prompt", "tasks_page"]

_REQUESTS = {
    "<OD>": "every object of the known classes",
    "<DENSE_REGION_CAPTION>": "regions, each with a description",
    "<CAPTION_TO_PHRASE_GROUNDING>": "where the phrases of a caption are",
    "<OPEN_VOCABULARY_DETECTION>": "where the objects of a name are",
    "<REGION_PROPOSAL>": "where something is, whatever it is",
    "<OCR_WITH_REGION>": "the text in the image, and where it is",
    "<REFERRING_EXPRESSION_SEGMENTATION>": "the outline of the object that a phrase means",
    "<REGION_TO_SEGMENTATION>": "the outline of the object in a region",
    "<VQA>": "the answer to a question",
    "<DocVQA>": "the answer to a question about a document",
    "<REGION_TO_CATEGORY>": "what is in a region, in a word",
    "<REGION_TO_DESCRIPTION>": "what is in a region, in a sentence",
    "<REGION_TO_OCR>": "the text in a region",
    "<CAPTION>": "a short caption",
    "<DETAILED_CAPTION>": "a longer caption",
    "<MORE_DETAILED_CAPTION>": "a paragraph",
    "<OCR>": "the text in the image",
}
_INPUTS = {
    "<CAPTION_TO_PHRASE_GROUNDING>": "a red car beside a tree",
    "<OPEN_VOCABULARY_DETECTION>": "a red car",
    "<REFERRING_EXPRESSION_SEGMENTATION>": "the red car",
    "<VQA>": "How many cars are there?",
    "<DocVQA>": "What is the total amount?",
}
_REGION = "<loc_100><loc_200><loc_300><loc_400>"
EXAMPLES = {
    AnswerKind.BOXES: f"car{_REGION}tree<loc_500><loc_50><loc_700><loc_900>",
    AnswerKind.ANSWER: "two",
    AnswerKind.TEXT: "a red car beside a tree",
    AnswerKind.PROPOSALS: f"{_REGION}<loc_500><loc_50><loc_700><loc_900>",
    AnswerKind.QUADS: "TOTAL<loc_100><loc_200><loc_300><loc_200><loc_300><loc_250><loc_100><loc_250>",
    AnswerKind.JSON: '{"company": "ACME", "total": "9.00"}',
    AnswerKind.POLYGONS: "<loc_100><loc_200><loc_300><loc_200><loc_200><loc_400>",
}
"""An answer of each kind."""

_HEAD = f"""# Tasks and their metrics
{MADE}

A line of a data set is a prompt and its answer. The prompt begins with one of these tokens; one set may mix them, and
each task has its own metrics. `<loc_0>` to `<loc_999>` are locations: a pixel `x` of an image of `width` pixels is in
bin `floor(x / width * 1000)`, at most 999.
"""
_METRICS = """## Metrics

`evaluation.metrics` (`--metrics`) names others than those of the task. Each metric evaluates the
tasks whose answers it can read. The classes are importable from `florence2`.
"""
_SCORES = """## Scores

What the metrics compute, under the names that `metrics.json`, MLflow, `training.best_by` and `promotion.primary` use.
Those marked \\* have an interval. A lower error rate is better.
"""


def tasks_page() -> str:
    """Return the page in Markdown."""
    return "\n".join(
        [
            _HEAD,
            table(["task", "requests", "text after the token, for example", "metrics"], map(_row, TASKS.values())),
            "## How answers are written\n",
            table(["answer, for example", "tasks"], map(_kind, AnswerKind)),
            _METRICS,
            table(
                ["metric", "class", "what it is"],
                [[f"`{name}`", f"`{kind.__name__}`", escaped(kind().describe())] for name, kind in METRICS.items()],
            ),
            _SCORES,
            table(
                ["score", "title", "meaning"],
                [[f"`{f.name}`" + "\\*" * f.headline, f.title, escaped(f.meaning)] for f in SCORES.values()],
            ),
        ]
    )


def example_prompt(task: Task) -> str:
    """Return a prompt of a task, such as ``<VQA>How many cars are there?``."""
    return task.token + (_INPUTS.get(task.token, _REGION) if task.takes_input else "")


def _row(task: Task) -> list[str]:
    text = example_prompt(task).removeprefix(task.token)
    metrics = ", ".join(f"`{metric.name}`" for metric in metrics_for(task))
    return [f"`{task.token}`", _REQUESTS[task.token], f"`{text}`" if text else "", metrics]


def _kind(kind: AnswerKind) -> list[str]:
    tasks = [f"`{task.token}`" for task in TASKS.values() if task.answer is kind]
    return [f"`{EXAMPLES[kind]}`", ", ".join(tasks) or "[own tasks](../own_tasks.md)"]
