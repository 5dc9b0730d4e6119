"""Conversion of images of every mode to RGB: transparency, more than 8 bits, other colours."""

from __future__ import annotations

from PIL import Image

__all__ = ["mode_of", "to_rgb"]

_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image as a new one of 8-bit RGB.

    Transparent pixels become white, as viewers show them; 16-bit greyscale keeps its upper 8 bits instead of being
    clipped to white; palettes, greyscale and CMYK are converted.
    """
    if image.mode.startswith("I"):
        # Pillow would clip: every value above 255 would become white.
        import numpy as np  # half of the start of an image worker, which seldom gets such an image

        values = np.asarray(image)
        if image.mode == "I":
            values = np.clip(values, 0, 65535)
        return Image.fromarray((values >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def mode_of(image: Image.Image) -> str:
    """Return how a file stores pixels: Pillow's mode, with ``+transparency`` where the mode does not include it.

    A palette can have transparent colours, and a PNG file can name one: "P+transparency", "RGB+transparency".
    """
    # Images of more than 8 bits lose their transparency, see to_rgb.
    hidden = image.mode not in _WITH_ALPHA and not image.mode.startswith("I")
    return f"{image.mode}+transparency" if hidden and image.has_transparency_data else image.mode
