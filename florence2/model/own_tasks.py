"""Tasks of a user's own in a model: recorded in its configuration, their new tokens in vocabulary and embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from florence2.codec import TaskTable, joined
from florence2.model.quiet import quiet_transformers

if TYPE_CHECKING:
    from florence2.model.florence import Florence2

__all__ = ["add_tasks", "new_token_ids"]


def add_tasks(florence2: Florence2, tasks: TaskTable) -> None:
    """Record tasks in a model, and give each new token an embedding: the mean of those of the words in its title.

    A token that the vocabulary has keeps its embedding, so that adding the same tasks twice changes nothing.

    Args:
        florence2: changed in place, the same way each time.
        tasks: its own ones are added to those that the model has.
    """
    if not tasks.own:
        return
    florence2.record_tasks(joined(florence2.tasks, tasks.own))
    tokenizer = florence2.tokenizer
    known = tokenizer.get_vocab()
    new = [task for task in florence2.tasks.own if task.new_token and task.token not in known]
    if not new:
        return
    import torch

    titles = tokenizer([task.title for task in new], add_special_tokens=False)["input_ids"]
    tokenizer.add_tokens([task.token for task in new], special_tokens=True)
    model: Any = florence2.model
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        with quiet_transformers():
            model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    weight = model.get_input_embeddings().weight
    with torch.no_grad():
        for task, words in zip(new, titles, strict=True):
            weight[tokenizer.convert_tokens_to_ids(task.token)] = weight[words].mean(dim=0)


def new_token_ids(florence2: Florence2, tasks: TaskTable) -> list[int]:
    """Return the rows of the embedding that belong to new tokens of tasks."""
    ids: list[int] = florence2.tokenizer.convert_tokens_to_ids([task.token for task in tasks.own if task.new_token])
    return ids
