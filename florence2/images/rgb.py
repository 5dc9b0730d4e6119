"""Images of every mode as RGB: what becomes of transparency, of more than 8 bits, and of other colours."""

from __future__ import annotations

from PIL import Image

__all__ = ["mode_of", "to_rgb"]

_WITH_ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


def to_rgb(image: Image.Image) -> Image.Image:
    """Return an image as a new one of 8-bit RGB.

    Transparency is laid over white, as viewers show it; 16-bit greyscale keeps its upper 8 bits instead of being
    clipped to white; palettes, greyscale and CMYK are converted.
    """
    if image.mode.startswith("I"):
        # Pillow would clip: every value above 255 would become white.
        import numpy as np  # half of the start of an image worker, which hardly ever meets such an image

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
    """Name how a file stores pixels: Pillow's mode, with ``+transparency`` where that does not tell of it.

    A palette can have transparent colours, and a PNG file can name one: "P+transparency", "RGB+transparency".
    """
    # Of more than 8 bits only the brightness is kept, see to_rgb.
    silent = image.mode not in _WITH_ALPHA and not image.mode.startswith("I")
    return f"{image.mode}+transparency" if silent and image.has_transparency_data else image.mode
