"""Near-identical images: groups of those whose signatures hardly differ.

Two images are near-identical when, but for brightness and contrast, every cell of their signatures is nearly the same.
``benchmarks/near_duplicates.py`` measures it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from florence2.images.signatures import GRID, LUMA_BYTES, decode_signature

__all__ = ["group_near_identical"]

# In levels of 0..255. An image saved as JPEG at quality 50, halved or brightened by 4 % stays within these limits, also
# a drawing of 64 pixels; the most similar different images (two receipts of one shop, frames of a video) do not.
_BRIGHTNESS = 13.0
_COLOUR = 9
_WORST_CELL_OF_CONTRAST, _WORST_CELL = 0.6, (4.0, 10.5)
_MEAN_CELL = 2.2
_GAIN = 1.07

# Vertical and horizontal frequencies of the brightness; the first two vary most from image to image.
_WAVES = np.array([[1, 0], [0, 1], [1, 1], [0, 2], [2, 0], [1, 2], [2, 1], [2, 2], [0, 3], [3, 0], [1, 3], [3, 1]]).T
_SOFTNESS = 20.0
_RADIUS = _MEAN_CELL * _GAIN**0.5 + _SOFTNESS * float(np.log(_GAIN)) + 0.01
_ROWS, _COLUMNS = 256, 2048

_Floats = NDArray[np.float32]
_Pairs = NDArray[np.int64]


def group_near_identical(signatures: Sequence[str]) -> NDArray[np.int64]:
    """Group images by their signatures.

    Memory grows with the number of images only; time does so too, unless many thousands of them are nearly blank.

    Args:
        signatures: of each image; an empty text is a group of its own. A text that is not a signature of this version
            is near-identical to itself only.

    Returns:
        A group number for each image, (n,), counted in the order of their first images; images that are
        near-identical, also through others, share one.
    """
    texts = list(dict.fromkeys(signatures))
    decoded = [decode_signature(text) for text in texts]
    usable = np.flatnonzero([cells is not None for cells in decoded])
    group_of_text = np.arange(len(texts))
    if len(usable):
        cells = np.frombuffer(b"".join(filter(None, decoded)), dtype=np.uint8).reshape(len(usable), -1)
        group_of_text[usable] = usable[_first_members(_components(cells))]
    number_of = dict(zip(texts, group_of_text.tolist(), strict=True))
    unsigned = iter(range(len(texts), len(texts) + len(signatures)))
    keys = [number_of[text] if text else next(unsigned) for text in signatures]
    order = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return np.array([order[key] for key in keys], dtype=np.int64)


def _first_members(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return the position of the first element with the label of each element."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse]


def _components(cells: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Label distinct signatures (n, bytes) so that near-identical ones, also through others, share a label."""
    points = _points(cells)
    stripe = np.floor(points[:, 0] / _RADIUS)
    order = np.lexsort((points[:, 1], stripe))
    labels = np.arange(len(cells), dtype=np.int32)
    # Neighbours first: that joins the frames of a still camera, whose billions of pairs then need no comparison.
    labels = _joined(labels, np.stack([order[:-1], order[1:]], axis=1), cells)
    for pairs in _close_pairs(points[order], stripe[order]):
        labels = _joined(labels, order[pairs], cells)
    return labels


def _points(cells: NDArray[np.uint8]) -> _Floats:
    """Return a point for each signature, (n, dimensions); near-identical ones are within ``_RADIUS`` of each other.

    A point has the low frequencies of the brightness and the length of the rest, scaled so that a distance is at most
    the root mean square difference of the cells. A change of contrast multiplies a point. The inverse hyperbolic sine
    of its distance from 0, which lengthens no distance, turns that into a step of at most ``_SOFTNESS`` times the
    logarithm of the change.
    """
    luma = cells[:, :LUMA_BYTES].reshape(-1, GRID, GRID).astype(np.float32)
    from scipy.fft import dctn  # half a second: only where images are compared

    spectrum = dctn(luma, axes=(1, 2), norm="ortho", overwrite_x=True) / GRID
    low = spectrum[:, _WAVES[0], _WAVES[1]]
    spectrum[:, _WAVES[0], _WAVES[1]] = spectrum[:, 0, 0] = 0
    rest = np.linalg.norm(spectrum.reshape(len(cells), -1), axis=1, keepdims=True)
    points: _Floats = np.concatenate([low, rest], axis=1)
    length = np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-6)
    return np.asarray(points * (_SOFTNESS * np.arcsinh(length / _SOFTNESS) / length), dtype=np.float32)


