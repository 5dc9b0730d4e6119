"""Checks that ``pipelines``, ``steps`` and ``materializers`` are the packages that belong to this library.

ZenML projects have folders of these names by convention. In such a project Python may find them before the installed
packages, and this library would import the user's code. The check executes none of it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import Any

from florence2.errors import ConfigurationError

__all__ = ["OWN_PACKAGES", "check_own_packages", "load_target", "require_own_packages"]

OWN_PACKAGES = ("pipelines", "steps", "materializers")
"""Packages in the same folder as ``florence2``, in the repository and where a wheel is installed."""

_ROOT = Path(__file__).resolve().parents[2]


def check_own_packages() -> None:
    """Raise if Python finds packages of another project instead of this library's.

    Raises:
        ConfigurationError: Python finds another package of the name first, or none.
    """
    for name in OWN_PACKAGES:
        folder = _folder_of(name)
        if folder is None:
            raise ConfigurationError(
                f"the package {name} of florence2-finetune is missing in {_ROOT}; install it again"
            )
        if folder.resolve() != _ROOT / name:
            raise ConfigurationError(
                f"{folder}: this folder hides the package {name} of florence2-finetune, which is in {_ROOT}; start in "
                f"a folder without its own {name}/, outside of this project, or rename {folder}"
            )


def require_own_packages() -> None:
    """End the process with the message of ``check_own_packages``; for modules that ZenML's commands import.

    ZenML shows a traceback for each error that an import raises, and hides the message of an ImportError.
    """
    try:
        check_own_packages()
    except ConfigurationError as exc:
        sys.exit(f"error: {exc}")


def load_target(target: str) -> Any:
    """Import the object that an entry point names.

    Args:
        target: ``module:attribute``.

    Raises:
        ConfigurationError: its package belongs to this library and is hidden by another.
    """
    module, _, attribute = target.partition(":")
    if module.partition(".")[0] in OWN_PACKAGES:
        check_own_packages()
    return getattr(importlib.import_module(module), attribute)


def _folder_of(name: str) -> Path | None:
    """Return the folder of the package that an import would find."""
    spec = importlib.util.find_spec(name)
    if spec is None:
        return None
    if spec.submodule_search_locations is None:  # a module: pipelines.py
        return Path(spec.origin or name)
    return Path(next(iter(spec.submodule_search_locations))).absolute()
