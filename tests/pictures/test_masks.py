"""A mask is black and white, as large as its image, and means the same wherever it came from."""

from io import BytesIO
from itertools import product

import pytest
from PIL import Image

from generator import pictures
from generator.errors import BadPicture
from tests.pictures.make import SVG, black_rows, encode, make_image, orientation_exif, raw_png

SIZE = (24, 16)
# Neither mirrored nor turned nor inverted is it the same.
PAINTED = (2, 3, 11, 7)


def drawn(mode="L", ground="black", ink="white"):
    image = Image.new(mode, SIZE, ground)
    image.paste(ink, PAINTED)
    return image


def opened(data):
    image = Image.open(BytesIO(data))
    image.load()
    return image


def read(image, format="PNG", **options):
    return opened(pictures.read_mask(encode(image, format, **options), width=24, height=16))


CANONICAL = drawn().tobytes()


def test_what_is_light_is_to_change():
    found = read(drawn())
    assert (found.format, found.mode, found.size) == ("PNG", "L", SIZE)
    assert found.tobytes() == CANONICAL


@pytest.mark.parametrize(
    ("image", "format", "options"),
    [
        (drawn("RGB"), "PNG", {}),
        (drawn("1", 0, 1), "PNG", {}),
        (drawn("I;16", 0, 65535), "PNG", {}),
        (drawn("LA", (0, 255), (255, 255)), "PNG", {}),
        (drawn("RGBA", "black", "white"), "PNG", {}),
        (drawn().convert("P"), "PNG", {}),
        (drawn().convert("P"), "GIF", {}),
        (drawn("RGB"), "WEBP", {"lossless": True}),
        (drawn("L", 127, 128), "PNG", {}),
        (drawn("RGB", "navy", "yellow"), "PNG", {}),
        (drawn("CMYK", (0, 0, 0, 255), (0, 0, 0, 0)), "JPEG", {"quality": 100}),
    ],
)
def test_every_kind_of_file_says_the_same(image, format, options):
    assert read(image, format, **options).tobytes() == CANONICAL


@pytest.mark.parametrize("ink", [(0, 0, 0, 255), (255, 0, 0, 128), "white"])
def test_in_an_image_with_transparency_what_is_painted_is_to_change(ink):
    """Whatever its colour: a brush is as good in black as it is in white."""
    assert read(drawn("RGBA", (255, 255, 255, 0), ink)).tobytes() == CANONICAL


def test_a_palette_with_a_clear_colour_is_transparency():
    image = drawn("P", 0, 1)
    image.putpalette([255, 255, 255, 0, 0, 0])
    assert read(image, transparency=0).tobytes() == CANONICAL


def test_a_mask_is_turned_as_its_exif_says():
    lying = drawn().transpose(Image.Transpose.ROTATE_90)
    assert read(lying, exif=orientation_exif(6)).tobytes() == CANONICAL


@pytest.mark.parametrize(
    ("size", "named"), [((16, 24), "16 × 24"), ((24, 17), "24 × 17"), ((12, 8), "12 × 8")]
)
def test_another_size_is_refused_and_both_are_named(size, named):
    data = encode(Image.new("L", size, "white"), "PNG")
    with pytest.raises(BadPicture, match=f"{named} .* 24 × 16"):
        pictures.read_mask(data, width=24, height=16)


@pytest.mark.parametrize("image", [Image.new("L", SIZE, 127), Image.new("RGBA", SIZE)])
def test_a_mask_with_nothing_painted_is_refused(image):
    with pytest.raises(BadPicture, match="Nothing is painted"):
        read(image)


@pytest.mark.parametrize("image", [Image.new("L", SIZE, 255), Image.new("RGBA", SIZE, "white")])
def test_a_mask_with_all_of_it_painted_is_taken(image):
    assert read(image).getextrema() == (255, 255)


@pytest.mark.parametrize(
    "data",
    [
        SVG,
        b"",
        b"no image",
        encode(drawn(), "PNG")[:-20],
        raw_png(30_000, 30_000, packed=black_rows(30_000, 3)),
        encode(make_image(), "GIF", save_all=True, append_images=[make_image("L")]),
    ],
)
def test_what_is_no_image_of_pixels_is_refused(data):
    with pytest.raises(BadPicture):
        pictures.read_mask(data, width=24, height=16)


def test_the_mask_for_openai_is_clear_where_the_image_is_to_change():
    found = opened(pictures.transparent_mask(encode(drawn(), "PNG")))
    assert (found.format, found.mode, found.size) == ("PNG", "RGBA", SIZE)
    assert [band.getextrema() for band in found.split()[:3]] == [(0, 0)] * 3
    assert found.getchannel("A").tobytes() == bytes(255 - value for value in CANONICAL)


@pytest.mark.parametrize("size", [(48, 32), (12, 8), (37, 5)])
def test_a_resized_mask_stays_black_and_white(size):
    found = opened(pictures.resized_mask(encode(drawn(), "PNG"), *size))
    assert (found.mode, found.size) == ("L", size)
    assert set(found.tobytes()) == {0, 255}


def test_a_resized_mask_covers_the_same_place():
    found = opened(pictures.resized_mask(encode(drawn(), "PNG"), 48, 32))
    assert found.getbbox() == (4, 6, 22, 14)


@pytest.mark.parametrize("at", [(0, 0), (1023, 2047), (510, 3), (777, 2046)])
@pytest.mark.parametrize("size", [(64, 128), (3, 5), (1023, 2047), (7, 4096), (2048, 3), (1, 1)])
def test_the_smallest_mark_survives_when_its_image_is_made_smaller(size, at):
    mask = Image.new("L", (1024, 2048))
    mask.putpixel(at, 255)
    found = opened(pictures.resized_mask(encode(mask, "PNG"), *size))
    assert found.size == size
    assert set(found.tobytes()) <= {0, 255}
    left, top, right, bottom = found.getbbox()
    assert left * 1024 <= (at[0] + 1) * size[0]
    assert right * 1024 >= at[0] * size[0]
    assert top * 2048 <= (at[1] + 1) * size[1]
    assert bottom * 2048 >= at[1] * size[1]


@pytest.mark.parametrize("size", [(12, 8), (7, 5), (23, 3), (24, 15), (1, 16)])
def test_made_smaller_a_pixel_is_to_change_if_any_under_it_is_and_no_other(size):
    mask = drawn()
    for spot in ((23, 0), (17, 12), (0, 15)):
        mask.putpixel(spot, 255)
    found = opened(pictures.resized_mask(encode(mask, "PNG"), *size))
    for x, y in product(range(size[0]), range(size[1])):
        under = (x * 24 // size[0], y * 16 // size[1],
                 -(-(x + 1) * 24 // size[0]), -(-(y + 1) * 16 // size[1]))  # fmt: skip
        assert found.getpixel((x, y)) == mask.crop(under).getextrema()[1]


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_a_blank_mask_is_as_large_as_its_image_and_all_black(format):
    found = opened(pictures.blank_mask(encode(make_image(), format)))
    assert (found.mode, found.size, found.getextrema()) == ("L", (40, 30), (0, 0))
