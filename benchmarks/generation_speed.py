"""Measure the generation against validation as roboflow/maestro 1.1.0rc1 does it, with the same weights.

    florence2 train --dataset=builtin:cards --epochs=10 --batch-size=8 --output runs
    python -m benchmarks.generation_speed --model runs/1 --data cards
    python -m benchmarks.generation_speed --model runs/1 --data builtin:cards --every-task

The peer has the processor of Hugging Face in its loop, three beams, and batches in the order of the samples, padded
to their longest answer; every score is 1. It runs with two batch sizes, its default of four and ours. Variants between
the peer and this package differ by one step each. The floor is the arithmetic that every greedy generation needs, on
prepared tensors and samples sorted by the length of their answers: images encoded (each for each of its prompts),
prompts encoded, a step of the decoder for each token.

All sides in turn, each once before it counts; medians over the repeats.
"""

from __future__ import annotations

import argparse
import os
import statistics
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache, EncoderDecoderCache

from benchmarks.scene_rows import BoxRows, box_rows, mean_average_precision, split_rows
from benchmarks.stopwatch import Spent, Stopwatch
from florence2.codec.answers import parse_detections
from florence2.codec.detections import Detections
from florence2.codec.tasks import TASKS
from florence2.config import EvaluationConfig
from florence2.images.files import open_rgb
from florence2.inference.generation import Predictor, predict
from florence2.model.florence import CACHE_ARGUMENT, Florence2, tokenize_prompts
from florence2.model.named import load_named
from florence2.model.pixels import PixelTransform
from florence2.model.processing import Sample

__all__ = ["main", "peer_answers"]

_PEERS_BATCH = 4
_FRAMING = ("<s>", "</s>", "<pad>")

Side = Callable[[], list[Detections]]


def peer_answers(
    florence2: Florence2, samples: Sequence[Sample], beams: int, batch_size: int, longest: int
) -> list[Detections]:
    """Answer as the peer does.

    Args:
        florence2: the model.
        samples: in the order of the data set.
        beams: 1 is greedy.
        batch_size: samples per batch.
        longest: tokens of an answer.
    """
    processor, model = _anything(florence2.processor), _anything(florence2.model).eval()
    found = []
    for start in range(0, len(samples), batch_size):
        batch = samples[start : start + batch_size]
        images, texts = (
            [open_rgb(sample.image) for sample in batch],
            [TASKS.prompt_of(sample.prefix) for sample in batch],
        )
        inputs = processor(images=images, text=texts, return_tensors="pt", padding=True)
        with torch.inference_mode():
            written = model.generate(**inputs, num_beams=beams, do_sample=False, max_new_tokens=longest)
        for sample, text in zip(
            batch, processor.tokenizer.batch_decode(written, skip_special_tokens=False), strict=True
        ):
            for token in _FRAMING:
                text = text.replace(token, "")
            boxes = parse_detections(text.strip(), sample.resolution_wh)
            found.append(Detections(boxes.xyxy, boxes.class_name, np.ones(len(boxes), dtype=np.float32)))
    return found


def _ours(florence2: Florence2, samples: Sequence[Sample], config: EvaluationConfig) -> list[Detections]:
    return [answer.detections or Detections.empty() for answer in predict(florence2, samples, config)]


