"""What is written down for commands that know no ZenML when a stack is made the active one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from florence2.adapters.mlflow.local_store import TRACKING_URI_FILE
from pipelines.stacks.apply import activate


class Client:
    """As much of ZenML's as is needed: to open a store of its own takes ten seconds."""

    def __init__(self, tracker: Any) -> None:
        self.active_stack = SimpleNamespace(experiment_tracker=tracker)

    def initialize(self, root: Path) -> None:
        (root / ".zen").mkdir()

    def activate_root(self, root: Path) -> None:
        pass

    def activate_stack(self, stack: str) -> None:
        pass

    def get_stack(self, name: str, *, allow_name_prefix_match: bool) -> Any:
        assert not allow_name_prefix_match
        return SimpleNamespace(id=name)


def test_the_store_of_the_active_stack_is_written_down_and_that_of_no_other(tmp_path: Path) -> None:
    with_mlflow: Any = Client(SimpleNamespace(get_tracking_uri=lambda: "http://host:5000"))
    without: Any = Client(None)
    activate(without, "plain", tmp_path)
    assert not (tmp_path / TRACKING_URI_FILE).exists()
    activate(with_mlflow, "tracked", tmp_path)
    assert (tmp_path / TRACKING_URI_FILE).read_text() == "http://host:5000\n"
    activate(without, "plain", tmp_path)
    assert not (tmp_path / TRACKING_URI_FILE).exists()
