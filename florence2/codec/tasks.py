"""The table of task tokens: what each requests, and how its answer is written.

Answers are of a few kinds; the kind decides how an annotation is checked, how an answer is parsed and which metrics
evaluate it. To support a task, add its entry.
Source of tokens and prompts: the task tables of Microsoft's Florence-2 processor, as kept by ``Florence2Processor``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from florence2.errors import AnswerError

__all__ = ["CLASS_TASKS", "FREE_PROMPT", "INPUT", "RESERVED", "TASKS", "AnswerKind", "Task", "TaskTable"]

FREE_PROMPT = "<ANY>"
"""What stands for the token of prompts that begin with none; no prompt is written with it."""

INPUT = "{input}"
"""Where the text after the token goes in a sentence."""

RESERVED = ("<s>", "</s>", "<pad>", "<unk>", "<mask>", "<image>")
"""Special tokens of the model's input and output: in a user's text the model would take them for control tokens."""


class AnswerKind(Enum):
    """How an answer is written."""

    BOXES = "boxes"
    """``class<loc><loc><loc><loc>...``"""
    ANSWER = "answer"
    """A short text that is correct or not: an answer to a question."""
    TEXT = "text"
    """Free text that is more or less correct: a caption, the text in the image."""
    PROPOSALS = "proposals"
    """Boxes without names, ``<loc><loc><loc><loc>...``"""
    QUADS = "quads"
    """Texts in the image, each followed by eight location tokens: the corners of its quadrilateral."""
    POLYGONS = "polygons"
    """The outlines of one object: two location tokens for each point, ``<sep>`` between outlines."""
    JSON = "json"
    """One JSON object: names with values."""


@dataclass(frozen=True)
class Task:
    """One task token.

    Attributes:
        token: the token, for example ``<OD>``.
        answer: how the answer is written.
        title: what it does, in words.
        takes_input: whether text follows the token in the prefix: a question, a phrase, a region.
        reads_text: whether the answer is read in the image, which must be large enough for that.
        sentence: what the model reads, with ``{input}`` for the text; empty: the processor has the sentence.
        metrics: names of those that evaluate it, the deciding one first; empty: those of the kind of its answers.
        new_token: whether the token is added to the vocabulary of a model that is trained on it.
    """

    token: str
    answer: AnswerKind
    title: str
    takes_input: bool = False
    reads_text: bool = False
    sentence: str = ""
    metrics: tuple[str, ...] = ()
    new_token: bool = False

    def prefix_with(self, text: str) -> str:
        """Return the prompt with a text, as a user writes it; where the task takes none, the text is left out."""
        if not self.takes_input:
            return self.token
        if self.token == FREE_PROMPT:
            return text
        return f"{self.token}{'' if self.token.endswith('>') else ' '}{text}"


@dataclass(frozen=True)
class TaskTable(Mapping[str, Task]):
    """Tasks by their token; it is not changed, so that models with different tasks can share a process.

    Attributes:
        tasks: in the order of documents and menus.
    """

    tasks: tuple[Task, ...]

    @cached_property
    def _by_token(self) -> dict[str, Task]:
        return {task.token: task for task in self.tasks}

    def __getitem__(self, token: str) -> Task:
        return self._by_token[token]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_token)

    def __len__(self) -> int:
        return len(self._by_token)

    @property
    def reserved(self) -> tuple[str, ...]:
        """Return what the text of a prompt must not hold: the tokens of all tasks, and ``RESERVED``."""
        return (*(name for name in self if name.startswith("<")), *RESERVED)

    def tokens_of(self, *kinds: AnswerKind) -> list[str]:
        """Return the tokens of the tasks whose answers are of one of these kinds."""
        return [task.token for task in self.tasks if task.answer in kinds]

    @property
    def own(self) -> tuple[Task, ...]:
        """Return the tasks that are not Florence-2's."""
        return tuple(task for task in self.tasks if task.sentence)

    @cached_property
    def _sentences(self) -> list[str]:
        """Return the names that are sentences, the longest first."""
        return sorted((name for name in self._by_token if not name.startswith("<")), key=len, reverse=True)

    def token_of(self, prefix: str) -> str:
        """Return the token, or the sentence of a task, with which a prefix begins.

        Returns:
            Empty where it begins with none; ``FREE_PROMPT`` where such prompts have a task. What looks like a token
            is never a free prompt, so that a misspelt token is found.
        """
        token = prefix[: prefix.find(">") + 1]
        if token in self._by_token and token != FREE_PROMPT:
            return token
        sentence = next((name for name in self._sentences if prefix.startswith(name)), "")
        if sentence or FREE_PROMPT not in self._by_token or not prefix.strip() or prefix.lstrip().startswith("<"):
            return sentence
        return FREE_PROMPT

    def task_of(self, prefix: str) -> Task:
        """Return the task of a prefix.

        Raises:
            AnswerError: as ``split_prefix``.
        """
        return self.split_prefix(prefix)[0]

    def split_prefix(self, prefix: str) -> tuple[Task, str]:
        """Split a prefix into its task and the text that follows the token.

        Args:
            prefix: for example ``"<OD>"`` or ``"<VQA>How many cards are there?"``.

        Returns:
            The task and the text after its token, without blanks at its ends.

        Raises:
            AnswerError: the prefix starts with no known task token, misses its input, or has one too many; or the
                text holds a task token or a reserved one, which the model would take for a control token.
        """
        token = self.token_of(prefix)
        if not token:
            raise AnswerError(f"prefix {prefix!r} starts with no task token; known: {', '.join(self)}")
        task, text = self[token], prefix.removeprefix(token).strip()
        if task.takes_input and not text:
            raise AnswerError(f"prefix {prefix!r} needs a text after {task.token}, for example a question")
        if text and not task.takes_input:
            raise AnswerError(f"prefix {prefix!r}: {task.token} takes no text after it, but {text!r} follows")
        stray = next((token for token in self.reserved if token in text), None)
        if stray is not None:
            raise AnswerError(f"prefix {prefix!r}: the text after {task.token} must not hold {stray}")
        return task, text

    def prompt_of(self, prefix: str) -> str:
        """Return a prefix in the form that the processor accepts.

        Returns:
            The sentence of the task with its text. Where the processor has the sentence: the token and its text without
            blanks around it.

        Raises:
            AnswerError: as ``split_prefix``.
        """
        task, text = self.split_prefix(prefix)
        return task.sentence.replace(INPUT, text) if task.sentence else task.token + text


