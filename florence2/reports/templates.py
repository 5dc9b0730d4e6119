"""The one way to make a page or a card: every text is escaped, and a missing value is an error."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from florence2.reports.formats import FORMATS

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render_template"]


def render_template(name: str, values: Mapping[str, Any], *, escape: bool = True) -> str:
    """Fill in a template of this package.

    Pages extend ``layout.html``, which has the head and the style of all pages, and import ``macros.html``. The
    functions of ``FORMATS`` are filters.

    Args:
        name: path of the template in ``florence2/reports``, such as ``evaluation/page.html``.
        values: what the template names.
        escape: whether texts are escaped as HTML; False only for what is shown as code.

    Raises:
        jinja2.UndefinedError: the template names a value that is not given.
    """
    return _environment(escape).get_template(name).render(values)


@functools.cache
def _environment(escape: bool) -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("florence2.reports", package_path=""),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FORMATS)
    return environment
