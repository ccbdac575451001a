"""Bytes to format and size, thumbnails, and the mark "made by AI". No Django, no network.

An image's own bytes are kept as they came: they are read, cut at their end and given a mark
beside the pixels, never encoded anew. Only thumbnails are.
"""

from generator.pictures.containers import Format
from generator.pictures.inspection import MAX_BYTES, MAX_PIXELS, Picture, inspect
from generator.pictures.marks import mark
from generator.pictures.ratios import RATIOS, nearest_ratio
from generator.pictures.thumbnails import THUMBNAIL_EDGES, thumbnail

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "RATIOS",
    "THUMBNAIL_EDGES",
    "Format",
    "Picture",
    "inspect",
    "mark",
    "nearest_ratio",
    "thumbnail",
]
