"""Which samples a report shows."""

from __future__ import annotations

from florence2.evaluation.comparison import select_examples
from florence2.evaluation.evaluated_sample import EvaluatedSample
from tests.builders import evaluated_sample


def sample(image: str, value: float) -> EvaluatedSample:
    return evaluated_sample(image, (64, 64), "<VQA>how many?", "1", "answer", "vqa_accuracy", value)


def test_the_worst_and_the_best_samples_are_selected_and_some_that_are_spread_over_the_split() -> None:
    after = [sample(f"{index}.png", float(index > 4)) for index in range(10)]
    selected = select_examples(after, 2, [sample(f"{index}.png", 0.5) for index in range(10)])
    assert [example.image for example in selected.worst] == [f"{index}.png" for index in range(5)]
    assert [example.image for example in selected.best] == [f"{index}.png" for index in range(5, 10)]
    assert [example.image for example in selected.spread] == ["0.png", "5.png"]
    assert [example.before and example.before.value for example in selected.spread] == [0.5, 0.5]


def test_a_model_alone_has_no_answers_before() -> None:
    assert select_examples([sample("a.png", 0.0)], 1).spread[0].before is None
