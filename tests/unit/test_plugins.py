"""Entry points of other packages: found without an import, sorted, and loaded with an error that names the package."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from florence2.errors import ConfigurationError
from florence2.plugins import Plugin, plugin_modules, plugins_of


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two installed packages: one imports, the other does not."""
    for package, entries in (("late", "b = plugin_late:VALUE\n"), ("early", "a = plugin_early:VALUE\n")):
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[florence2.trials]\n{entries}")
    (tmp_path / "plugin_late.py").write_text("VALUE = 7\n")
    (tmp_path / "plugin_early.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(tmp_path)


def test_plugins_are_sorted_by_name_and_not_imported() -> None:
    assert plugins_of("florence2.trials") == [
        Plugin("a", "plugin_early:VALUE", "early"),
        Plugin("b", "plugin_late:VALUE", "late"),
    ]
    assert plugin_modules("florence2.trials") == ["plugin_early", "plugin_late"]
    assert not {"plugin_early", "plugin_late"} & sys.modules.keys()


def test_a_group_without_entry_points_is_empty() -> None:
    assert plugins_of("florence2.nothing") == []


def test_a_plugin_is_loaded_or_named_with_its_package() -> None:
    broken, working = plugins_of("florence2.trials")
    assert working.load("the trial b of late") == 7
    with pytest.raises(ConfigurationError) as refused:
        broken.load("the trial a of early")
    assert str(refused.value) == (
        "the trial a of early cannot be loaded from plugin_early:VALUE: "
        "ModuleNotFoundError: No module named 'no_such_library'; update or uninstall early"
    )
