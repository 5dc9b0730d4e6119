"""Answers for images and prompts: the one path that evaluation, prediction and serving share."""

from __future__ import annotations

import threading
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from florence2.codec import CLASS_TASKS, TASKS, AnswerKind, Detections, Task, split_prefix
from florence2.config import EvaluationConfig
from florence2.inference.image_loader import decoded_ahead
from florence2.inference.scoring import TokenReader, read_boxes, score_detections, suppress_duplicates
from florence2.model import Florence2, Sample

if TYPE_CHECKING:
    import torch

    from florence2.inference.decoding import Decoder, Grammar, Question, Written
    from florence2.model import PixelTransform

__all__ = ["Asked", "Prediction", "Predictor", "predict"]

_SORTED_BATCHES = 8
"""Batches whose rows are sorted by the length of the answer that is expected; so many are in memory as features."""

_KEPT_PROMPTS = 1024
"""Prompts whose tokens are remembered."""


@dataclass(frozen=True)
class Prediction:
    """What the model answered to one sample.

    Attributes:
        text: the answer without special tokens.
        detections: its boxes with confidence where the task asks for boxes, else None.
        truncated: whether the answer hit the limit of its length and was cut.
        malformed: groups in it that should be a box and are none, see ``read_boxes``; 0 where no boxes are asked for.
        score: mean probability of its tokens, the end token included and the begin token not, in 0..1.
    """

    text: str
    detections: Detections | None
    truncated: bool = False
    malformed: int = 0
    score: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON can hold it; boxes as ``class``, ``score`` and ``xyxy`` in pixels."""
        content = {
            "text": self.text,
            "score": round(self.score, 6),
            "truncated": self.truncated,
            "malformed": self.malformed,
        }
        if self.detections is None:
            return content
        return content | {
            "boxes": [
                {"class": name, "score": round(score, 6), "xyxy": [round(value, 3) for value in corners]}
                for name, score, corners in self.detections.rows()
            ]
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return the answer of a dictionary, the inverse of ``to_dict`` up to what is rounded there."""
        boxes = content.get("boxes")
        detections = None
        if boxes is not None:
            detections = Detections(
                np.array([box["xyxy"] for box in boxes], dtype=np.float32),
                tuple(box["class"] for box in boxes),
                np.array([box["score"] for box in boxes], dtype=np.float32),
            )
        return cls(content["text"], detections, content["truncated"], content["malformed"], content["score"])


@dataclass(frozen=True)
class Asked:
    """A question about an image that is decoded already, made by ``Predictor.prepare``.

    Attributes:
        pixels: at the model's size, uint8 (height, width, 3); questions about one image share the array.
        prefix: the prompt.
        ids: of the prompt, see ``Decoder.encode``.
        resolution_wh: width and height in pixels of the upright image as it was sent.
    """

    pixels: NDArray[np.uint8]
    prefix: str
    ids: list[int]
    resolution_wh: tuple[int, int]


