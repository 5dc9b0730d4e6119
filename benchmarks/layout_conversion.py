"""How long the conversion of a model of the shape of Florence-2-base takes, and how much memory.

    python -m benchmarks.layout_conversion /tmp/layout_conversion

The weights are random, in float16, as Microsoft publishes them: a pickle that holds the token embedding several times.
Needs 2 GB of disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file

from benchmarks.base_shape import save_base_shape
from florence2.model.base import load_folder
from florence2.model.microsoft.folder import write_native, write_published

__all__ = ["main"]

_WORDS = 50265
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")


def main() -> None:
    """Save the model in Microsoft's layout, convert it in a process of its own, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="new folder for the models")
    parser.add_argument("--convert", action="store_true", help="only convert what a first call has saved")
    words = parser.parse_args()
    published, native = words.folder / "published", words.folder / "native"
    if words.convert:
        started = time.monotonic()
        native.mkdir()
        write_native(published, native)
        seconds = time.monotonic() - started
        gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(json.dumps({"seconds": round(seconds, 1), "peak_gib": round(gigabytes, 2)}))
        return
    parameters = _save(words.folder / "first", published)
    command = [sys.executable, "-m", "benchmarks.layout_conversion", str(words.folder), "--convert"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    print(f"{parameters / 1e6:.0f} million parameters: {found['seconds']} s, at most {found['peak_gib']} GiB of memory")


def _save(first: Path, published: Path) -> int:
    """Save the model in Microsoft's layout, as a pickle with the copies of the token embedding."""
    model = load_folder(str(save_base_shape(first)))
    published.mkdir(parents=True)
    write_published(model, published, "float16")
    tensors = load_file(published / "model.safetensors")
    shared = tensors["language_model.model.shared.weight"]
    copies = ("model.encoder.embed_tokens", "model.decoder.embed_tokens", "lm_head")
    torch.save(tensors | {f"language_model.{name}.weight": shared for name in copies}, published / "pytorch_model.bin")
    (published / "model.safetensors").unlink()
    _enlarge_tokenizer(published)
    return sum(parameter.numel() for parameter in model.model.parameters())


def _enlarge_tokenizer(folder: Path) -> None:
    """Give the tokenizer as many tokens as Florence-2 has before Microsoft's processor adds its own."""
    for name in ("added_tokens.json", "tokenizer_config.json"):
        (folder / name).unlink()
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    added = {token["content"] for token in content["added_tokens"]}
    words = [text for text in sorted(content["model"]["vocab"], key=content["model"]["vocab"].get) if text not in added]
    words = [*_SPECIAL, *words]
    words += [f"word {index}" for index in range(_WORDS - len(words))]
    content["model"]["vocab"] = {text: index for index, text in enumerate(words)}
    kept = [token for token in content["added_tokens"] if token["content"] in _SPECIAL]
    content["added_tokens"] = [token | {"id": _SPECIAL.index(token["content"])} for token in kept]
    (folder / "tokenizer.json").write_text(json.dumps(content), encoding="utf-8")


if __name__ == "__main__":
    main()
