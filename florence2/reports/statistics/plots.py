"""Histograms and the map of box centres as SVG images for the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from florence2.datasets import Feature, compact

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["COLOURS", "heat_map", "histogram"]

COLOURS = ("#1f8f74", "#d9822b", "#4a7fd6", "#868e96")
"""Lines of the histograms in their order; they can be distinguished on white and on black."""

_INK = "#76808a"
_MOST_TICKS = 6


def histogram(feature: Feature, counts: Mapping[str, Sequence[int]]) -> str:
    """Draw histograms over each other, each as shares of its own total; all bins have the same width.

    Args:
        feature: what is counted.
        counts: a count for each bin, by the name of the line; lines without any value are left out.

    Returns:
        The image as a data URI.
    """
    shares = {title: np.array(each) / sum(each) for title, each in counts.items() if sum(each)}
    figure, axes = _axes((0.12, 0.13, 0.83, 0.83))
    used = np.flatnonzero(sum(shares.values(), np.zeros(len(feature.edges) - 1)))
    low, high = (max(used[0] - 1, 0), min(used[-1] + 2, len(feature.edges) - 1)) if len(used) else (0, 1)
    edges = np.arange(low, high + 1)
    for number, title in enumerate(counts):
        if title in shares:
            colour = COLOURS[number % len(COLOURS)]
            values = shares[title][low:high]
            axes.stairs(values, edges, color=colour, linewidth=1.6, zorder=3)
            axes.stairs(values, edges, color=colour, alpha=0.10, fill=True)
    ticks = edges[:: max(1, -(-len(edges) // _MOST_TICKS))]
    axes.set_xticks(ticks, [compact(feature.edges[edge]) for edge in ticks])
    axes.set_xlim(low, high)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
    axes.locator_params(axis="y", nbins=4)
    axes.grid(axis="y", color=_INK, alpha=0.2, linewidth=0.6)
    return _data_uri(figure)


def heat_map(centres: Sequence[Sequence[int]]) -> str:
    """Draw a map of the centres of boxes, oriented as the image.

    Args:
        centres: counts, from the top row down.

    Returns:
        The image as a data URI.
    """
    figure, axes = _axes((0.08, 0.12, 0.74, 0.84))
    counts = np.array(centres, dtype=np.float64)
    shown = axes.imshow(counts / max(counts.sum(), 1.0), cmap="YlGnBu", vmin=0, extent=(0, 1, 1, 0), aspect="auto")
    bar = figure.colorbar(shown, cax=figure.add_axes((0.85, 0.12, 0.03, 0.84)), format=lambda share, _: f"{share:.1%}")
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=_INK, labelsize=8.5, length=0, pad=4)
    bar.ax.locator_params(axis="y", nbins=4)
    axes.set_xticks([0, 0.5, 1])
    axes.set_yticks([0, 0.5, 1])
    return _data_uri(figure)


def _axes(position: tuple[float, float, float, float]) -> tuple[Figure, Axes]:
    """Return a figure with axes at left, bottom, width and height, as shares of the figure."""
    from matplotlib.figure import Figure

    # Without pyplot there is no global state and no window.
    figure = Figure(figsize=(3.6, 2.1))
    figure.patch.set_alpha(0)
    axes = figure.add_axes(position)
    axes.patch.set_alpha(0)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(_INK)
    axes.tick_params(colors=_INK, labelsize=8.5, length=0, pad=4)
    return figure, axes


def _data_uri(figure: Figure) -> str:
    from matplotlib import rc_context

    buffer = io.BytesIO()
    # The same figure gives the same bytes: no date, no random identifiers.
    with rc_context({"svg.hashsalt": "florence2"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return f"data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}"
