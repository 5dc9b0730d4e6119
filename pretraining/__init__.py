"""How the built-in base model ``builtin:nano`` was made and measured; nothing in florence2 needs it."""