class Predictor:
    """A model that answers many calls: what it needs besides its weights is made once.

    One thread at a time may call ``predict``, ``write`` and ``answer``; ``prepare`` may be called by any.

    Args:
        florence2: the model; moved to the GPU where there is one, and put in evaluation mode.
        config: batch size, how to decode, longest answer.

    Raises:
        ModelError: the model's processor or tokenizer is not Florence-2's.
    """

    def __init__(self, florence2: Florence2, config: EvaluationConfig) -> None:
        from florence2.inference.decoding import Decoder  # what is asked for may be wrong: torch is loaded last

        self._config = config
        self._reader = TokenReader.of(florence2.tokenizer)
        self._decoder, self._grammars = Decoder(florence2, config), _Grammars(florence2, config, self._reader)
        self._tokenizing = threading.Lock()  # tokenizers fail where two threads use one
        self._encoded = lru_cache(_KEPT_PROMPTS)(lambda prefix: self._decoder.encode([prefix])[0])
        self.transform: PixelTransform = self._decoder.transform

    def predict(self, samples: Sequence[Sample]) -> Iterator[Prediction]:
        """Answer samples in their order, see the function ``predict``."""
        for sample, written in zip(samples, self.write(samples), strict=True):
            yield self._read(written, split_prefix(sample.prefix)[0], sample.resolution_wh)

    def write(self, samples: Sequence[Sample]) -> Iterator[Written]:
        """Answer samples in their order; yields the tokens of each answer with their probabilities."""
        tasks = {sample.prefix: split_prefix(sample.prefix)[0] for sample in samples}
        decoder, size = self._decoder, self._config.eval_batch_size
        length = _SORTED_BATCHES * size
        chunks = [samples[start : start + length] for start in range(0, len(samples), length)]
        seen = [list(dict.fromkeys(sample.image for sample in chunk)) for chunk in chunks]
        sources = [image for images in seen for image in images]
        with closing(decoded_ahead(sources, decoder.transform, 2 * size)) as decoded:
            for chunk, images in zip(chunks, seen, strict=True):
                questions = _questions(decoder, chunk, images, decoded, size)
                answers: dict[int, Written] = {}
                for task, rows in _batches(chunk, questions, tasks, size):
                    batch = [questions[row] for row in rows]
                    answers |= zip(rows, decoder.write(batch, self._grammars.of(task)), strict=True)
                yield from (answers[row] for row in range(len(chunk)))

    def prepare(self, image: Image.Image, prefixes: Sequence[str], resolution_wh: tuple[int, int]) -> list[Asked]:
        """Make questions about an image ready for ``answer``.

        Args:
            image: RGB and upright, of any size.
            prefixes: the prompts.
            resolution_wh: width and height in pixels in which boxes are answered.

        Raises:
            AnswerError: a prefix is not a task token with what belongs to it, or too long for the model.
        """
        with self._tokenizing:
            ids = [self._encoded(prefix) for prefix in prefixes]
        pixels = self.transform.shrink(image)
        return [Asked(pixels, *question, resolution_wh) for question in zip(prefixes, ids, strict=True)]

    def answer(self, asked: Sequence[Asked]) -> Iterator[tuple[int, Prediction]]:
        """Answer questions, all of one task together; what one is answered does not depend on the others.

        Yields:
            The place of a question and its answer, as soon as those of its task have ended.
        """
        decoded = list({id(question.pixels): question.pixels for question in asked}.values())
        features: dict[int, tuple[torch.Tensor, int]] = {}
        for pixels, seen in zip(decoded, self._decoder.see(decoded), strict=True):
            features[id(pixels)] = seen, zlib.crc32(pixels.tobytes())
        by_task: defaultdict[str, list[int]] = defaultdict(list)
        for row, question in enumerate(asked):
            by_task[split_prefix(question.prefix)[0].token].append(row)
        # Short answers come first: who waits for one does not wait for a long one.
        for token in sorted(by_task, key=lambda token: TASKS[token].answer is not AnswerKind.ANSWER):
            rows = by_task[token]
            batch = []
            for row in rows:
                seen, seed = features[id(asked[row].pixels)]
                batch.append(self._decoder.question(seen, asked[row].ids, asked[row].prefix, seed))
            written = self._decoder.write(batch, self._grammars.of(TASKS[token]))
            for row, answer in zip(rows, written, strict=True):
                yield row, self._read(answer, TASKS[token], asked[row].resolution_wh)

    def _read(self, written: Written, task: Task, resolution_wh: tuple[int, int]) -> Prediction:
        return _read(written, self._reader, task, resolution_wh, self._config)


