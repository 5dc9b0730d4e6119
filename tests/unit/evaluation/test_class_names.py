"""Class names of the settings that are in no annotation: a misspelling is an error, a rare class is none."""

from __future__ import annotations

from typing import Any

import pytest

from florence2.config import EvaluationConfig
from florence2.errors import ConfigurationError
from florence2.evaluation.class_names import check_classes
from tests.builders import manifest, manifest_row

OD = manifest_row(suffix="great white shark<loc_1><loc_2><loc_3><loc_4>fish<loc_1><loc_2><loc_3><loc_4>")


def classes(*names: str, grammar: str = "classes") -> EvaluationConfig:
    return EvaluationConfig(grammar=grammar, classes=names)


def test_a_misspelt_class_is_answered_with_that_of_the_data() -> None:
    with pytest.raises(ConfigurationError, match=r"'grate white shark' is in no annotation; did you mean 'great white"):
        check_classes(manifest(OD), classes("grate white shark", "fish"))
    with pytest.raises(ConfigurationError, match=r"'Fish' is in no annotation; did you mean 'fish'"):
        check_classes(manifest(OD), classes("great white shark", "Fish"))


QUESTION = manifest_row(prefix="<VQA>what?", task="<VQA>", suffix="fish")


@pytest.mark.parametrize(
    ("row", "config", "refused"),
    [
        (OD, classes("great white shark", "fish", "octopus"), False),
        (OD, classes("great white shark", "fishes", "fish"), False),  # both are meant
        (OD, classes("great white shark", "fishes"), True),
        (OD, classes("fihs", grammar="boxes"), False),
        (OD, classes("fihs"), True),
        (QUESTION, classes("fihs"), False),
    ],
)
def test_a_class_that_may_be_rare_or_is_not_requested_is_accepted(
    row: dict[str, Any], config: EvaluationConfig, refused: bool
) -> None:
    messages = []
    try:
        check_classes(manifest(row), config)
    except ConfigurationError as exc:
        messages.append(str(exc))
    assert bool(messages) == refused, messages
