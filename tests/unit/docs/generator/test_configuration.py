from __future__ import annotations

from docs.generator.commands import trees
from docs.generator.configuration import configuration_page
from florence2.config import leaf_paths


def test_every_setting_is_in_the_reference_with_its_option() -> None:
    page = configuration_page()
    for tree in trees():
        for _, path in leaf_paths(tree):
            assert f"`{'.'.join(path)}`" in page
    for option in (
        "--dataset",
        "--model",
        "--epochs",
        "--rank",
        "--gradient-checkpointing",
        "--metrics",
        "--max-pixels",
    ):
        assert f"<br>`{option}`" in page
    assert "`images.output` |" in page, "the option --output of commands is another"
