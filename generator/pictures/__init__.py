"""Bytes to format and size, thumbnails, references and masks, and the mark "made by AI".

No Django, no network. An image that was made keeps its own bytes: they are read, cut at their end
and given a mark beside the pixels, never encoded anew. Thumbnails and masks are, and what is sent
to a model that would not take the bytes as they are.
"""

from generator.pictures.containers import Format
from generator.pictures.conversion import Form, converted
from generator.pictures.inspection import MAX_BYTES, MAX_PIXELS, Picture, inspect
from generator.pictures.marks import mark
from generator.pictures.masks import (
    blank_mask,
    is_painted,
    read_mask,
    resized_mask,
    transparent_mask,
)
from generator.pictures.ratios import RATIOS, nearest_ratio
from generator.pictures.references import as_reference, fitted
from generator.pictures.stripping import bare, bare_decodes
from generator.pictures.thumbnails import THUMBNAIL_EDGES, thumbnail
from generator.pictures.watermark import missing, watermarked

__all__ = [
    "MAX_BYTES",
    "MAX_PIXELS",
    "RATIOS",
    "THUMBNAIL_EDGES",
    "Form",
    "Format",
    "Picture",
    "as_reference",
    "bare",
    "bare_decodes",
    "blank_mask",
    "converted",
    "fitted",
    "inspect",
    "is_painted",
    "mark",
    "missing",
    "nearest_ratio",
    "read_mask",
    "resized_mask",
    "thumbnail",
    "transparent_mask",
    "watermarked",
]
