"""``python -m florence2.cli`` is the command ``florence2``."""

from florence2.cli import main

main()
