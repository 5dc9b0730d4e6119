"""The wide world of scenes that ``builtin:small`` is pretrained on, and their prompts and answers."""
