"""The files ``config.json`` and ``preprocessor_config.json`` of Microsoft's layout, and what they are natively.

Both ways keep every value on which an answer depends. What a file leaves out has the default of Microsoft's code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from florence2.errors import ModelError
from florence2.model.florence import CODE_SOURCE, OWN_TASKS, TRAINED_CLASSES

__all__ = [
    "image_tokens",
    "is_published",
    "is_tied",
    "native_config",
    "native_image_processor",
    "published_config",
    "published_image_processor",
]

_TEXT: dict[str, Any] = {
    "activation_dropout": 0.0,
    "activation_function": "gelu",
    "attention_dropout": 0.0,
    "bos_token_id": 0,
    "classifier_dropout": 0.0,
    "d_model": 1024,
    "decoder_attention_heads": 16,
    "decoder_ffn_dim": 4096,
    "decoder_layerdrop": 0.0,
    "decoder_layers": 12,
    "decoder_start_token_id": 2,
    "dropout": 0.1,
    "encoder_attention_heads": 16,
    "encoder_ffn_dim": 4096,
    "encoder_layerdrop": 0.0,
    "encoder_layers": 12,
    "eos_token_id": 2,
    "forced_eos_token_id": 2,
    "init_std": 0.02,
    "max_position_embeddings": 1024,
    "pad_token_id": 1,
    "scale_embedding": False,
    "use_cache": True,
    "vocab_size": 51289,
}
"""Values of the language model, the same in both layouts, with the defaults of Microsoft's code."""

_VISION: dict[str, tuple[str, Any]] = {
    "depths": ("depths", [1, 1, 9, 1]),
    "dim_embed": ("embed_dim", [256, 512, 1024, 2048]),
    "drop_path_rate": ("drop_path_rate", 0.1),
    "num_groups": ("num_groups", [8, 16, 32, 64]),
    "num_heads": ("num_heads", [8, 16, 32, 64]),
    "patch_padding": ("patch_padding", [3, 1, 1, 1]),
    "patch_prenorm": ("patch_prenorm", [False, True, True, True]),
    "patch_size": ("patch_size", [7, 3, 3, 3]),
    "patch_stride": ("patch_stride", [4, 2, 2, 2]),
    "projection_dim": ("projection_dim", 1024),
    "window_size": ("window_size", 12),
}
"""Native name of each value of the vision tower, and the default of Microsoft's code."""

_PARTS = {
    "image_pos_embed": ("learned_abs_2d", "max_pos_embeddings", "max_position_embeddings"),
    "visual_temporal_embedding": ("COSINE", "max_temporal_embeddings", "max_temporal_embeddings"),
}
"""Kind, size and native name of the size of the two embeddings of the vision tower."""

_FEATURES = ["spatial_avg_pool", "temporal_avg_pool"]
"""Which features go to the language model; the native model knows these alone, in this order."""

_FIXED = {"activation_function": "gelu", "in_channels": 3, "mlp_ratio": 4.0, "qkv_bias": True}
"""Values of a native vision tower that are fixed in Microsoft's code."""

_IMAGE_KEYS = (
    "crop_size",
    "do_center_crop",
    "do_normalize",
    "do_rescale",
    "do_resize",
    "image_mean",
    "image_std",
    "resample",
    "rescale_factor",
    "size",
)


def is_published(config: object) -> bool:
    """Return whether the content of a config.json is of Microsoft's layout."""
    if not isinstance(config, dict) or config.get("model_type") != "florence2":
        return False
    text, vision = config.get("text_config") or {}, config.get("vision_config") or {}
    if not (isinstance(text, dict) and isinstance(vision, dict)):
        return False
    marks = (text.get("model_type"), vision.get("model_type"))
    return "florence2_language" in marks or "dim_embed" in vision or bool({"davit", "florence2_vision"} & {*marks})


