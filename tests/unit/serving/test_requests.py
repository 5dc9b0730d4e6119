"""The body of a request: one question or a list of them, and errors that repeat nothing of what was sent."""

from __future__ import annotations

import pytest

from florence2.errors import RequestError
from florence2.serving.requests import questions_of_json


def test_one_question_and_a_list_of_them_are_read() -> None:
    assert questions_of_json(b'{"image": "aGk=", "prefix": "<OD>"}') == [("aGk=", "<OD>")]
    several = b'{"questions": [{"image": "a", "prefix": "<OD>"}, {"image": "b", "prompt": "<CAPTION>"}]}'
    assert questions_of_json(several) == [("a", "<OD>"), ("b", "<CAPTION>")]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body: "),
        (b'{"image": "secret"}', "questions.0.prefix: Field required"),
        (b'{"image": "secret", "prefix": 3}', "questions.0.prefix: "),
        (b'{"image": "secret", "prefix": "<OD>", "beams": 3}', "questions.0.beams: "),
    ],
)
def test_an_invalid_body_names_the_field_and_the_form_of_a_request(body: bytes, message: str) -> None:
    with pytest.raises(RequestError) as caught:
        questions_of_json(body)
    assert str(caught.value).startswith(message)
    assert 'send {"image": "<base64>", "prefix": "<OD>"}, or several: {"questions": [...]}' in str(caught.value)
    assert "secret" not in str(caught.value)
