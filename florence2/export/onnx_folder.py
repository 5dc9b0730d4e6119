"""A folder that onnxruntime loads: three graphs, processor, model card."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from florence2.errors import ConfigurationError, ModelError
from florence2.export.exportable import Exportable
from florence2.model import quiet_transformers
from florence2.storage import atomic_folder

__all__ = ["check_installed", "export_onnx"]

_NEEDED = ("onnx", "onnxruntime", "onnxscript")


def check_installed() -> None:
    """Check that the packages that write and run graphs are installed.

    Raises:
        ConfigurationError: a package is missing.
    """
    if missing := [name for name in _NEEDED if importlib.util.find_spec(name) is None]:
        raise ConfigurationError(
            f"--format onnx needs {', '.join(missing)}; install it by: pip install 'florence2-finetune[onnx]'"
        )


def export_onnx(source: Exportable, output: Path) -> float:
    """Write a model as ONNX graphs with its processor and a ``README.md``, atomically.

    Args:
        source: the model.
        output: a new folder, or an empty one.

    Returns:
        The greatest difference between a logit of the graphs and of the model.

    Raises:
        ConfigurationError: the name is taken, the folder cannot be written, or the extra is not installed.
        ModelError: the graphs do not give the answers of the model; nothing is left.
    """
    check_installed()
    from florence2.export.onnx_agreement import TOLERANCE, measure_agreement
    from florence2.export.onnx_graphs import write_graphs

    florence2 = source.florence2
    tokens: Any = florence2.model.generation_config
    with atomic_folder(output) as folder:
        write_graphs(florence2, folder)
        with quiet_transformers():
            florence2.processor.save_pretrained(folder)
        found = measure_agreement(florence2, folder)
        if not found.good:
            raise ModelError(
                f"the graphs do not give the answers of the model: a logit differs by {found.difference:.2g}, at most "
                f"{TOLERANCE:g} is allowed; nothing was written, export with --format transformers"
            )
        source.write_card(
            folder,
            output.name,
            "load_onnx.md",
            start=tokens.decoder_start_token_id,
            end=tokens.eos_token_id,
            longest=florence2.max_tokens - 2,
            difference=f"{found.difference:.1e}",
            answers=found.answers,
        )
    return found.difference
