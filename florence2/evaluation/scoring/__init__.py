"""Score predictions of any model, made anywhere, from files."""
