"""Settings that reach a step without being part of its cache key, because they change nothing of its result.

ZenML hashes every parameter of a step. Its ``extra`` options reach the step on every orchestrator and are not hashed.
"""

from __future__ import annotations

from typing import Any, TypeVar

from zenml import get_step_context

from florence2.config import BaseConfig, Effect

__all__ = ["given", "uncached_options", "with_uncached"]

_KEY = "florence2.uncached"

AnySection = TypeVar("AnySection", bound=BaseConfig)


def given(section: BaseConfig) -> dict[str, Any]:
    """Return the settings of a section that were set, without those that ``uncached_options`` carries, for JSON."""
    return section.model_dump(mode="json", exclude_unset=True, exclude=section.with_effect(Effect.EXECUTION))


def uncached_options(**sections: BaseConfig) -> dict[str, Any]:
    """Return options of a step that carry the settings of ``Effect.EXECUTION``.

    Args:
        sections: of the configuration, by name. The step gets them as parameters ``without(Effect.EXECUTION)``.
    """
    carried = {
        name: section.model_dump(mode="json", include=section.with_effect(Effect.EXECUTION))
        for name, section in sections.items()
    }
    return {"extra": {_KEY: carried}}


def with_uncached(name: str, section: AnySection) -> AnySection:
    """Return a section that the running step got as a parameter, with the settings that are not in the cache key.

    Args:
        name: by which ``uncached_options`` carries them.
        section: the parameter.
    """
    carried = get_step_context().step_run.config.extra[_KEY][name]
    return type(section).model_validate(section.model_dump() | carried)
