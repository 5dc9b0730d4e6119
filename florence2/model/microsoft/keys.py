"""Names of modules and weights in Microsoft's layout and in the native one, and the weights themselves, both ways.

The table is the one list of names. ``to_native`` and ``to_microsoft`` are inverse to each other, also for names of
modules, so that adapters go by the same table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from florence2.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TABLE", "native_weights", "published_weights", "to_microsoft", "to_native"]

_PROJECTOR = "model.multi_modal_projector"


def _block(block: str, attention: str) -> Iterator[tuple[str, str]]:
    """Yield the names of one half of a block of the vision tower; ``#`` stands for a number."""
    stem = f"vision_tower.blocks.#.#.{block}"
    for old, new in (
        ("conv1.fn.dw", "conv1"),
        ("conv2.fn.dw", "conv2"),
        (f"{attention}.norm", "norm1"),
        (f"{attention}.fn.qkv", f"{attention}.qkv"),
        (f"{attention}.fn.proj", f"{attention}.proj"),
        ("ffn.norm", "norm2"),
        ("ffn.fn.net.fc1", "ffn.fc1"),
        ("ffn.fn.net.fc2", "ffn.fc2"),
    ):
        yield f"{stem}.{old}", f"model.{stem}.{new}"


_IMAGE_PROJECTION = ("image_projection", f"{_PROJECTOR}.image_projection.weight")
"""A parameter, by which features are multiplied from the right; the weight of a linear layer is its transpose."""

_HEAD = ("language_model.lm_head.weight", "lm_head.weight")
_SHARED = ("language_model.model.shared.weight", "model.language_model.shared.weight")
_COPIES = tuple(f"language_model.model.{half}.embed_tokens.weight" for half in ("encoder", "decoder"))
_BIAS = "language_model.final_logits_bias"

TABLE: tuple[tuple[str, str], ...] = (
    ("vision_tower.convs.#.proj", "model.vision_tower.convs.#.conv"),
    ("vision_tower.convs.#.norm", "model.vision_tower.convs.#.norm"),
    *_block("spatial_block", "window_attn"),
    *_block("channel_block", "channel_attn"),
    _IMAGE_PROJECTION,
    ("image_proj_norm", f"{_PROJECTOR}.image_proj_norm"),
    ("image_pos_embed.row_embeddings", f"{_PROJECTOR}.image_position_embed.row_embeddings"),
    ("image_pos_embed.column_embeddings", f"{_PROJECTOR}.image_position_embed.column_embeddings"),
    ("visual_temporal_embed.pos_idx_to_embed", f"{_PROJECTOR}.visual_temporal_embed.pos_idx_to_embed"),
    ("language_model.model", "model.language_model"),
    ("language_model.lm_head", "lm_head"),
)
"""Names in Microsoft's layout and in the native one. ``#`` stands for a number; what follows a name stays as it is."""


def _map(table: tuple[tuple[str, str], ...]) -> Callable[[str], str | None]:
    """Return the function that replaces the left name of a row by the right one; None for a name of no row."""
    rows = [
        (re.compile(re.escape(left).replace(re.escape("#"), r"(\d+)") + r"(?=\.|$)"), right.replace("#", "{}"))
        for left, right in table
    ]

    def mapped(name: str) -> str | None:
        for pattern, right in rows:
            if match := pattern.match(name):
                return right.format(*match.groups()) + name[match.end() :]
        return None

    return mapped


to_native = _map(TABLE)
"""Return the native name of a module or weight of Microsoft's layout; None where it has none."""

to_microsoft = _map(tuple((new, old) for old, new in TABLE))
"""Return the name in Microsoft's layout of a native module or weight; None where it has none."""


def native_weights(published: Mapping[str, Tensor], source: object, *, tied: bool = True) -> dict[str, Tensor]:
    """Return weights of Microsoft's layout under their native names.

    Args:
        published: the weights; tied ones once or several times.
        source: named in messages.
        tied: whether the output head is the token embedding, by the configuration.

    Raises:
        ModelError: a weight has no equivalent: an unknown name, a bias of the output that is not zero, or copies of the
            token embedding that differ from it.
    """
    rest = dict(published)
    bias = rest.pop(_BIAS, None)
    if bias is not None and bias.count_nonzero():
        raise ModelError(
            f"{source}: {_BIAS} is not zero, and native Florence-2 has no such bias; only a model whose bias is zero "
            "can be imported"
        )
    _drop_copies(rest, source, (*_COPIES, _HEAD[0]) if tied else _COPIES)
    native: dict[str, Tensor] = {}
    for name, tensor in rest.items():
        new = to_native(name)
        if new is None:
            raise ModelError(
                f"{source}: {name} is no weight of Florence-2 in Microsoft's layout; give a whole model that is not "
                "quantised"
            )
        native[new] = tensor.T.contiguous() if name == _IMAGE_PROJECTION[0] else tensor
    return native


def _drop_copies(weights: dict[str, Tensor], source: object, copies: tuple[str, ...]) -> None:
    """Keep the token embedding once, under the name ``shared``."""
    names = [name for name in (_SHARED[0], *copies) if name in weights]
    if not names:
        return
    shared = weights[names[0]]
    for name in names:
        copy = weights.pop(name)
        if copy.shape != shared.shape or not copy.equal(shared):
            remedy = "; where it was trained by itself, set tie_word_embeddings to false in config.json"
            raise ModelError(
                f"{source}: {name} differs from {names[0]}, of which it must be a copy"
                f"{remedy if name == _HEAD[0] else '; save the model again'}"
            )
    weights[_SHARED[0]] = shared


def published_weights(native: Mapping[str, Tensor], *, tied: bool = True) -> dict[str, Tensor]:
    """Return native weights under the names of Microsoft's layout, tied ones once as ``save_pretrained`` writes them.

    Where the output head has a weight of its own, the copies are kept: Microsoft's code ties all of them or none.

    Args:
        native: all weights of a native Florence-2.
        tied: whether the output head is the token embedding.

    Raises:
        ModelError: a weight has no equivalent.
    """
    published: dict[str, Tensor] = {}
    for name, tensor in native.items():
        old = to_microsoft(name)
        if old is None:
            raise ModelError(f"{name} has no equivalent in Microsoft's layout; merge adapters first")
        if not (tied and old in (*_COPIES, _HEAD[0])):
            # A file of safetensors holds no memory twice.
            tensor = tensor.clone() if old in _COPIES else tensor
            published[old] = tensor.T.contiguous() if old == _IMAGE_PROJECTION[0] else tensor
    published[_BIAS] = native[_SHARED[1]].new_zeros((1, len(native[_SHARED[1]])))
    return published
