"""Fine-tune Microsoft's Florence-2 on your own images, evaluate it honestly, and register the result.

    from florence2 import Configuration, load, train

    result = train(Configuration(dataset="my/cards", epochs=10, batch_size=8))
    model = load(result.folder)
    model.detect("a.png").class_name

Names are loaded when they are first used, so that ``import florence2`` and ``florence2 --help`` answer at once.
"""

from typing import Any

import lazy_loader

_load, __dir__, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = sorted([*_names, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("florence2-finetune")
    return _load(name)
