"""A module is tested by the file of the same path and name: ``florence2/x/y.py`` by ``tests/unit/x/test_y.py``.

What must have its test file: each module of the library and of the rooms that run it whose functions do something.
Modules that need ZenML are tested in ``tests/integration``, since unit tests run without it.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests import ROOT

UNIT = Path("tests/unit")
ROOMS = ("florence2", "pipelines", "steps", "materializers", "docs/generator")
COMMANDS = ("benchmarks", "pretraining", "docs/examples")
"""What is run by hand, and examples: a test file of them mirrors a module, but not every module has one."""

ABOVE_THE_LIBRARY = ("pipelines.", "steps.", "materializers.")

OF_THE_WHOLE_TREE = {
    "test_configs.py",
    "test_constant_docstrings.py",
    "test_docstring_examples.py",
    "test_make_docs.py",
    "test_mirror.py",
    "test_public_surface.py",
    "test_vocabulary.py",
    "test_waiting.py",
    "test_workflows.py",
}
"""Tests of what is not one module: the public names, the YAML files, this rule."""

WITHOUT_MODULE = """
"""
"""Test files that mirror no module. The list only shrinks."""

WITHOUT_TEST = """
florence2/__init__.py
florence2/adapters/mlflow/store_state.py
florence2/adapters/mlflow/tracking.py
florence2/adapters/model_lookup.py
florence2/cli/predict.py
florence2/doctor/gpu.py
florence2/doctor/requirements.py
florence2/export/onnx_agreement.py
florence2/export/onnx_graphs.py
florence2/reports/evaluation/comparison.py
florence2/reports/evaluation/files.py
florence2/reports/hub_card.py
florence2/reports/training_plots.py
florence2/sdk/training.py
florence2/serving/served_model.py
florence2/serving/server.py
"""
"""Modules that have no test file of their own. The list only shrinks."""


def test_every_test_file_mirrors_a_module() -> None:
    mirrors = {mirror(module) for module in modules(*ROOMS, *COMMANDS)}
    found = {path.relative_to(ROOT) for path in (ROOT / UNIT).rglob("test_*.py")}
    unmatched = {str(path.relative_to(UNIT)) for path in found - mirrors} - OF_THE_WHOLE_TREE
    listed = set(WITHOUT_MODULE.split())
    assert unmatched <= listed, "name a test file after the module that it tests"
    assert listed <= unmatched, "remove from WITHOUT_MODULE what has found its module"


def test_every_module_with_behaviour_has_its_test_file() -> None:
    untested = {
        str(module) for module in modules(*ROOMS) if has_behaviour(module) and not (ROOT / mirror(module)).is_file()
    }
    listed = set(WITHOUT_TEST.split())
    assert untested <= listed, "write the test file of this module"
    assert listed <= untested, "remove from WITHOUT_TEST what has its test file, or is no longer there"


def modules(*rooms: str) -> list[Path]:
    """Return the paths of all modules of some rooms, from the root of the repository."""
    return sorted(path.relative_to(ROOT) for room in rooms for path in (ROOT / room).rglob("*.py"))


def mirror(module: Path) -> Path:
    """Return the path of the test file of a module."""
    folders = module.parent.parts[1:] if module.parts[0] == "florence2" else module.parent.parts
    return UNIT.joinpath(*folders, f"test_{module.stem.strip('_')}.py")


def has_behaviour(module: Path) -> bool:
    """Return whether a function of a module does something, without ZenML; ``__main__`` only calls others."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    return module.stem != "__main__" and not needs_zenml(module) and any(map(_does_something, ast.walk(tree)))


@cache
def needs_zenml(module: Path) -> bool:
    """Return whether a module imports ZenML, also within a function, or another module above the library that does."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    above = [Path(*name.split(".")).with_suffix(".py") for name in names if name.startswith(ABOVE_THE_LIBRARY)]
    return any(name.partition(".")[0] == "zenml" for name in names) or any(
        needs_zenml(path) for path in above if (ROOT / path).is_file()
    )


def _does_something(node: ast.AST) -> bool:
    """Return whether a node is a function whose body is more than a docstring or ``...``, as in a Protocol."""
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and any(
        not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)) for line in node.body
    )
