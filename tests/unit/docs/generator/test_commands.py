from __future__ import annotations

from docs.generator.commands import commands, commands_page, options_of_settings, trees
from florence2.config import Configuration, PromotionConfiguration


def test_every_command_has_its_section() -> None:
    names = [name for name, _ in commands()]
    assert {"florence2 train", "florence2 registry list", "florence2 stack apply"} <= set(names)
    page = commands_page()
    assert [name for name in names if f"## {name}\n" not in page] == []


def test_the_settings_of_a_command_have_a_table_of_their_own() -> None:
    section = commands_page().partition("## florence2 train\n")[2].partition("\n## ")[0]
    own, _, settings = section.partition("| setting | meaning |")
    assert "`--dry-run" in own
    assert "`--epochs" in settings
    assert "`--epochs" not in own


def test_a_setting_is_known_by_its_name_and_meaning() -> None:
    options = {name: option for (name, _), option in options_of_settings().items()}
    assert (options["epochs"], options["base"]) == ("--epochs", "--model")


def test_the_tree_of_the_fine_tune_comes_first() -> None:
    assert trees()[0] is Configuration
    assert PromotionConfiguration in trees()
