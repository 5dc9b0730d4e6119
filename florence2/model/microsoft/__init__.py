"""Microsoft's own layout of Florence-2: names, files and weights, to the native layout and back."""
