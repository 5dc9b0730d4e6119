"""Answers for images and prompts: the one path that evaluation, prediction and serving share."""

from __future__ import annotations

import threading
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from florence2.codec import CLASS_TASKS, AnswerKind, Detections, Task, parse_json
from florence2.config import EvaluationConfig
from florence2.datasets import tidy
from florence2.errors import AnswerError
from florence2.inference.image_loader import decoded_ahead
from florence2.inference.scoring import TokenReader, keep_confident, read_boxes, score_detections, suppress_duplicates
from florence2.model import Florence2, Sample

if TYPE_CHECKING:
    import torch

    from florence2.inference.decoding import Decoder, Generated, Grammar, Prompt
    from florence2.model import PixelTransform

__all__ = ["Prediction", "Predictor", "PreparedPrompt", "predict"]

_SORTED_BATCHES = 8
"""Batches whose rows are sorted together by the length of the expected answer; their features are in memory."""

_KEPT_PROMPTS = 1024
"""Prompts whose tokens are cached."""


@dataclass(frozen=True)
class Prediction:
    """What the model answered to one sample.

    Attributes:
        text: the answer without special tokens.
        detections: its boxes with confidence where the task requests boxes, else None.
        truncated: whether the answer hit the limit of its length and was cut.
        malformed: groups in it that are not valid boxes, see ``read_boxes``; of a task that requests JSON 1 where the
            answer is none; else 0.
        score: mean probability of its tokens in 0..1, with the end token and without the begin token.
        unseen: those class names of its boxes that the training of the model never saw, where that is recorded.
    """

    text: str
    detections: Detections | None
    truncated: bool = False
    malformed: int = 0
    score: float = 1.0
    unseen: frozenset[str] = frozenset()

    @property
    def defect(self) -> str:
        """Say what is malformed in the answer; empty if nothing is."""
        if not self.malformed:
            return ""
        boxes = self.detections is not None
        return f"{self.malformed} parts of the answer are not boxes" if boxes else "the answer is no JSON object"

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as JSON can hold it; boxes as ``class``, ``score`` and ``xyxy`` in pixels.

        A box of a class that the training never saw has ``"unseen": true`` besides.
        """
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
                | ({"unseen": True} if name in self.unseen else {})
                for name, score, corners in self.detections.rows()
            ]
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Return the answer of a dictionary, the inverse of ``to_dict`` up to rounding."""
        boxes = content.get("boxes")
        detections = None
        if boxes is not None:
            detections = Detections(
                np.array([box["xyxy"] for box in boxes], dtype=np.float32),
                tuple(box["class"] for box in boxes),
                np.array([box["score"] for box in boxes], dtype=np.float32),
            )
        unseen = frozenset(box["class"] for box in boxes or () if box.get("unseen"))
        return cls(content["text"], detections, content["truncated"], content["malformed"], content["score"], unseen)


@dataclass(frozen=True)
class PreparedPrompt:
    """A prompt with its decoded image, made by ``Predictor.prepare``.

    Attributes:
        pixels: at the model's size, uint8 (height, width, 3); the prompts of one image share the array.
        prefix: the text of the prompt.
        task: of the prompt.
        ids: its tokens, see ``Decoder.tokenize``.
        resolution_wh: width and height in pixels of the upright image as it was sent.
    """

    pixels: NDArray[np.uint8]
    prefix: str
    task: Task
    ids: list[int]
    resolution_wh: tuple[int, int]