def native_config(published: Mapping[str, Any], image_token_id: int, rows: int, source: object) -> dict[str, Any]:
    """Return the native config.json of a model of Microsoft's layout.

    Args:
        published: its config.json there.
        image_token_id: id of ``<image>``.
        rows: of the token embedding.
        source: named in messages.

    Raises:
        ModelError: it has a part that native Florence-2 has not, or sizes that do not fit together.
    """
    text, vision = published.get("text_config") or {}, published.get("vision_config") or {}
    tied = is_tied(published)
    native_text = {name: text.get(name, default) for name, default in _TEXT.items()}
    native_vision = {new: vision.get(old, default) for old, (new, default) in _VISION.items()}
    for name, (kind, size, new) in _PARTS.items():
        part = vision.get(name) or {}
        if not isinstance(part, dict) or part.get("type") != kind or not _is_size(part.get(size)):
            raise ModelError(
                f"{source}: vision_config.{name} is {part or 'missing'}; native Florence-2 knows only the type {kind} "
                f"with {size}"
            )
        native_vision[new] = part[size]
    features = vision.get("image_feature_source", _FEATURES)
    if features != _FEATURES:
        raise ModelError(f"{source}: vision_config.image_feature_source is {features}; it must be {_FEATURES}")
    if native_vision["projection_dim"] != native_text["d_model"]:
        raise ModelError(
            f"{source}: the projector gives {native_vision['projection_dim']} values (vision_config.projection_dim), "
            f"and the language model takes {native_text['d_model']} (text_config.d_model); correct the file"
        )
    _check_stages(native_vision, source)
    return _recorded(published) | {
        "architectures": ["Florence2ForConditionalGeneration"],
        "dtype": published.get("torch_dtype") or published.get("dtype") or "float32",
        "image_token_id": image_token_id,
        "is_encoder_decoder": True,
        "model_type": "florence2",
        "text_config": native_text | {"model_type": "bart", "tie_word_embeddings": True, "vocab_size": rows},
        "tie_word_embeddings": tied,
        "vision_config": native_vision | _FIXED | {"model_type": "florence_vision"},
    }