def _close_pairs(points: _Floats, stripe: _Floats) -> Iterator[_Pairs]:
    """Yield every pair of points within ``_RADIUS``, (m, 2), as positions.

    Args:
        points: (n, dimensions), sorted by stripe, then by their second coordinate.
        stripe: of each point, (n,): the first coordinate in units of the radius, rounded down.
    """
    half_square = (points**2).sum(axis=1) / 2
    starts = np.append(np.flatnonzero(np.diff(stripe, prepend=np.nan)), len(points)).tolist()
    for number, (start, end) in enumerate(pairwise(starts)):
        follows = end < len(points) and stripe[end] == stripe[start] + 1
        for first, last in ((start, end), *([(end, starts[number + 2])] if follows else [])):
            keys = points[first:last, 1]
            for top in range(start, end, _ROWS):
                rows = slice(top, min(top + _ROWS, end))
                low = first + np.searchsorted(keys, points[top, 1] - _RADIUS)
                high = first + np.searchsorted(keys, points[rows.stop - 1, 1] + _RADIUS, side="right")
                for left in range(max(low, top), high, _COLUMNS):
                    columns = slice(left, min(left + _COLUMNS, high))
                    # Half of |a - b|^2 is |a|^2 / 2 + |b|^2 / 2 - ab.
                    near = points[rows] @ points[columns].T
                    near -= half_square[columns]
                    near -= half_square[rows, None]
                    row, column = np.divmod(np.flatnonzero(near >= -(_RADIUS**2) / 2), near.shape[1])
                    if len(row):
                        pairs = np.stack([row + top, column + left], axis=1)
                        yield pairs[pairs[:, 0] < pairs[:, 1]]


def _joined(labels: NDArray[np.int32], pairs: _Pairs, cells: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Return the labels after joining those of the pairs (m, 2) that are near-identical."""
    pairs = pairs[labels[pairs[:, 0]] != labels[pairs[:, 1]]]
    parts = np.array_split(pairs, len(pairs) // 20_000 + 1)
    links = labels[np.concatenate([part[_near_identical(cells[part[:, 0]], cells[part[:, 1]])] for part in parts])]
    if not len(links):
        return labels
    size = int(labels.max()) + 1
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links), dtype=np.int8), (links[:, 0], links[:, 1])), shape=(size, size))
    joined: NDArray[np.int32] = connected_components(graph, directed=False)[1].astype(np.int32)
    return joined[labels]


def _near_identical(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return for each pair of signatures, both (m, bytes), whether the images are near-identical."""
    colour = [side[:, LUMA_BYTES:].astype(np.int16) for side in (first, second)]
    same: NDArray[np.bool_] = np.abs(colour[0] - colour[1]).max(axis=1) <= _COLOUR
    # Few pairs are left, and the second comparison is slower.
    same[same] = _equally_bright(first[same, :LUMA_BYTES], second[same, :LUMA_BYTES])
    return same


def _equally_bright(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.bool_]:
    before, after = first.astype(np.float32), second.astype(np.float32)
    brightness = before.mean(axis=1, keepdims=True), after.mean(axis=1, keepdims=True)
    before, after = before - brightness[0], after - brightness[1]
    contrast = before.std(axis=1, keepdims=True), after.std(axis=1, keepdims=True)
    gain = np.sqrt(np.clip((contrast[1] + 1) / (contrast[0] + 1), 1 / _GAIN, _GAIN))
    rest = after / gain - before * gain
    allowed = np.clip(_WORST_CELL_OF_CONTRAST * np.minimum(*contrast)[:, 0], *_WORST_CELL)
    same: NDArray[np.bool_] = (
        (np.abs(brightness[0] - brightness[1])[:, 0] <= _BRIGHTNESS)
        & (np.abs(rest).max(axis=1) <= allowed)
        & (np.sqrt((rest**2).mean(axis=1)) <= _MEAN_CELL)
    )
    return same