class Predictor:
    """A model that answers many calls; what it needs besides its weights is made once.

    Only one thread at a time may call ``predict``, ``generate`` and ``predict_prepared``; any thread may call
    ``prepare``.

    Args:
        florence2: the model; moved to the GPU where there is one, and set to evaluation mode.
        config: batch size, how to decode, longest answer.

    Raises:
        ModelError: the model's processor or tokenizer is not Florence-2's.
    """

    def __init__(self, florence2: Florence2, config: EvaluationConfig) -> None:
        from florence2.inference.decoding import Decoder  # torch is slow to import: arguments are checked first

        self._config = config
        classes = florence2.trained_classes
        self._trained = None if classes is None else frozenset(classes)
        self._reader = TokenReader.of(florence2.tokenizer)
        self._decoder, self._grammars = Decoder(florence2, config), _Grammars(florence2, config, self._reader)
        self._tokenizing = threading.Lock()  # a tokenizer fails where two threads use it
        self._tokenize = lru_cache(_KEPT_PROMPTS)(lambda prompt: self._decoder.tokenize([prompt])[0])
        self.tasks = florence2.tasks
        self.transform: PixelTransform = self._decoder.transform

    def predict(self, samples: Sequence[Sample]) -> Iterator[Prediction]:
        """Answer samples in their order, see the function ``predict``."""
        for sample, generated in zip(samples, self.generate(samples), strict=True):
            yield self._read(generated, sample.task, sample.resolution_wh)

    def generate(self, samples: Sequence[Sample]) -> Iterator[Generated]:
        """Yield the tokens of the answer to each sample, in order, with their probabilities."""
        tasks = {sample.prefix: sample.task for sample in samples}
        decoder, size = self._decoder, self._config.eval_batch_size
        length = _SORTED_BATCHES * size
        chunks = [samples[start : start + length] for start in range(0, len(samples), length)]
        images_of = [list(dict.fromkeys(sample.image for sample in chunk)) for chunk in chunks]
        sources = [image for images in images_of for image in images]
        with closing(decoded_ahead(sources, decoder.transform, 2 * size)) as decoded:
            for chunk, images in zip(chunks, images_of, strict=True):
                prompts = _build_prompts(decoder, chunk, images, decoded, size)
                answers: dict[int, Generated] = {}
                for task, rows in _batches(chunk, prompts, tasks, size):
                    batch = [prompts[row] for row in rows]
                    answers |= zip(rows, decoder.generate(batch, self._grammars.of(task)), strict=True)
                yield from (answers[row] for row in range(len(chunk)))

    def prepare(
        self, image: Image.Image, prefixes: Sequence[str], resolution_wh: tuple[int, int]
    ) -> list[PreparedPrompt]:
        """Prepare prompts about an image for ``predict_prepared``.

        Args:
            image: RGB and upright, of any size.
            prefixes: the prompts.
            resolution_wh: width and height in pixels to which boxes are scaled.

        Raises:
            AnswerError: a prefix does not begin with a task token, lacks the input of its task, or is too long for the
                model.
        """
        with self._tokenizing:
            ids = [self._tokenize(self.tasks.prompt_of(prefix)) for prefix in prefixes]
        pixels = self.transform.shrink(image)
        tasks = map(self.tasks.task_of, prefixes)
        return [PreparedPrompt(pixels, *prompt, resolution_wh) for prompt in zip(prefixes, tasks, ids, strict=True)]

    def predict_prepared(self, prompts: Sequence[PreparedPrompt]) -> Iterator[tuple[int, Prediction]]:
        """Answer prepared prompts, those of one task in one batch; no answer depends on the other prompts.

        Yields:
            The index of a prompt and its answer, as soon as all answers of its task have ended.
        """
        decoded = list({id(prompt.pixels): prompt.pixels for prompt in prompts}.values())
        encoded: dict[int, tuple[torch.Tensor, int]] = {}
        for pixels, features in zip(decoded, self._decoder.encode_images(decoded), strict=True):
            encoded[id(pixels)] = features, zlib.crc32(pixels.tobytes())
        by_task: defaultdict[Task, list[int]] = defaultdict(list)
        for row, prompt in enumerate(prompts):
            by_task[prompt.task].append(row)
        # Tasks with short answers come first: their callers need not wait for long answers.
        for task in sorted(by_task, key=lambda task: task.answer is not AnswerKind.ANSWER):
            rows = by_task[task]
            batch = []
            for row in rows:
                features, seed = encoded[id(prompts[row].pixels)]
                batch.append(self._decoder.build_prompt(features, prompts[row].ids, prompts[row].prefix, seed))
            answers = self._decoder.generate(batch, self._grammars.of(task))
            for row, generated in zip(rows, answers, strict=True):
                yield row, self._read(generated, task, prompts[row].resolution_wh)

    def _read(self, generated: Generated, task: Task, resolution_wh: tuple[int, int]) -> Prediction:
        found = _read(generated, self._reader, task, resolution_wh, self._config)
        if self._trained is None or found.detections is None or task.token not in CLASS_TASKS:
            return found
        unseen = (name for name in found.detections.class_name if tidy(name) not in self._trained)
        return replace(found, unseen=frozenset(unseen))


def predict(florence2: Florence2, samples: Sequence[Sample], config: EvaluationConfig) -> Iterator[Prediction]:
    """Answer samples in their order.

    No answer depends on the other samples, their order or the batch size.

    Args:
        florence2: the model; moved to the GPU where there is one, and set to evaluation mode.
        samples: images with prompts; of the suffix only the length is used, to form batches.
        config: batch size, how to decode, longest answer.

    Yields:
        One prediction per sample.

    Raises:
        AnswerError: a prefix does not begin with a task token, or lacks the input of its task.
        DatasetError: an image cannot be decoded; names its file.
        ModelError: the model's processor or tokenizer is not Florence-2's.
    """
    yield from Predictor(florence2, config).predict(samples)


