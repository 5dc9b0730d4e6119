"""``reference/formats.md``: the formats of data sets, from the list of them."""

from __future__ import annotations

from docs.generator.markdown import MADE, escaped, table
from florence2.datasets.formats.registry import FORMATS

__all__ = ["formats_page"]

_HEAD = f"""# Formats of data sets
{MADE}

`dataset.format` (`--format`) is one of these names, or `auto`: recognised by the files. `florence2 convert --to` takes
those that can be written. [Your own data set](../datasets.md#formats) shows an example of each. A package adds
[a format of its own](../own_format.md).
"""


def formats_page() -> str:
    """Return the page in Markdown."""
    rows = [
        [f"`{name}`", escaped(format.files), format.samples, "read and written" if format.writer else "read"]
        for name, format in FORMATS.items()
    ]
    return "\n".join([_HEAD, table(["format", "recognised by", "samples", ""], rows)])
