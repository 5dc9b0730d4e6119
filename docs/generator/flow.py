"""``images/flow.svg``: the steps and what each passes to the next.

One column, so that a phone can show it. Every text has a background of its own and lines are of a middle grey, so that
the image is readable on light and dark pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

__all__ = ["STEPS", "flow_image"]


@dataclass(frozen=True)
class _Stop:
    """A box of the image: a store or a step, what it does, and what it passes on."""

    name: str
    text: str
    passes_on: str = ""
    kind: str = "step"


_STOPS = (
    _Stop("your data set", "folder, archive or bucket, recognised", "images and annotations", "store"),
    _Stop("ingest_dataset", "a row for each sample, a hash of each image", "manifest"),
    _Stop("validate_annotations", "stops at samples that break a rule", "valid samples, report"),
    _Stop("split_dataset", "keeps near-identical images together", "train and valid, test"),
    _Stop("choose_recipe", "settings that were left open", "settings"),
    _Stop("choose_learning_rate", "short trainings, where it is auto", "settings"),
    _Stop("fine_tune", "keeps the epoch that validates best", "checkpoint"),
    _Stop("evaluate_model", "base and fine-tuned on the test split", "scores with intervals, page"),
    _Stop("register_model", "merged model, model card, tags", "version with alias challenger"),
    _Stop("MLflow registry", "every version, and who is champion", "challenger and champion", "store"),
    _Stop("evaluate_candidate", "both versions on the same test split", "scores of both, of base and of baseline"),
    _Stop("decide_promotion", "every gate passed, or held with reasons", "decision", "gate"),
    _Stop("promote_model", "moves the alias champion if it won", "models:/NAME@champion"),
    _Stop("your service", "predicts with the champion", "", "store"),
)
STEPS = tuple(stop.name for stop in _STOPS if stop.kind != "store")
"""The steps in the image."""

_GROUNDS = {"step": "#1d4ed8", "gate": "#9a3412", "store": "#334155"}
_WIDTH, _BOX, _GAP, _LABEL, _MARGIN = 360, 50, 46, 14, 10
_PIPELINES = {1: "florence_finetune", 10: "florence_promote"}
"""Where a pipeline begins, by the number of its first stop."""


def flow_image() -> str:
    """Return the image as SVG."""
    parts, y = [], _MARGIN
    for number, stop in enumerate(_STOPS):
        parts.append(_box(stop, y))
        y += _BOX
        if stop.passes_on:
            pipeline = _PIPELINES.get(number + 1, "")
            gap = _GAP + _LABEL if pipeline else _GAP
            parts.append(_arrow(stop.passes_on, y, y + gap, pipeline))
            y += gap
    height = y + _MARGIN
    title = "The flow: " + ", ".join(stop.name for stop in _STOPS)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="420" '
        f'role="img" font-family="system-ui, sans-serif" text-anchor="middle">\n<title>{escape(title)}</title>\n'
        + "".join(parts)
        + "</svg>\n"
    )


def _box(stop: _Stop, y: int) -> str:
    middle = _WIDTH // 2
    face = "" if stop.kind == "store" else ' font-family="ui-monospace, monospace"'
    return (
        f'<rect x="{_MARGIN}" y="{y}" width="{_WIDTH - 2 * _MARGIN}" height="{_BOX}" rx="8" '
        f'fill="{_GROUNDS[stop.kind]}"/>\n'
        f'<text x="{middle}" y="{y + 21}" font-size="15" font-weight="700" fill="#fff"{face}>'
        f"{escape(stop.name)}</text>\n"
        f'<text x="{middle}" y="{y + 40}" font-size="13" fill="#fff">{escape(stop.text)}</text>\n'
    )


def _arrow(passes_on: str, y: int, end: int, pipeline: str) -> str:
    """Draw the arrow to the next box, with what is passed on, and the name of the pipeline that begins."""
    middle = _WIDTH // 2
    begin = ""
    if pipeline:
        begin = (
            f'<rect x="{_MARGIN}" y="{end - 22}" width="{len(pipeline) * 8 + 10}" height="20" rx="4" fill="#c7d2fe"/>\n'
            f'<text x="{_MARGIN + 6}" y="{end - 8}" font-size="13" font-weight="700" text-anchor="start" '
            f'fill="#0f172a" font-family="ui-monospace, monospace">{pipeline}</text>\n'
        )
    half = 14 + len(passes_on) * 3.9
    return (
        f'<path d="M{middle} {y}V{end - 9}" stroke="#64748b" stroke-width="2"/>\n'
        f'<path d="M{middle - 6} {end - 10}h12l-6 9z" fill="#64748b"/>\n'
        f'<rect x="{middle - half:.0f}" y="{y + 8}" width="{2 * half:.0f}" height="21" rx="10" fill="#e2e8f0"/>\n'
        f'<text x="{middle}" y="{y + 23}" font-size="13" fill="#0f172a">{escape(passes_on)}</text>\n{begin}'
    )
