"""``reference/python.md``: the public names of ``florence2``; Sphinx fills in their docstrings."""

from __future__ import annotations

import inspect

import florence2
from docs.generator.markdown import MADE
from florence2 import errors
from florence2.evaluation.metrics.registry import METRICS

__all__ = ["python_page"]

_HEAD = f"""# Python
{MADE}

```python
from florence2 import Configuration, evaluate, predict, train
```

Everything here is importable from `florence2` itself and is loaded when it is first used. Settings:
[configuration](configuration.md).
"""


def python_page() -> str:
    """Return the page in Markdown."""
    public = {name: getattr(florence2, name) for name in florence2.__all__}
    metrics = {kind.__name__ for kind in METRICS.values()}
    functions = [name for name, found in public.items() if inspect.isfunction(found)]
    classes = [name for name in public if name not in (*functions, *metrics) and not hasattr(errors, name)]
    hidden = "\n   :exclude-members: model_config\n   :inherited-members: BaseModel"
    return "\n".join(
        [
            _HEAD,
            "## Functions\n",
            _directives("autofunction", [f"florence2.{name}" for name in functions]),
            "## Classes\n",
            _directives("autoclass", [f"florence2.{name}" for name in classes], "\n   :members:" + hidden),
            "## Metrics\n",
            "All have the methods of the first one.\n",
            _directives("autoclass", ["florence2.evaluation.metrics.metric.Metric"], "\n   :members:"),
            _directives("autoclass", [f"florence2.{name}" for name in sorted(metrics)]),
            "## Errors\n",
            _directives(
                "autoexception", [f"florence2.errors.{name}" for name in errors.__all__], "\n   :show-inheritance:"
            ),
        ]
    )


def _directives(kind: str, names: list[str], options: str = "") -> str:
    directives = "\n\n".join(f".. {kind}:: {name}{options}" for name in names)
    return f"```{{eval-rst}}\n{directives}\n```\n"