TASKS = TaskTable(
    (
        Task("<OD>", AnswerKind.BOXES, "Find objects"),
        Task("<DENSE_REGION_CAPTION>", AnswerKind.BOXES, "Describe every region"),
        Task("<CAPTION_TO_PHRASE_GROUNDING>", AnswerKind.BOXES, "Find the phrases of a caption", takes_input=True),
        Task("<OPEN_VOCABULARY_DETECTION>", AnswerKind.BOXES, "Find what a text names", takes_input=True),
        Task("<REGION_PROPOSAL>", AnswerKind.PROPOSALS, "Propose regions"),
        Task("<OCR_WITH_REGION>", AnswerKind.QUADS, "Read the text and locate it", reads_text=True),
        Task("<REFERRING_EXPRESSION_SEGMENTATION>", AnswerKind.POLYGONS, "Outline what a text names", takes_input=True),
        Task("<REGION_TO_SEGMENTATION>", AnswerKind.POLYGONS, "Outline the object in a region", takes_input=True),
        Task("<VQA>", AnswerKind.ANSWER, "Answer a question", takes_input=True),
        Task("<DocVQA>", AnswerKind.ANSWER, "Answer a question about a document", takes_input=True, reads_text=True),
        Task("<REGION_TO_CATEGORY>", AnswerKind.ANSWER, "Name the object in a region", takes_input=True),
        Task("<REGION_TO_DESCRIPTION>", AnswerKind.TEXT, "Describe a region", takes_input=True),
        Task("<REGION_TO_OCR>", AnswerKind.TEXT, "Read the text in a region", takes_input=True, reads_text=True),
        Task("<CAPTION>", AnswerKind.TEXT, "Describe the image"),
        Task("<DETAILED_CAPTION>", AnswerKind.TEXT, "Describe the image in detail"),
        Task("<MORE_DETAILED_CAPTION>", AnswerKind.TEXT, "Describe the image in more detail"),
        Task("<OCR>", AnswerKind.TEXT, "Read the text", reads_text=True),
    )
)
"""The tasks of Florence-2 as Microsoft published it."""

CLASS_TASKS = ("<OD>",)
"""Tasks whose names belong to one list of classes; in other answers with boxes they are phrases, most used once."""