def _floor(florence2: Florence2, samples: Sequence[Sample], config: EvaluationConfig) -> Callable[[], None]:
    """Prepare the bare arithmetic of the answers that a model gives, and return what does it."""
    model = _anything(florence2.model).eval()
    answers = list(Predictor(florence2, config).generate(samples))
    order = sorted(range(len(samples)), key=lambda row: -len(answers[row].tokens))
    transform = PixelTransform.of(florence2.processor)
    batches = []
    for start in range(0, len(order), config.eval_batch_size):
        rows = order[start : start + config.eval_batch_size]
        images = np.stack([transform.shrink(transform.open(samples[row].image)) for row in rows])
        questions = tokenize_prompts(florence2.processor, [samples[row].prompt for row in rows])
        ids = torch.nn.utils.rnn.pad_sequence([torch.tensor(question) for question in questions], batch_first=True)
        written = [torch.tensor(answers[row].tokens) for row in rows]
        lengths = [len(tokens) for tokens in written]
        tokens = torch.nn.utils.rnn.pad_sequence(written, batch_first=True)
        batches.append((transform.normalise(torch.from_numpy(images)), ids, tokens, lengths))

    @torch.inference_mode()
    def arithmetic() -> None:
        for pixels, ids, tokens, lengths in batches:
            language = model.model.language_model
            embedded = model.get_input_embeddings()(ids)
            features = model.model.get_image_features(pixels).pooler_output
            embedded[:, : features.shape[1]] = features
            hidden = language.encoder(inputs_embeds=embedded).last_hidden_state
            cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
            for step in range(tokens.shape[1]):
                going = sum(length > step for length in lengths)  # the samples are sorted by it
                if going < len(hidden):
                    hidden = hidden[:going]
                    cache.batch_select_indices(torch.arange(going))
                output = language.decoder(
                    input_ids=tokens[:going, step : step + 1], encoder_hidden_states=hidden, **{CACHE_ARGUMENT: cache}
                )
                model.lm_head(output.last_hidden_state).argmax(dim=-1)

    return arithmetic


def _anything(value: Any) -> Any:
    """Return a value as one of which type checkers know nothing: transformers' own types are in their way."""
    return value


def _timed(work: Callable[[], Any]) -> tuple[Any, Spent]:
    watch = Stopwatch()
    return work(), watch.lap()


def _table(florence2: Florence2, rows: BoxRows, options: argparse.Namespace) -> None:
    samples, longest, size = rows.samples, options.max_new_tokens, options.batch_size
    base = EvaluationConfig(eval_batch_size=size, max_new_tokens=longest)

    def ours(**changes: Any) -> Side:
        return lambda: _ours(florence2, samples, base.model_copy(update=changes))

    def peer(beams: int, batch_size: int) -> Side:
        return lambda: peer_answers(florence2, samples, beams, batch_size, longest)

    sides: dict[str, Side] = {
        f"peer: 3 beams, batches of {_PEERS_BATCH}": peer(3, _PEERS_BATCH),
        f"peer: 3 beams, batches of {size}": peer(3, size),
        f"peer, but greedy, batches of {size}": peer(1, size),
        "ours with 3 beams": ours(num_beams=3),
        "ours without grammar": ours(grammar="off"),
        "ours": ours(),
    }
    arithmetic = _floor(florence2, samples, base)
    found = {name: side() for name, side in sides.items()}
    arithmetic()
    spent: dict[str, list[Spent]] = {name: [] for name in (*sides, "floor")}
    for _ in range(options.repeats):
        for name, side in sides.items():
            spent[name].append(_timed(side)[1])
        spent["floor"].append(_timed(arithmetic)[1])
    reference = statistics.median(lap.cpu for lap in spent[f"peer: 3 beams, batches of {size}"])
    print("| | images/s | images per CPU second | times the peer's of the same batch | mAP | mAP50 |")
    print("|---|---|---|---|---|---|")
    for name, laps in spent.items():
        wall, cpu = (statistics.median(lap[kind] for lap in laps) for kind in (0, 1))
        scores = mean_average_precision(found[name], rows.truths) if name in found else {}
        quality = " | ".join(f"{scores[key]:.3f}" if scores else "" for key in ("map", "map50"))
        print(f"| {name} | {len(samples) / wall:.1f} | {len(samples) / cpu:.1f} | {reference / cpu:.2f} | {quality} |")


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="builtin:nano", help="any model that florence2 predict accepts")
    parser.add_argument("--data", default="shapes", help="cards, shapes, or a data set, see benchmarks.scene_rows")
    parser.add_argument("--images", type=int, default=300)
    parser.add_argument(
        "--every-task", action="store_true", help="all samples of the test split of a data set, in order"
    )
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--max-new-tokens", type=int, default=1022)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    torch.set_num_threads(1)
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    print(f"{options.model}, {options.data}, load {load}, {os.cpu_count()} cores, one thread")
    rows = split_rows(options.data) if options.every_task else box_rows(options.data, options.images, 0)
    _table(load_named(options.model), rows, options)


if __name__ == "__main__":
    main()
