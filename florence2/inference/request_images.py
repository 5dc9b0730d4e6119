"""Images of requests (base64, a data URI, a URL or bytes), decoded for the model within limits."""

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
"""As many images are decoded at a time as there are cores, which also bounds the memory."""


class RequestImageReader:
    """Prepares the prompts of requests for a model; any number of threads may use it.

    Args:
        answerer: the model.
        limits: numbers and sizes that a request may have.
    """

    def __init__(self, answerer: Predictor, limits: LimitsConfig) -> None:
        self._answerer, self._limits = answerer, limits
        self._least_side = DECODED_PER_PIXEL * max(answerer.transform.size_wh)

    def read(self, prompts: Sequence[tuple[str | bytes, str]]) -> list[PreparedPrompt]:
        """Return the prompts of a request for ``Predictor.predict_prepared``; an image is decoded once.

        Args:
            prompts: images, see ``image_bytes``, with their prompts.

        Raises:
            RequestError: there are none, or an image cannot be fetched or decoded.
            TooLargeError: there are too many, or an image is too large.
            AnswerError: a prompt does not begin with a task token, or lacks the input of its task.
        """
        if not prompts:
            raise RequestError("the request has no questions; give an image and a prompt")
        if len(prompts) > self._limits.max_questions:
            raise TooLargeError(
                f"{len(prompts)} questions in one request, at most {self._limits.max_questions} are accepted; "
                "send several requests"
            )
        prefixes: dict[str | bytes, list[str]] = {}
        for image, prefix in prompts:
            prefixes.setdefault(image, []).append(prefix)
        prepared = {image: iter(self._prepare(image, own)) for image, own in prefixes.items()}
        return [next(prepared[image]) for image, _ in prompts]

    def _prepare(self, image: str | bytes, prefixes: Sequence[str]) -> list[PreparedPrompt]:
        data = image_bytes(image, self._limits)
        with _decoding:
            try:
                opened, size = open_bytes(data, self._least_side, self._limits.max_pixels)
            except ImageError as exc:
                kind = TooLargeError if exc.defect == ImageDefect.TOO_LARGE else RequestError
                raise kind(str(exc)) from exc
            return self._answerer.prepare(opened, prefixes, size)


def image_bytes(image: str | bytes, limits: LimitsConfig) -> bytes:
    """Return the bytes of an image file.

    Args:
        image: its bytes; or a text: base64, a data URI with base64, or a URL of http or https.
        limits: largest size in bytes, and whether URLs are fetched.

    Raises:
        RequestError: it is none of these, or URLs are not fetched.
        TooLargeError: it is larger than allowed.
        TimeLimitError: a URL took longer than allowed.
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
    if len(encoded) * 3 // 4 > limits.max_bytes * 1.1:  # base64 may have line breaks
        raise _too_large(limits)
    try:
        return base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError) as exc:
        raise RequestError("image: neither base64 nor a URL; send the file of the image as base64") from exc


def _too_large(limits: LimitsConfig) -> TooLargeError:
    return TooLargeError(f"image: more than {limits.max_upload_mb:g} MB; send a smaller file")
