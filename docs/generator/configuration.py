"""``reference/configuration.md``: every setting, from the fields of ``florence2.config``."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from docs.generator.commands import options_of_settings, trees
from docs.generator.markdown import MADE, escaped, table
from florence2.cli.settings import LISTS
from florence2.config import BaseConfig

__all__ = ["configuration_page"]

_HEAD = f"""# Configuration
{MADE}

Every setting with its default; the same settings are used in YAML, on the command line and in Python:

```yaml
parameters:
  dataset: {{source: my-set}}
  training:
    epochs: 3
    lora: {{rank: 8}}
```

```sh
florence2 train --dataset=my-set --epochs=3 --rank=8
```

```python
from florence2 import Configuration

config = Configuration(dataset="my-set", epochs=3, rank=8)
print(config.training.lora.rank)  # 8
```

The path of a setting is that of the YAML file. In Python and on the command line a setting may be written without its
section, for each name is there once; a YAML file is kept to the full form. An unknown name is an error that says
which one is near.
"""
_OTHERS = """
The sections below belong to one pipeline or command each.
"""
_KINDS: dict[Any, str] = {
    bool: "`true` or `false`",
    str: "text",
    int: "whole number",
    float: "number",
    type(None): "empty",
}
_BOUNDS = {"ge": "at least", "gt": "greater than", "le": "at most", "lt": "less than"}


def configuration_page() -> str:
    """Return the page in Markdown."""
    parts, shown = [_HEAD], set[str]()
    for number, tree in enumerate(trees()):
        parts += [_OTHERS] if number == 1 else []
        for name, field in tree.model_fields.items():
            parts += _section(name, field.annotation) if name not in shown else []
            shown.add(name)
    return "\n".join(parts)


def _section(path: str, section: Any) -> list[str]:
    """Return the table of a section, and below it those of the sections in it."""
    inner = {name: field for name, field in section.model_fields.items() if _is_section(field.annotation)}
    rows = [_row(f"{path}.{name}", name, field) for name, field in section.model_fields.items() if name not in inner]
    level = "#" * (path.count(".") + 2)
    text = escaped(inspect.cleandoc(section.__doc__))
    parts = [f"{level} {path}\n", f"{text}\n", table(["setting", "default", "meaning"], rows)]
    for name, field in inner.items():
        parts += _section(f"{path}.{name}", field.annotation)
    for field in section.model_fields.values():
        if get_origin(field.annotation) is dict and _is_section(entry := get_args(field.annotation)[1]):
            parts += _section(f"{path}.NAME", entry)
    return parts


def _row(path: str, name: str, field: FieldInfo) -> list[str]:
    option = options_of_settings().get((name, field.description or ""))
    setting = f"`{path}`" + (f"<br>`{option}`" if option else "")
    return [setting, _default(field), f"{escaped(field.description or '')} *{_kind(name, field)}*"]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    if value in (None, (), {}, ""):
        return "empty"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _kind(name: str, field: FieldInfo) -> str:
    """Return what a setting may be, in words."""
    if name in LISTS:
        return ", ".join(f"`{value}`" for value in (field.default, *LISTS[name]))
    return ", ".join([_words(field.annotation), *_bounds(field.metadata)])


def _bounds(constraints: Iterable[Any]) -> list[str]:
    return [
        f"{words} {value}"
        for constraint in constraints
        for bound, words in _BOUNDS.items()
        if (value := getattr(constraint, bound, None)) is not None
    ]


def _words(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        within = [each for outer in arguments[1:] for each in (outer, *getattr(outer, "metadata", ()))]
        return " ".join([_words(arguments[0]), *_bounds(within)])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_words(argument) for argument in arguments)
    if origin is tuple:
        return f"list of {_words(arguments[0])}"
    if origin is dict:
        return f"mapping of {_words(arguments[0])} to {_words(arguments[1])}"
    if _is_section(annotation):
        return f"mapping of {', '.join(f'`{name}`' for name in annotation.model_fields)}"
    return _KINDS[annotation]


def _is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseConfig)
