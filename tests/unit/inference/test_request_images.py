"""Images of requests: what is taken, what is refused and why; and answers that do not depend on company."""

from __future__ import annotations

import base64
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from florence2.codec import task_table
from florence2.config import EvaluationConfig, LimitsConfig, ModelConfig, TaskConfig
from florence2.errors import AnswerError, RequestError, TooLargeError
from florence2.inference.generation import Predictor, predict
from florence2.inference.request_images import RequestImageReader, image_bytes
from florence2.model.base import load_base
from florence2.model.own_tasks import add_tasks
from florence2.model.processing import Sample

CONFIG = EvaluationConfig(max_new_tokens=24)
LIMITS = LimitsConfig(max_upload_mb=0.1, max_pixels=100_000, max_questions=4)


@pytest.fixture(scope="module")
def answerer() -> Predictor:
    return Predictor(load_base(ModelConfig(base="builtin:nano")), CONFIG)


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def square(color: tuple[int, int, int], size: tuple[int, int] = (200, 100)) -> bytes:
    pixels = np.full((size[1], size[0], 3), 230, dtype=np.uint8)
    pixels[20:60, 30:70] = color
    return encoded(Image.fromarray(pixels))


RED = square((200, 30, 30))


@pytest.mark.parametrize(
    "sent",
    [
        RED,
        base64.b64encode(RED).decode(),
        base64.encodebytes(RED).decode(),
        f"data:image/png;base64,{base64.b64encode(RED).decode()}",
    ],
    ids=["bytes", "base64", "base64 in lines", "data URI"],
)
def test_an_image_may_be_sent_so(sent: str | bytes) -> None:
    assert image_bytes(sent, LIMITS) == RED


@pytest.mark.parametrize(
    ("sent", "kind", "message"),
    [
        ("", RequestError, "0 bytes"),
        (b"", RequestError, "0 bytes"),
        ("not base64!", RequestError, "neither base64 nor a URL"),
        ("abc", RequestError, "neither base64 nor a URL"),
        ("data:image/png,abc", RequestError, "data:image/...;base64"),
        ("https://example.org/a.png?token=secret", RequestError, "by URL are not fetched"),
        ("file:///etc/passwd", RequestError, "by URL are not fetched"),
        (b"x" * 100_001, TooLargeError, "more than 0.1 MB"),
        ("A" * 200_000, TooLargeError, "more than 0.1 MB"),
    ],
)
def test_what_is_no_image_is_refused(sent: str | bytes, kind: type[RequestError], message: str) -> None:
    with pytest.raises(kind, match=message) as refused:
        image_bytes(sent, LIMITS)
    assert "secret" not in str(refused.value)


def test_only_http_is_fetched_where_urls_are_allowed() -> None:
    with pytest.raises(RequestError, match="only http and https"):
        image_bytes("file:///etc/passwd", LIMITS.model_copy(update={"allow_urls": True}))
    with pytest.raises(RequestError, match="not a public address"):
        image_bytes("http://127.0.0.1/a.png", LIMITS.model_copy(update={"allow_urls": True}))


