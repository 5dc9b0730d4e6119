"""The HTTP face: what is answered, what is refused, and with which status and sentence."""

from __future__ import annotations

import base64
import io
import json
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from florence2.adapters.model_lookup import NamedSource
from florence2.config import ModelConfig, ServingConfiguration
from florence2.inference.generation import Predictor
from florence2.inference.request_images import RequestImageReader
from florence2.serving.app import create_app

SETTINGS = ServingConfiguration(max_new_tokens=24, max_upload_mb=0.2, max_pixels=100_000, max_questions=4, queue=8)


def png(color: tuple[int, int, int] = (200, 30, 30), size: tuple[int, int] = (64, 48)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size, color).save(stream, "PNG")
    return stream.getvalue()


IMAGE = base64.b64encode(png()).decode()


def client_of(settings: ServingConfiguration) -> TestClient:
    return TestClient(
        create_app(NamedSource(ModelConfig(base="builtin:nano")), settings), raise_server_exceptions=False
    )


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_of(SETTINGS) as client:
        yield client


def post(client: TestClient, body: Any) -> Any:
    return client.post("/predict", json=body)


def test_a_question_is_answered_with_boxes_in_pixels_and_the_version(client: TestClient) -> None:
    reply = post(client, {"image": IMAGE, "prefix": "<OD>"})
    assert reply.status_code == 200
    content = reply.json()
    assert content["model"] == "builtin:nano"
    assert content["version"] == client.get("/version").json()["version"]
    (answer,) = content["answers"]
    assert (answer["width"], answer["height"]) == (64, 48)
    assert answer["boxes"], answer
    for box in answer["boxes"]:
        x_min, y_min, x_max, y_max = box["xyxy"]
        assert 0 <= x_min <= x_max <= 64
        assert 0 <= y_min <= y_max <= 48
        assert 0 < box["score"] <= 1
        assert box["class"]


def test_several_questions_are_answered_in_their_order(client: TestClient) -> None:
    blue = base64.b64encode(png((30, 30, 200), (32, 32))).decode()
    questions = [
        {"image": IMAGE, "prefix": "<CAPTION>"},
        {"image": blue, "prompt": "<OD>"},
        {"image": IMAGE, "prefix": "<OD>"},
    ]
    answers = post(client, {"questions": questions}).json()["answers"]
    assert [answer["width"] for answer in answers] == [64, 32, 64]
    assert "boxes" not in answers[0]
    assert answers[2] == post(client, questions[2]).json()["answers"][0]


def test_a_form_with_files_is_answered_like_json(client: TestClient) -> None:
    reply = client.post("/predict", files=[("image", png())], data={"prefix": ["<OD>", "<CAPTION>"]})
    assert reply.status_code == 200, reply.text
    body = {"questions": [{"image": IMAGE, "prefix": prefix} for prefix in ("<OD>", "<CAPTION>")]}
    assert reply.json() == post(client, body).json()