def predict(florence2: Florence2, samples: Sequence[Sample], config: EvaluationConfig) -> Iterator[Prediction]:
    """Answer samples in their order.

    What a sample is answered does not depend on the others, their order, or the size of batches.

    Args:
        florence2: the model; moved to the GPU where there is one, and put in evaluation mode.
        samples: images with prompts; of their suffix only the length counts, for putting batches together.
        config: batch size, how to decode, longest answer.

    Yields:
        One prediction per sample.

    Raises:
        AnswerError: a prefix is not a task token with what belongs to it.
        DatasetError: an image cannot be decoded; names its file.
        ModelError: the model's processor or tokenizer is not Florence-2's.
    """
    yield from Predictor(florence2, config).predict(samples)


def _questions(
    decoder: Decoder,
    chunk: Sequence[Sample],
    images: Sequence[Path | BinaryIO],
    decoded: Iterator[NDArray[np.uint8]],
    batch_size: int,
) -> list[Question]:
    """Take the images of a chunk from the iterator, see each of them once, and join them with their prompts."""
    features: dict[Path | BinaryIO, tuple[torch.Tensor, int]] = {}
    for start in range(0, len(images), batch_size):
        batch = list(islice(decoded, min(batch_size, len(images) - start)))
        seen = zip(decoder.see(batch), (zlib.crc32(pixels.tobytes()) for pixels in batch), strict=True)
        features |= zip(images[start : start + batch_size], seen, strict=True)
    rows = [features[sample.image] for sample in chunk]
    return decoder.ask([row[0] for row in rows], [sample.prefix for sample in chunk], [row[1] for row in rows])


def _batches(
    chunk: Sequence[Sample], questions: Sequence[Question], tasks: dict[str, Task], size: int
) -> Iterator[tuple[Task, list[int]]]:
    """Yield rows of one task whose answers and prompts are of like length, the longest first."""
    by_task: defaultdict[str, list[int]] = defaultdict(list)
    for row, sample in enumerate(chunk):
        by_task[tasks[sample.prefix].token].append(row)
    for rows in by_task.values():
        rows.sort(key=lambda row: (len(chunk[row].suffix), len(questions[row].ids)), reverse=True)
        for start in range(0, len(rows), size):
            yield tasks[chunk[rows[0]].prefix], rows[start : start + size]


def _read(
    written: Written, reader: TokenReader, task: Task, resolution_wh: tuple[int, int], config: EvaluationConfig
) -> Prediction:
    text = reader.decode([token for token in written.tokens if token not in reader.framing]).strip()
    own = [p for token, p in zip(written.tokens, written.probabilities, strict=True) if token != reader.begin]
    score = float(np.mean(own)) if own else 0.0
    if task.answer is not AnswerKind.BOXES:
        return Prediction(text, None, written.truncated, score=score)
    boxes, malformed = read_boxes(written.tokens, written.probabilities, reader)
    detections = suppress_duplicates(score_detections(boxes, resolution_wh), config.duplicate_iou)
    return Prediction(text, detections, written.truncated, malformed, score)


class _Grammars:
    """The grammar of each task, made when it is first needed."""

    def __init__(self, florence2: Florence2, config: EvaluationConfig, reader: TokenReader) -> None:
        self._florence2, self._config, self._reader = florence2, config, reader
        self._made: dict[bool, Grammar] = {}

    def of(self, task: Task) -> Grammar | None:
        """Return the grammar of a task's answers; None where they are free."""
        if self._config.grammar == "off" or task.answer is not AnswerKind.BOXES:
            return None
        closed = self._config.grammar == "classes" and task.token in CLASS_TASKS
        if closed not in self._made:
            self._made[closed] = self._make(closed)
        return self._made[closed]

    def _make(self, closed: bool) -> Grammar:
        from florence2.inference.grammar import BoxGrammar

        tokenizer, model = self._florence2.tokenizer, self._florence2.model
        config: Any = model.config
        names = tokenizer(list(self._config.classes), add_special_tokens=False)["input_ids"] if closed else ()
        vocabulary, device = int(config.text_config.vocab_size), model.device
        return BoxGrammar(self._reader, vocabulary, tokenizer.bos_token_id, tokenizer.eos_token_id, names, device)
