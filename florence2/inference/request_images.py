"""Images as requests bring them, base64, a data URI, a URL or bytes, made ready for the model within limits."""

from __future__ import annotations

import base64
import binascii
import re
import threading
from collections.abc import Sequence

from florence2.config import LimitsConfig, core_count
from florence2.errors import ImageError, RequestError, TooLargeError
from florence2.images import ImageDefect, open_bytes
from florence2.inference.generation import Predictor, PreparedPrompt
from florence2.model import DECODED_PER_PIXEL
from florence2.storage import fetch_public

__all__ = ["RequestImageReader", "image_bytes"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_decoding = threading.BoundedSemaphore(core_count())
"""No more images are decoded at a time than there are cores, which bounds the memory too."""


class RequestImageReader:
    """Makes questions ready for a model; for any number of threads.

    Args:
        answerer: the model.
        limits: what a request may hold.
    """

    def __init__(self, answerer: Predictor, limits: LimitsConfig) -> None:
        self._answerer, self._limits = answerer, limits
        self._least_side = DECODED_PER_PIXEL * max(answerer.transform.size_wh)

    def read(self, questions: Sequence[tuple[str | bytes, str]]) -> list[PreparedPrompt]:
        """Return the questions of a request, ready for ``Predictor.predict_prepared``; one image is decoded once.

        Args:
            questions: images, see ``image_bytes``, with their prompts.

        Raises:
            RequestError: there are none, or an image cannot be had or decoded.
            TooLargeError: there are too many, or an image is too large.
            AnswerError: a prompt is not a task token with what belongs to it.
        """
        if not questions:
            raise RequestError("the request asks nothing; give an image and a prompt")
        if len(questions) > self._limits.max_questions:
            raise TooLargeError(
                f"{len(questions)} questions in one request, {self._limits.max_questions} may be; send several requests"
            )
        prefixes: dict[str | bytes, list[str]] = {}
        for image, prefix in questions:
            prefixes.setdefault(image, []).append(prefix)
        asked = {image: iter(self._read(image, own)) for image, own in prefixes.items()}
        return [next(asked[image]) for image, _ in questions]

    def _read(self, image: str | bytes, prefixes: Sequence[str]) -> list[PreparedPrompt]:
        data = image_bytes(image, self._limits)
        with _decoding:
            try:
                opened, size = open_bytes(data, self._least_side, self._limits.max_pixels)
            except ImageError as exc:
                kind = TooLargeError if exc.defect == ImageDefect.TOO_LARGE else RequestError
                raise kind(str(exc)) from exc
            return self._answerer.prepare(opened, prefixes, size)


def image_bytes(image: str | bytes, limits: LimitsConfig) -> bytes:
    """Return the file of an image.

    Args:
        image: its bytes; or a text: base64, a data URI with base64, or a URL of http or https.
        limits: how large it may be, and whether URLs are fetched.

    Raises:
        RequestError: it is none of these, or URLs are not fetched.
        TooLargeError: it is larger.
        TimeLimitError: a URL took longer than it may.
    """
    if isinstance(image, str):
        scheme = _SCHEME.match(image[:32])
        if scheme is None or scheme[0].lower() == "data:":
            image = _from_base64(image, limits)
        elif not limits.allow_urls:
            raise RequestError("image: images by URL are not fetched by this server; send the file as base64")
        else:
            image = fetch_public(image, most_bytes=limits.max_bytes, seconds=limits.url_seconds)
    if len(image) > limits.max_bytes:
        raise _too_large(limits)
    if not image:
        raise RequestError("image: empty, it has 0 bytes")
    return image


def _from_base64(text: str, limits: LimitsConfig) -> bytes:
    head, comma, encoded = text.partition(",") if text[:5].lower() == "data:" else ("", ",", text)
    if not comma or (head and not head.lower().endswith(";base64")):
        raise RequestError("image: a data URI must be data:image/...;base64,...")
    if len(encoded) * 3 // 4 > limits.max_bytes * 1.1:  # lines may be broken
        raise _too_large(limits)
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise RequestError("image: neither base64 nor a URL; send the file of the image as base64") from exc


def _too_large(limits: LimitsConfig) -> TooLargeError:
    return TooLargeError(f"image: more than {limits.max_upload_mb:g} MB; send a smaller file")