def test_the_type_of_a_form_may_be_written_in_capitals(client: TestClient) -> None:
    head = {"Content-Type": "Multipart/Form-Data; boundary=XX"}
    reply = client.post("/predict", content=b"--XX--\r\n", headers=head)
    assert (reply.status_code, "a form needs files" in reply.text) == (400, True)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, "the body: Invalid JSON"),
        (b"{", 400, "the body: Invalid JSON"),
        (b"\xff\xfe", 400, "the body: Invalid JSON"),
        (b"[" * 5000, 400, "the body: Invalid JSON"),
        ([], 400, "the body: Input should be an object"),
        ({}, 400, "questions.0.image: Field required"),
        ({"questions": []}, 400, "the request has no questions"),
        ({"image": IMAGE}, 400, "prefix: Field required"),
        ({"image": 7, "prefix": "<OD>"}, 400, "image: Input should be a valid string"),
        ({"image": IMAGE, "prefix": "<OD>", "temperature": 1}, 400, "temperature: Extra inputs are not permitted"),
        ({"image": IMAGE, "prefix": "OD"}, 400, "starts with no task token; known: <OD>"),
        ({"image": IMAGE, "prefix": "word " * 10_000}, 400, "prefix 'word word"),
        ({"image": "%%%", "prefix": "<OD>"}, 400, "neither base64 nor a URL"),
        ({"image": "aGVsbG8=", "prefix": "<OD>"}, 400, "not an image of a known format"),
        ({"image": IMAGE[:80], "prefix": "<OD>"}, 400, "image: "),
        ({"image": "http://localhost/a.png", "prefix": "<OD>"}, 400, "by URL are not fetched"),
        ({"image": base64.b64encode(png(size=(400, 400))).decode(), "prefix": "<OD>"}, 413, "160000"),
        (
            {"questions": [{"image": IMAGE, "prefix": "<OD>"}] * 5},
            413,
            "5 questions in one request, at most 4 are accepted",
        ),
        ({"image": "A" * 200_001, "prefix": "<OD>"}, 413, "more than 0.2 MB"),
    ],
)
def test_a_wrong_request_gets_its_status_and_a_sentence(
    client: TestClient, body: Any, status: int, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        reply = client.post("/predict", content=body) if isinstance(body, bytes) else post(client, body)
    assert reply.status_code == status, reply.text
    if not (status == 413 and sentence == "160000"):
        assert sentence in reply.json()["error"]
    assert "Traceback" not in reply.text
    assert len(reply.text) < 3000
    assert IMAGE[:30] not in reply.text
    assert caplog.text == ""


def test_a_wrong_form_gets_its_status_and_a_sentence(client: TestClient) -> None:
    for files, data, sentence in (
        ([("image", png())], {}, "one of them is missing"),
        ([("photo", png())], {"prefix": "<OD>"}, "photo is unknown"),
        ([("image", png())] * 5, {"prefix": "<OD>"}, "the form cannot be read: Too many files"),
    ):
        reply = client.post("/predict", files=files, data=data)
        assert reply.status_code == 400
        assert sentence in reply.json()["error"]


def test_an_upload_is_refused_before_and_while_it_arrives(client: TestClient) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1000):
            sent += 10_000
            yield b"x" * 10_000

    announced = client.post("/predict", content=b"", headers={"Content-Length": "100000000"})
    assert announced.status_code == 413
    assert "more than 0.2 MB" in announced.json()["error"]
    streamed = client.post("/predict", content=pieces())
    assert streamed.status_code == 413, streamed.text
    form = client.post("/predict", files=[("image", b"x" * 300_000)], data={"prefix": "<OD>"})
    assert form.status_code == 413


def test_operators_see_health_readiness_version_and_counts(client: TestClient) -> None:
    post(client, {"image": IMAGE, "prefix": "<OD>"})
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json() == {"status": "ready"}
    version = client.get("/version").json()
    assert version["problem"] is None
    text = client.get("/metrics").text
    lines = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(lines['florence2_requests_total{status="200"}']) >= 1
    assert lines["florence2_batch_size_count"] == lines['florence2_batch_size_bucket{le="+Inf"}']
    assert f'florence2_model_info{{name="builtin:nano",version="{version["version"]}"}}' in lines
    document = client.get("/openapi.json").json()
    body = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "multipart/form-data"}


