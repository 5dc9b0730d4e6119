"""Task tokens: a prefix is split into its task and its text, and a text that holds a token is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from florence2.codec.tasks import RESERVED, TASKS
from florence2.errors import AnswerError

# Hypothesis takes texts out of the code, also tokens, and those have a meaning of their own.
plain_texts = st.text(min_size=1).filter(
    lambda text: bool(text.strip()) and not any(token in text for token in (*TASKS, *RESERVED))
)


@given(st.sampled_from(sorted(TASKS)), plain_texts)
def test_prefix_is_split_into_token_and_text(token: str, text: str) -> None:
    if TASKS[token].takes_input:
        assert TASKS.split_prefix(token + text) == (TASKS[token], text.strip())
        with pytest.raises(AnswerError, match="needs a text"):
            TASKS.split_prefix(token)
    else:
        assert TASKS.split_prefix(token) == (TASKS[token], "")
        with pytest.raises(AnswerError, match="takes no text"):
            TASKS.split_prefix(token + text)


@pytest.mark.parametrize("prefix", ["", "OD", "<od>", "<NOPE>", "what? <VQA>", "<OD"])
def test_unknown_task(prefix: str) -> None:
    with pytest.raises(AnswerError, match="no task token; known: <OD>"):
        TASKS.split_prefix(prefix)


@pytest.mark.parametrize("prefix", ["<OD> ", "<VQA> what is it?"])
def test_blanks_around_a_prompt_do_no_harm(prefix: str) -> None:
    assert TASKS.prompt_of(prefix) == prefix.strip().replace("> ", ">")


def test_a_prompt_without_a_task_is_refused() -> None:
    with pytest.raises(AnswerError, match=r"starts with no task token"):
        TASKS.prompt_of("what is it?")
