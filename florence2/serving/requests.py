"""Reads the body of a request to /predict: JSON with base64 or URLs, or a form with files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from florence2.errors import RequestError

if TYPE_CHECKING:
    from fastapi import Request

__all__ = ["OPENAPI_REQUEST", "questions_of_form", "questions_of_json"]


class _Question(BaseModel):
    model_config = ConfigDict(extra="forbid")

    image: str = Field(description="The file of an image as base64 or as a data URI; or a URL, where allowed.")
    prefix: str = Field(
        validation_alias=AliasChoices("prefix", "prompt"),
        description="The prompt: a task token and what belongs to it, <OD> or <VQA>How many?",
    )


class _PredictRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    questions: list[_Question]

    @model_validator(mode="before")
    @classmethod
    def _accept_one(cls, values: Any) -> Any:
        """Accept one question without the list around it."""
        if isinstance(values, dict) and "questions" not in values:
            return {"questions": [values]}
        return values

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Read the body of a request.

        Raises:
            RequestError: it is invalid; the message names the error and holds nothing of what was sent.
        """
        try:
            return cls.model_validate_json(body)
        except ValidationError as exc:
            problems = exc.errors(include_input=False, include_url=False, include_context=False)
            listed = "; ".join(f"{'.'.join(map(str, p['loc'])) or 'the body'}: {p['msg']}" for p in problems[:5])
            raise RequestError(
                f'{listed}; send {{"image": "<base64>", "prefix": "<OD>"}}, or several: {{"questions": [...]}}'
            ) from exc


OPENAPI_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "oneOf": [
                        _Question.model_json_schema(by_alias=False),
                        {
                            "type": "object",
                            "required": ["questions"],
                            "properties": {
                                "questions": {"type": "array", "items": _Question.model_json_schema(by_alias=False)}
                            },
                        },
                    ]
                }
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["image", "prefix"],
                    "properties": {
                        "image": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "prefix": {"type": "array", "items": {"type": "string"}},
                    },
                }
            },
        },
    }
}
"""The body of /predict in OpenAPI."""


def questions_of_json(body: bytes) -> list[tuple[str | bytes, str]]:
    """Return the images and prompts of a JSON body.

    Raises:
        RequestError: it is invalid.
    """
    return [(question.image, question.prefix) for question in _PredictRequest.read(body).questions]


async def questions_of_form(request: Request, most: int) -> list[tuple[str | bytes, str]]:
    """Return the images and prompts of a form: each of its files ``image`` with each of its fields ``prefix``.

    Args:
        request: its body is read here; files above a megabyte are kept on disk meanwhile.
        most: largest number of files, and of fields.

    Raises:
        RequestError: the form is damaged, or lacks one of them.
    """
    from starlette.datastructures import UploadFile
    from starlette.exceptions import HTTPException

    try:
        form = request.form(max_files=most, max_fields=most)
        async with form as fields:
            images = [await file.read() for file in fields.getlist("image") if isinstance(file, UploadFile)]
            prefixes = [text for name in ("prefix", "prompt") for text in fields.getlist(name) if isinstance(text, str)]
            other = set(fields) - {"image", "prefix", "prompt"}
    except HTTPException as exc:
        raise RequestError(f"the form cannot be read: {exc.detail}") from exc
    if other or not images or not prefixes:
        wrong = f"{', '.join(sorted(other))} is unknown" if other else "one of them is missing"
        raise RequestError(f"a form needs files 'image' and fields 'prefix'; {wrong}")
    return [(image, prefix) for image in images for prefix in prefixes]