def test_no_page_loads_from_another_host(client: TestClient) -> None:
    assert [client.get(page).status_code for page in ("/docs", "/redoc")] == [404, 404]


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Let the model wait until the event is set."""
    go = threading.Event()
    answer = Predictor.predict_prepared

    def waiting(self: Predictor, prepared: Sequence[Any]) -> Iterator[Any]:
        if self._config.max_new_tokens > 2:  # the warm-up goes on
            assert go.wait(30)
        yield from answer(self, prepared)

    monkeypatch.setattr(Predictor, "predict_prepared", waiting)
    yield go
    go.set()


def test_a_rush_gets_answers_or_a_time_to_come_back_and_nothing_is_lost(stopped: threading.Event) -> None:
    with client_of(SETTINGS) as client, ThreadPoolExecutor(40) as pool:
        posted = [pool.submit(post, client, {"image": IMAGE, "prefix": "<OD>"}) for _ in range(40)]
        wait(posted, return_when=FIRST_COMPLETED)  # while the model waits, the only answer is that there is no room
        stopped.set()
        replies = [future.result(60) for future in posted]
        statuses = [reply.status_code for reply in replies]
        assert set(statuses) == {200, 503}
        assert 8 <= statuses.count(200) < 40
        for reply in replies:
            if reply.status_code == 503:
                assert int(reply.headers["Retry-After"]) >= 1
                assert "again later" in reply.json()["error"]
        assert post(client, {"image": IMAGE, "prefix": "<OD>"}).status_code == 200
        text = client.get("/metrics").text
    assert f'florence2_requests_total{{status="503"}} {statuses.count(503)}' in text


def test_a_request_ends_at_its_time_limit(stopped: threading.Event) -> None:
    settings = SETTINGS.model_copy(update={"serving": SETTINGS.serving.model_copy(update={"request_seconds": 0.3})})
    before = set(threading.enumerate())
    with client_of(settings) as client:
        reply = post(client, {"image": IMAGE, "prefix": "<OD>"})
        stopped.set()
    assert reply.status_code == 504
    assert reply.json()["error"] == "no answer within 0.3 seconds"
    left = [thread for thread in set(threading.enumerate()) - before if thread.name == "florence2-batches"]
    assert not left, "the server ended while the model computed"


def test_a_question_without_a_client_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The images of a request are decoded in a thread, which goes on when its time has passed."""
    answered: list[str] = []
    given_up, decoded = threading.Event(), threading.Event()
    read, answer = RequestImageReader.read, Predictor.predict_prepared

    def slow(self: RequestImageReader, questions: Any) -> Any:
        prepared = read(self, questions)
        assert given_up.wait(30)
        decoded.set()
        return prepared

    def noted(self: Predictor, prepared: Sequence[Any]) -> Iterator[Any]:
        answered.extend(question.prefix for question in prepared if self._config.max_new_tokens > 2)
        yield from answer(self, prepared)

    monkeypatch.setattr(Predictor, "predict_prepared", noted)
    monkeypatch.setattr(RequestImageReader, "read", slow)
    settings = SETTINGS.model_copy(update={"serving": SETTINGS.serving.model_copy(update={"request_seconds": 1.0})})
    with client_of(settings) as client:
        assert post(client, {"image": IMAGE, "prefix": "<OD>"}).status_code == 504
        given_up.set()
        assert decoded.wait(10)
        time.sleep(0.2)
    assert answered == []


def test_a_model_that_fails_says_so_without_telling_what_was_sent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    answer = Predictor.predict_prepared

    def broken(self: Predictor, prepared: Sequence[Any]) -> Iterator[Any]:
        if self._config.max_new_tokens > 2:  # the warm-up goes well
            raise RuntimeError("the GPU fell off")
        yield from answer(self, prepared)

    monkeypatch.setattr(Predictor, "predict_prepared", broken)
    with client_of(SETTINGS) as client:
        reply = post(client, {"image": IMAGE, "prefix": "<VQA>the secret?"})
    assert reply.status_code == 500
    assert json.loads(reply.text) == {"error": "the model failed; the log of the server says more"}
    assert "the GPU fell off" in caplog.text
    assert IMAGE[:30] not in caplog.text
    assert "secret" not in caplog.text


def test_where_one_question_of_a_request_fails_its_others_leave_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    answered: list[str] = []
    go, answer = threading.Event(), Predictor.predict_prepared

    def broken(self: Predictor, questions: Sequence[Any]) -> Iterator[Any]:
        if self._config.max_new_tokens > 2:  # the warm-up goes well
            (question,) = questions
            answered.append(question.prefix)
            if question.prefix == "<OD>":
                raise RuntimeError("the GPU fell off")
            assert go.wait(30)
        yield from answer(self, questions)

    monkeypatch.setattr(Predictor, "predict_prepared", broken)
    one_at_a_time = SETTINGS.model_copy(update={"serving": SETTINGS.serving.model_copy(update={"max_batch": 1})})
    prefixes = ["<OD>", "<CAPTION>", "<DETAILED_CAPTION>", "<MORE_DETAILED_CAPTION>"]
    with client_of(one_at_a_time) as client:
        # The second may have been begun when the first has failed; the third and fourth wait behind it.
        reply = post(client, {"questions": [{"image": IMAGE, "prefix": prefix} for prefix in prefixes]})
        assert reply.status_code == 500
        assert "florence2_waiting 0" in client.get("/metrics").text
        go.set()
    assert answered in (["<OD>"], ["<OD>", "<CAPTION>"])
