"""Unpack what came packed, a little at a time, so that whoever counts can stop it.

httpx unpacks a piece of any size at once, and as many times as the sender says: 2 kB that are
packed twice fill 3 GB of memory before anybody has counted them.
"""

import zlib
from collections.abc import Iterable, Iterator

STEP = 1024 * 1024  # bytes given out at once


def unpacked(chunks: Iterable[bytes], packing: str) -> Iterator[bytes]:
    """The bytes inside, by the words of a Content-Encoding header.

    Raises ValueError for any packing but one of gzip or deflate, for one that is broken and for
    one that is cut off.
    """
    match packing.strip().lower():
        case "" | "identity":
            yield from chunks
        case "gzip" | "x-gzip" | "deflate":
            yield from _inflated(chunks)
        case _:
            raise ValueError("a packing that nobody asked for")


def _inflated(chunks: Iterable[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj(wbits=47)  # finds out by itself which of the two it is
    is_empty = True  # a redirect may promise a packing and have no body at all
    try:
        for chunk in filter(None, chunks):
            is_empty = False
            rest, piece = chunk, b"."
            while rest or len(piece) == STEP:
                piece = inflate.decompress(rest, STEP)
                rest = inflate.unconsumed_tail
                yield piece
    except zlib.error as error:
        raise ValueError("a broken packing") from error
    if not (inflate.eof or is_empty):
        raise ValueError("a packing that is cut off")
