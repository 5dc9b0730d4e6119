"""What other packages add to this one: commands, checks, formats, metrics and rules, each by an entry point.

One room defines each kind: its group, what is expected of a plugin, and how clashes of names are settled.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from florence2.errors import ConfigurationError

__all__ = ["Plugin", "plugin_modules", "plugins_of"]


@dataclass(frozen=True)
class Plugin:
    """An entry point of an installed package.

    Attributes:
        name: of what it adds.
        target: where it is, ``module:attribute``.
        package: the package that it is of.
    """

    name: str
    target: str
    package: str

    @property
    def module(self) -> str:
        """Return the module of the target."""
        return self.target.partition(":")[0]

    def load(self, what: str) -> Any:
        """Import the module and return the attribute.

        Args:
            what: it adds, for messages: "the rule my-rule of my-package".

        Raises:
            ConfigurationError: it cannot be imported; names target, cause and package.
        """
        try:
            return EntryPoint(self.name, self.target, "").load()
        except Exception as exc:  # the module of the other package may raise anything
            raise ConfigurationError(
                f"{what} cannot be loaded from {self.target}: {type(exc).__name__}: {exc}; "
                f"update or uninstall {self.package}"
            ) from exc


def plugins_of(group: str) -> list[Plugin]:
    """Return the plugins of a group, by name, then target; none of them is imported."""
    points = {
        Plugin(point.name, point.value, point.dist.name if point.dist else point.module)
        for point in entry_points(group=group)
    }
    return sorted(points, key=lambda plugin: (plugin.name, plugin.target))


def plugin_modules(group: str) -> list[str]:
    """Return the modules of the plugins of a group, sorted."""
    return sorted({plugin.module for plugin in plugins_of(group)})
