import struct
import tracemalloc
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageOps

from generator import pictures
from generator.errors import BadPicture
from tests.pictures.make import (
    encode,
    make_image,
    orientation_exif,
    png_chunk,
    raw_png,
)

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def opened(data):
    image = Image.open(BytesIO(data))
    assert image.format == "WEBP"
    return image


def four_quarters():
    image = Image.new("RGB", (200, 100), RED)
    image.paste(BLUE, (100, 0, 200, 50))
    image.paste(GREEN, (0, 50, 100, 100))
    return image


def near(found, wanted):
    return all(abs(a - b) <= 20 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize(
    ("size", "edge", "small"),
    [
        ((1000, 500), 480, (480, 240)),
        ((500, 1000), 480, (240, 480)),
        ((300, 200), 480, (300, 200)),
        ((2000, 1), 480, (480, 1)),
        ((1, 1), 480, (1, 1)),
    ],
)
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_the_longest_side_fits_and_nothing_is_enlarged(size, edge, small, format):
    data = encode(Image.new("RGB", size, RED), format)
    assert opened(pictures.thumbnail(data, edge=edge)).size == small


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("1", "PNG", {}),
        ("L", "PNG", {}),
        ("LA", "PNG", {}),
        ("P", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("I;16", "PNG", {}),
        ("L", "JPEG", {}),
        ("CMYK", "JPEG", {}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("P", "GIF", {"transparency": 3}),
        ("P", "PNG", {"transparency": bytes(range(256))}),
    ],
)
def test_every_kind_of_pixels_has_a_thumbnail(mode, format, options):
    data = encode(make_image(mode, (64, 48)), format, **options)
    assert opened(pictures.thumbnail(data, edge=32)).size == (32, 24)


def test_sixteen_bits_are_scaled_and_not_clipped():
    grey = Image.new("I;16", (20, 20), 128 * 257)
    found = opened(pictures.thumbnail(encode(grey, "PNG"), edge=10)).convert("RGB")
    assert near(found.getpixel((5, 5)), (128, 128, 128))


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_what_was_clear_stays_clear(format):
    image = Image.new("RGBA", (100, 100), (255, 0, 0, 255))
    image.paste((0, 0, 0, 0), (0, 0, 50, 100))
    options = {"lossless": True} if format == "WEBP" else {}
    found = opened(pictures.thumbnail(encode(image, format, **options), edge=50)).convert("RGBA")
    assert found.getpixel((5, 25))[3] == 0
    assert found.getpixel((45, 25))[3] == 255


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("turn", [*range(10), 99])
@pytest.mark.parametrize("big_endian", [False, True])
def test_an_image_is_turned_as_its_exif_says(format, turn, big_endian):
    data = encode(four_quarters(), format, exif=orientation_exif(turn, big_endian=big_endian))
    # Pillow's own reading of EXIF, which is not the one under test.
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    found = opened(pictures.thumbnail(data, edge=200))
    assert found.size == upright.size
    for across, down in ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9)):
        spot = (int(found.width * across), int(found.height * down))
        assert near(found.getpixel(spot), upright.getpixel(spot))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0II*\0", b"Exif\0\0??"]
)
def test_broken_exif_does_no_harm(exif):
    data = encode(four_quarters(), "JPEG", exif=exif)
    assert opened(pictures.thumbnail(data, edge=100)).size == (100, 50)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_colours_of_another_profile_are_brought_to_srgb(format):
    exchanged = _exchanged_profile()
    options = {"quality": 100} if format != "PNG" else {}
    data = encode(Image.new("RGB", (64, 64), RED), format, icc_profile=exchanged, **options)
    red, green, blue = opened(pictures.thumbnail(data, edge=32)).getpixel((16, 16))
    assert green > 200
    assert red < 60
    assert blue < 60


def test_a_profile_in_several_segments_is_put_together_in_order():
    profile = _exchanged_profile()
    halves = [(1, profile[:300]), (2, profile[300:])]
    segments = b"".join(_profile_segment(number, half) for number, half in reversed(halves))
    data = encode(Image.new("RGB", (64, 64), RED), "JPEG", quality=100)
    found = opened(pictures.thumbnail(data[:2] + segments + data[2:], edge=32))
    assert near(found.getpixel((16, 16)), GREEN)


def _profile_segment(number, body):
    body = b"ICC_PROFILE\0" + bytes([number, 2]) + body
    return b"\xff\xe2" + struct.pack(">H", len(body) + 2) + body


def test_a_profile_keeps_the_alpha():
    image = Image.new("RGBA", (64, 64), (255, 0, 0, 128))
    data = encode(image, "PNG", icc_profile=_exchanged_profile())
    assert abs(opened(pictures.thumbnail(data, edge=32)).getpixel((16, 16))[3] - 128) <= 2


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_a_profile_for_other_colours_or_none_at_all_is_passed_over(mode):
    rgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (b"no profile at all", rgb):
        data = encode(make_image(mode, (64, 48)), "JPEG", icc_profile=profile)
        assert opened(pictures.thumbnail(data, edge=32)).size == (32, 24)


def test_a_profile_that_unpacks_to_much_is_not_unpacked():
    bomb = png_chunk(b"iCCP", b"bomb\0\0" + zlib.compress(bytes(256 * 1024 * 1024), 1))
    data = raw_png(1, 1, packed=zlib.compress(bytes(4)), extra=bomb)
    tracemalloc.start()
    try:
        assert opened(pictures.thumbnail(data, edge=32)).size == (1, 1)
        assert tracemalloc.get_traced_memory()[1] < 32 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_thumbnail_carries_no_metadata_of_the_original():
    marked = pictures.mark(encode(make_image(), "PNG"), prompt="a secret")
    small = pictures.thumbnail(marked, edge=32)
    assert b"secret" not in small
    assert b"XMP " not in small


@pytest.mark.parametrize("data", [b"", b"no image", encode(make_image(), "JPEG")[:-9]])
def test_what_cannot_be_decoded_has_no_thumbnail(data):
    with pytest.raises(BadPicture):
        pictures.thumbnail(data, edge=32)


def _exchanged_profile():
    """sRGB with the tags of red and green exchanged: what it calls red is green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
