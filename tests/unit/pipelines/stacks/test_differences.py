"""What must change so that a stack is as its file says."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.stacks.differences import component_change, configuration_update, stack_change

_SETTINGS = st.dictionaries(st.sampled_from("abcd"), st.integers(0, 2) | st.text(max_size=1))


def _updated(found: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    """Do what ZenML does with an update: merge, and drop what is None."""
    return {key: value for key, value in (found | update).items() if value is not None}


@given(_SETTINGS, _SETTINGS)
def test_an_update_makes_the_wanted_settings_and_is_empty_a_second_time(
    wanted: dict[str, Any], found: dict[str, Any]
) -> None:
    made = _updated(found, configuration_update(wanted, found))
    assert made == wanted
    assert configuration_update(wanted, made) == {}


def test_a_component_that_is_not_there_is_created() -> None:
    assert component_change("orchestrator", "o", "local", {}, None).action == "create"


def test_a_component_is_kept_or_updated_with_the_names_of_its_settings_but_no_values() -> None:
    kept = component_change("artifact_store", "s", "s3", {"path": "a"}, {"path": "a"})
    assert (kept.action, kept.keys) == ("keep", ())
    changed = component_change(
        "artifact_store", "s", "s3", {"path": "b", "key": "x"}, {"path": "a", "secret": "hunter2"}
    )
    assert (changed.action, changed.keys) == ("update", ("key", "path", "secret"))
    assert "hunter2" not in repr(changed)


def test_a_stack_changes_by_the_kinds_of_components_that_differ() -> None:
    wanted = {"orchestrator": "o", "artifact_store": "s", "image_builder": "i"}
    assert stack_change("n", wanted, None).action == "create"
    assert stack_change("n", wanted, {kind: {name} for kind, name in wanted.items()}).action == "keep"
    found = {"orchestrator": {"o"}, "artifact_store": {"s", "t"}, "alerter": {"a"}}
    assert stack_change("n", wanted, found).keys == ("alerter", "artifact_store", "image_builder")