def bomb(side: int) -> bytes:
    """Return a small PNG that announces, and has, side x side pixels."""

    def block(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    rows = zlib.compress(bytes(side // 8 + 1) * side, 9)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + block(b"IHDR", head) + block(b"IDAT", rows) + block(b"IEND", b"")


def test_a_decompression_bomb_is_not_decoded(answerer: Predictor) -> None:
    small = bomb(8_000)
    assert len(small) < 100_000
    with pytest.raises(TooLargeError, match="8000 x 8000 pixels, at most 100000 are decoded"):
        RequestImageReader(answerer, LIMITS).read([(small, "<OD>")])


def test_bytes_that_are_no_image_are_an_error_of_the_request(answerer: Predictor) -> None:
    with pytest.raises(RequestError, match="image: unreadable, not an image of a known format") as caught:
        RequestImageReader(answerer, LIMITS).read([(b"nothing", "<OD>")])
    assert type(caught.value) is RequestError


def test_a_request_has_questions_but_not_too_many(answerer: Predictor) -> None:
    reader = RequestImageReader(answerer, LIMITS)
    with pytest.raises(RequestError, match="the request has no questions"):
        reader.read([])
    with pytest.raises(TooLargeError, match="5 questions in one request, at most 4 are accepted"):
        reader.read([(RED, "<OD>")] * 5)


@pytest.mark.parametrize("prefix", ["<ODD>", "<VQA>", "<VQA>what <s>?", "<VQA>" + "word " * 2000])
def test_a_wrong_prompt_is_refused_before_it_waits(answerer: Predictor, prefix: str) -> None:
    with pytest.raises(AnswerError):
        RequestImageReader(answerer, LIMITS).read([(RED, prefix)])


def test_an_image_is_decoded_once_for_all_its_questions(answerer: Predictor) -> None:
    first, other, second = RequestImageReader(answerer, LIMITS).read(
        [(RED, "<OD>"), (square((30, 30, 200)), "<OD>"), (RED, "<CAPTION>")]
    )
    assert first.pixels is second.pixels
    assert first.pixels is not other.pixels
    assert (first.prefix, second.prefix) == ("<OD>", "<CAPTION>")


def test_boxes_are_those_of_the_upright_image_at_its_full_size(answerer: Predictor) -> None:
    turned = Image.new("RGB", (300, 200)).getexif()
    turned[0x0112] = 6
    sideways = encoded(Image.new("RGB", (300, 200)), "JPEG", exif=turned)
    (prepared,) = RequestImageReader(answerer, LIMITS).read([(sideways, "<OD>")])
    assert prepared.resolution_wh == (200, 300)


def test_answers_do_not_depend_on_company_and_are_those_of_prediction(answerer: Predictor, tmp_path: Path) -> None:
    colors = [(200, 30, 30), (30, 30, 200), (30, 160, 30), (220, 200, 40)]
    sent = [(square(color), prefix) for color in colors for prefix in ("<OD>", "<CAPTION>", "<VQA>what is it?")]
    reader = RequestImageReader(answerer, LIMITS)
    questions = [reader.read([question])[0] for question in sent]
    alone = [next(answerer.predict_prepared([question]))[1] for question in questions]
    together = dict(answerer.predict_prepared(questions[::-1]))
    files = [tmp_path / f"{number}.png" for number in range(len(sent))]
    for file, (image, _) in zip(files, sent, strict=True):
        file.write_bytes(image)
    samples = [Sample(file, prefix, "", (200, 100)) for file, (_, prefix) in zip(files, sent, strict=True)]
    predicted = list(predict(load_base(ModelConfig(base="builtin:nano")), samples, CONFIG))
    for index, one in enumerate(alone):
        other = together[len(sent) - 1 - index]
        for found in (other, predicted[index]):
            assert (one.text, one.truncated) == (found.text, found.truncated)
            assert one.score == pytest.approx(found.score, abs=1e-5)
        if one.detections is not None and other.detections is not None:
            np.testing.assert_array_equal(one.detections.xyxy, other.detections.xyxy)


def test_two_models_with_different_tasks_answer_in_one_process(answerer: Predictor) -> None:
    """No table is shared: what one model was trained on, the other must not accept."""
    model = load_base(ModelConfig(base="builtin:nano"))
    add_tasks(model, task_table({"<SHOP>": TaskConfig(sentence="Which shop is the {input} from?")}))
    other = Predictor(model, EvaluationConfig(max_new_tokens=4))
    image = Image.new("RGB", (20, 10))
    (prepared,) = other.prepare(image, ["<SHOP>bill"], image.size)
    (plain,) = answerer.prepare(image, ["<VQA>Which shop is the bill from?"], image.size)
    assert prepared.task.token == "<SHOP>"
    assert [text for _, text in other.predict_prepared([prepared])]
    assert prepared.ids != plain.ids
    with pytest.raises(AnswerError, match="starts with no task token"):
        answerer.prepare(image, ["<SHOP>bill"], image.size)