def _build_prompts(
    decoder: Decoder,
    chunk: Sequence[Sample],
    images: Sequence[Path | BinaryIO],
    decoded: Iterator[NDArray[np.uint8]],
    batch_size: int,
) -> list[Prompt]:
    """Take the images of a chunk from the iterator, encode each of them once, and join them with their prompts."""
    encoded: dict[Path | BinaryIO, tuple[torch.Tensor, int]] = {}
    for start in range(0, len(images), batch_size):
        batch = list(islice(decoded, min(batch_size, len(images) - start)))
        features = zip(decoder.encode_images(batch), (zlib.crc32(pixels.tobytes()) for pixels in batch), strict=True)
        encoded |= zip(images[start : start + batch_size], features, strict=True)
    rows = [encoded[sample.image] for sample in chunk]
    texts = [sample.prompt for sample in chunk]
    return decoder.build_prompts([features for features, _ in rows], texts, [seed for _, seed in rows])


def _batches(
    chunk: Sequence[Sample], prompts: Sequence[Prompt], tasks: dict[str, Task], size: int
) -> Iterator[tuple[Task, list[int]]]:
    """Yield the indices of rows of one task with answers and prompts of similar length, the longest first."""
    by_task: defaultdict[str, list[int]] = defaultdict(list)
    for row, sample in enumerate(chunk):
        by_task[tasks[sample.prefix].token].append(row)
    for rows in by_task.values():
        rows.sort(key=lambda row: (len(chunk[row].suffix), len(prompts[row].ids)), reverse=True)
        for start in range(0, len(rows), size):
            yield tasks[chunk[rows[0]].prefix], rows[start : start + size]


def _read(
    generated: Generated, reader: TokenReader, task: Task, resolution_wh: tuple[int, int], config: EvaluationConfig
) -> Prediction:
    text = reader.decode([token for token in generated.tokens if token not in reader.framing]).strip()
    own = [p for token, p in zip(generated.tokens, generated.probabilities, strict=True) if token != reader.begin]
    score = float(np.mean(own)) if own else 0.0
    if task.answer is not AnswerKind.BOXES:
        malformed = int(task.answer is AnswerKind.JSON and not _is_json(text))
        return Prediction(text, None, generated.truncated, malformed, score)
    boxes, malformed = read_boxes(generated.tokens, generated.probabilities, reader)
    detections = suppress_duplicates(score_detections(boxes, resolution_wh), config.duplicate_iou)
    detections = keep_confident(detections, config.min_confidence)
    return Prediction(text, detections, generated.truncated, malformed, score)


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except AnswerError:
        return False
    return True


class _Grammars:
    """The grammar of each task, made when it is first needed."""

    def __init__(self, florence2: Florence2, config: EvaluationConfig, reader: TokenReader) -> None:
        self._florence2, self._config, self._reader = florence2, config, reader
        self._made: dict[bool, Grammar] = {}
        self._json: Grammar | None = None

    def of(self, task: Task) -> Grammar | None:
        """Return the grammar of a task's answers; None where every answer is allowed."""
        if self._config.grammar == "off" or task.answer not in (AnswerKind.BOXES, AnswerKind.JSON):
            return None
        if task.answer is AnswerKind.JSON:
            self._json = self._json or self._make_json()
            return self._json
        only_classes = self._config.grammar == "classes" and task.token in CLASS_TASKS
        if only_classes not in self._made:
            self._made[only_classes] = self._make(only_classes)
        return self._made[only_classes]

    def _make_json(self) -> Grammar:
        from florence2.inference.json_grammar import JsonGrammar

        tokenizer, model = self._florence2.tokenizer, self._florence2.model
        config: Any = model.config
        vocabulary, begin, end = int(config.text_config.vocab_size), tokenizer.bos_token_id, tokenizer.eos_token_id
        return JsonGrammar(self._reader, vocabulary, len(tokenizer), begin, end, model.device)

    def _make(self, only_classes: bool) -> Grammar:
        from florence2.inference.grammar import BoxGrammar

        tokenizer, model = self._florence2.tokenizer, self._florence2.model
        config: Any = model.config
        names = tokenizer(list(self._config.classes), add_special_tokens=False)["input_ids"] if only_classes else ()
        vocabulary, device = int(config.text_config.vocab_size), model.device
        return BoxGrammar(self._reader, vocabulary, tokenizer.bos_token_id, tokenizer.eos_token_id, names, device)
