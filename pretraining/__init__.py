"""How the built-in bases were made and measured; nothing in florence2 needs it."""
