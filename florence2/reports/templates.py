"""How pages are made from templates: every text is escaped, and a name that is not given is an error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["page_environment"]


def page_environment(package: str, filters: Mapping[str, Callable[[Any], str]]) -> Environment:
    """Return the environment of the templates that lie in a package.

    Args:
        package: full name of the package, such as ``florence2.evaluation``.
        filters: functions that the templates call, by their names.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, package_path=""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment
