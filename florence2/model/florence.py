"""Florence-2, the one model family of this package: its parts, and every constant that holds for it only.

What else in the package depends on the family is listed in ``docs/decisions/0006-one-model-family.md``. Location bins
and task tokens are the language of its answers and are in ``florence2.codec``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from packaging.version import Version

from florence2.codec import TASKS, TaskTable, dump_tasks, joined, parse_tasks
from florence2.errors import ModelError

if TYPE_CHECKING:
    from transformers import Florence2ForConditionalGeneration, Florence2Processor

__all__ = [
    "CACHE_ARGUMENT",
    "CHANNELS",
    "CODE_SOURCE",
    "EMBEDDING",
    "GENERATION_TOKENS",
    "HUB_BASE",
    "HUB_LARGE",
    "HUB_OWNER",
    "IN_MICROSOFTS_LAYOUT",
    "LEARNING_RATES",
    "LORA_TARGETS",
    "OWN_TASKS",
    "PARTS",
    "SMALL_PARAMETERS",
    "TRAINED_CLASSES",
    "Florence2",
    "part_of",
    "tasks_in",
    "tokenize_prompts",
]

HUB_OWNER = "florence-community"
"""Owner of the published models whose files native transformers loads."""

HUB_BASE = f"{HUB_OWNER}/Florence-2-base-ft"
"""Published model that messages and new projects recommend."""

HUB_LARGE = f"{HUB_OWNER}/Florence-2-large-ft"
"""The larger published model, for GPUs with more memory."""

IN_MICROSOFTS_LAYOUT = {name: name.replace(HUB_OWNER, "microsoft") for name in (HUB_BASE, HUB_LARGE)}
"""The same published models in Microsoft's own layout."""

CODE_SOURCE = IN_MICROSOFTS_LAYOUT[HUB_BASE]
"""Published model with Microsoft's own code, which its layout needs and native transformers does not."""

CACHE_ARGUMENT = "cache" if Version(version("transformers")) >= Version("5.24") else "past_key_values"
"""Argument of the decoder for the keys and values of earlier tokens; transformers 5.24 renamed it."""

PARTS = {"vision": "vision_tower", "projector": "multi_modal_projector", "language": "language_model"}
"""Name of each part in the names of its modules and parameters."""

LORA_TARGETS = {
    "language": rf".*{PARTS['language']}\.(encoder|decoder)\.layers\..*\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)",
    "vision": rf".*({PARTS['vision']}\.blocks\..*\.(qkv|proj|fc1|fc2)|{PARTS['projector']}\.image_projection)",
}
"""Names of linear layers for LoRA, as regular expressions: those of the language model; those of the vision tower and
of the projector behind it.

``fc1``, ``fc2`` and ``proj`` are names in both towers, so the expressions fit full names. BART calls the output of its
attention ``out_proj``.
"""

LORA_TARGETS["all"] = f"({LORA_TARGETS['language']}|{LORA_TARGETS['vision']})"

EMBEDDING = "shared"
"""Module with the token embedding, which is the output head too (tied)."""

CHANNELS = 3
"""Number of channels of the vision tower's input."""

GENERATION_TOKENS = ("bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id")
"""Values that are kept of a published generation configuration.

Florence-2 is published with three beams, no repeated trigram and a forced end token. The second prevents the same class
name and coordinates from occurring again, the third cuts an answer at its greatest length. The caller chooses how to
decode.
"""

SMALL_PARAMETERS = 20_000_000
"""Parameters below which a model counts as small: the built-in bases have 3 and 4 million, published ones over 200."""

LEARNING_RATES = {"lora": (4e-3, 1e-4), "full": (1e-3, 1e-5), "freeze": (1e-3, 1e-5)}
"""Peak learning rate of each strategy, for small models and for the others; at the former, a large one diverges."""


TRAINED_CLASSES = "trained_classes"
"""Entry of the model's configuration, see ``Florence2.trained_classes``."""

OWN_TASKS = "own_tasks"
"""Entry of the model's configuration, see ``Florence2.tasks``."""


@dataclass(frozen=True)
class Florence2:
    """A model with its processor.

    Attributes:
        model: the native Florence-2, or a PEFT model around it.
        processor: its processor: image transform and tokenizer.
        device: where it generates, in torch's words; ``auto``: on the GPU where there is one.
    """

    model: Florence2ForConditionalGeneration
    processor: Florence2Processor
    device: str = "auto"

    @property
    def tokenizer(self) -> Any:
        """Return the processor's tokenizer."""
        return self.processor.tokenizer

    @property
    def input_wh(self) -> tuple[int, int]:
        """Return width and height in pixels to which each image is scaled."""
        size: Any = self.processor.image_processor.size
        return int(size["width"]), int(size["height"])

    @property
    def tasks(self) -> TaskTable:
        """Return the tasks that its prompts may name: Florence-2's, and those of their users with which it was trained.

        They are an entry of the model's configuration, as ``trained_classes``.

        Raises:
            ModelError: the entry is damaged.
        """
        return tasks_in({OWN_TASKS: getattr(self.model.config, OWN_TASKS, ())})

    def record_tasks(self, tasks: TaskTable) -> None:
        """Record the tasks that its prompts may name."""
        setattr(self.model.config, OWN_TASKS, dump_tasks(tasks.own))

    @property
    def trained_classes(self) -> tuple[str, ...] | None:
        """Return the classes in the answers that it was fine-tuned on; None where that is not recorded.

        They are an entry of the model's configuration, so that they stay with it wherever it is saved.
        """
        config: Any = self.model.config
        found = getattr(config, TRAINED_CLASSES, None)
        return None if found is None else tuple(found)

    def record_classes(self, names: Iterable[str]) -> None:
        """Record classes that it was fine-tuned on, besides those that are recorded already."""
        setattr(self.model.config, TRAINED_CLASSES, sorted({*(self.trained_classes or ()), *names}))

    @property
    def max_tokens(self) -> int:
        """Return how many tokens an answer, or a prompt with its image, can have: the model's table of positions."""
        config: Any = self.model.config
        return int(config.text_config.max_position_embeddings)

    def count_answer_tokens(self, answers: Sequence[str]) -> list[int]:
        """Return the length of each answer in tokens, begin and end included."""
        return [len(ids) for ids in self.tokenizer(list(answers))["input_ids"]] if answers else []

    def count_prompt_tokens(self, prompts: Sequence[str]) -> list[int]:
        """Return the length of each prompt in tokens: image, question, begin and end."""
        return [len(ids) for ids in tokenize_prompts(self.processor, prompts)]


def tokenize_prompts(processor: Florence2Processor, prompts: Sequence[str]) -> list[list[int]]:
    """Encode prompts without their images: the ids that the processor gives with them, before padding.

    Args:
        processor: of the model; it replaces task tokens by Florence-2's own questions.
        prompts: n prompts as ``TaskTable.prompt_of`` returns them.

    Returns:
        n lists of ids, those of the image's tokens first; equal prompts share one list.
    """
    ours: Any = processor
    different = list(dict.fromkeys(prompts))
    questions = ours._construct_prompts(different)  # it has no public function
    ids = ours.tokenizer(questions)["input_ids"] if questions else []
    image = [ours.image_token_id] * ours.num_image_tokens
    encoded = {prompt: [*image, *question] for prompt, question in zip(different, ids, strict=True)}
    return [encoded[prompt] for prompt in prompts]


def tasks_in(configuration: Mapping[str, Any]) -> TaskTable:
    """Return the tasks of a model by its configuration.

    Raises:
        ModelError: the entry is damaged.
    """
    try:
        return joined(TASKS, parse_tasks(configuration.get(OWN_TASKS) or ()))
    except ValueError as exc:
        raise ModelError(f"the entry {OWN_TASKS} of the model's configuration is damaged ({exc}); remove it") from exc


def part_of(name: str) -> str:
    """Return the part, a key of ``PARTS``, to which a parameter belongs by its full name."""
    return next((part for part, module in PARTS.items() if module in name), "language")
