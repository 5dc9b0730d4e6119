"""The wide world of scenes that ``builtin:small`` is pretrained on, and what is asked about them."""