def _recorded(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what this package records of a model; the entries are the same in both layouts."""
    return {name: config[name] for name in (TRAINED_CLASSES, OWN_TASKS) if name in config}


def is_tied(config: Mapping[str, Any]) -> bool:
    """Return whether the output head is the token embedding; of either layout, whose default it is."""
    parts = (config, config.get("text_config") or {})
    return all(part.get("tie_word_embeddings", True) for part in parts)


def _check_stages(vision: Mapping[str, Any], source: object) -> None:
    """Raise if the stages of the vision tower are not as many in each list, or are no whole numbers."""
    lists = {new: vision[new] for new, default in _VISION.values() if isinstance(default, list)}
    for name, values in lists.items():
        whole = isinstance(values, list) and all(_is_size(value) for value in values)
        if not whole or len(values) != len(lists["depths"]):
            raise ModelError(
                f"{source}: vision_config: {name} is {values}; it must have a whole number for each of the "
                f"{len(lists['depths']) if isinstance(lists['depths'], list) else 4} stages"
            )


def _is_size(value: object) -> bool:
    return isinstance(value, int) and value >= 0


def published_config(native: Mapping[str, Any], dtype: str) -> dict[str, Any]:
    """Return the config.json in Microsoft's layout of a native model.

    Args:
        native: its native config.json.
        dtype: type of the weights in the file.

    Raises:
        ModelError: it has a value that Microsoft's code cannot have.
    """
    text, vision = native["text_config"], native["vision_config"]
    other = [name for name, value in _FIXED.items() if vision.get(name, value) != value]
    if other:
        raise ModelError(
            f"vision_config.{other[0]} is {vision[other[0]]}, and Microsoft's code has {_FIXED[other[0]]} alone; "
            "export with --format transformers"
        )
    parts = {name: {"type": kind, size: vision[new]} for name, (kind, size, new) in _PARTS.items()}
    shared = {name: text.get(name, default) for name, default in _TEXT.items()}
    return _recorded(native) | {
        "architectures": ["Florence2ForConditionalGeneration"],
        "auto_map": {
            "AutoConfig": f"{CODE_SOURCE}--configuration_florence2.Florence2Config",
            "AutoModelForCausalLM": f"{CODE_SOURCE}--modeling_florence2.Florence2ForConditionalGeneration",
        },
        **{name: shared[name] for name in ("bos_token_id", "eos_token_id", "pad_token_id", "vocab_size")},
        "ignore_index": -100,
        "is_encoder_decoder": True,
        "model_type": "florence2",
        "projection_dim": vision["projection_dim"],
        "text_config": shared
        | {
            "is_encoder_decoder": True,
            "model_type": "florence2_language",
            "normalize_before": False,
            "num_hidden_layers": shared["encoder_layers"],
            "tie_word_embeddings": is_tied(native),
        },
        "tie_word_embeddings": is_tied(native),
        "torch_dtype": dtype,
        "vision_config": {old: vision[new] for old, (new, _) in _VISION.items()}
        | parts
        | {"image_feature_source": _FEATURES, "model_type": "davit"},
    }


def image_tokens(native: Mapping[str, Any], size: Mapping[str, int], source: object) -> int:
    """Return how many tokens an image becomes: one for each cell of the last grid, and their mean.

    Args:
        native: native config.json.
        size: ``height`` and ``width`` in pixels to which images are scaled.
        source: named in messages.

    Raises:
        ModelError: the grid is larger than the model's table of positions.
    """
    vision, cells = native["vision_config"], []
    for side in (size["height"], size["width"]):
        for kernel, stride, padding in zip(
            vision["patch_size"], vision["patch_stride"], vision["patch_padding"], strict=True
        ):
            side = (side + 2 * padding - kernel) // max(stride, 1) + 1
        cells.append(side)
    most = vision["max_position_embeddings"]
    if min(cells) < 1 or max(cells) > most:
        raise ModelError(
            f"{source}: images of {size['width']} x {size['height']} pixels become {cells[1]} x {cells[0]} cells, and "
            f"the model has positions for 1 to {most}; correct its size"
        )
    return cells[0] * cells[1] + 1


def native_image_processor(published: Mapping[str, Any], native: Mapping[str, Any], source: object) -> dict[str, Any]:
    """Return the native processor_config.json.

    Args:
        published: preprocessor_config.json of Microsoft's layout.
        native: native config.json.
        source: named in messages.

    Raises:
        ModelError: images are not scaled to one fixed size, or become another number of tokens than it states.
    """
    size = published.get("size")
    if not isinstance(size, dict) or not (_is_size(size.get("height")) and _is_size(size.get("width"))):
        raise ModelError(f"{source}: size is {size}; it must be a height and a width in pixels")
    count = image_tokens(native, size, source)
    stated = published.get("image_seq_length", count)
    if stated != count:
        raise ModelError(
            f"{source}: image_seq_length is {stated}, and images of {size['width']} x {size['height']} pixels become "
            f"{count} tokens by config.json; correct either file"
        )
    kept = {name: published[name] for name in _IMAGE_KEYS if name in published}
    return {
        "image_processor": kept
        | {"do_convert_rgb": True, "image_processor_type": "CLIPImageProcessor", "image_seq_length": count},
        "num_additional_image_tokens": 0,
        "post_processor_config": {kind: {} for kind in _ANSWERS},
        "processor_class": "Florence2Processor",
    }


_ANSWERS = (
    "bboxes",
    "description_with_bboxes",
    "description_with_bboxes_or_polygons",
    "description_with_polygons",
    "ocr",
    "phrase_grounding",
    "polygons",
    "pure_text",
)
"""Kinds of answers that the native processor parses."""


def published_image_processor(native: Mapping[str, Any]) -> dict[str, Any]:
    """Return preprocessor_config.json of Microsoft's layout for the image processor of a native model."""
    kept = {name: native[name] for name in (*_IMAGE_KEYS, "image_seq_length") if name in native}
    return {
        "auto_map": {"AutoProcessor": f"{CODE_SOURCE}--processing_florence2.Florence2Processor"},
        **kept,
        "do_convert_rgb": None,
        "image_processor_type": "CLIPImageProcessor",
        "processor_class": "Florence2Processor",
    }
