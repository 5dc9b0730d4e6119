"""Packages that add something to this one by entry points, as if they were installed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["write_package"]


def write_package(
    site: Path, name: str, modules: Mapping[str, str], entry_points: Mapping[str, Mapping[str, str]]
) -> Path:
    """Write a package as pip installs it: its modules, and the metadata that names its entry points.

    Args:
        site: folder for ``sys.path`` or ``PYTHONPATH``.
        name: of the package.
        modules: source of each module by its name.
        entry_points: for each group the targets, ``module:attribute``, by their names.

    Returns:
        The folder.
    """
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in points.items()) for group, points in entry_points.items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines))
    for module, source in modules.items():
        (site / f"{module}.py").write_text(source)
    return site
