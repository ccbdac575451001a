"""References lose what tells of people and places, and nothing that can be seen."""

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageCms, ImageOps

from generator import pictures
from generator.errors import BadPicture
from tests.pictures.make import (
    SVG,
    black_rows,
    colours,
    encode,
    make_image,
    orientation_exif,
    pixels,
    png_chunk,
    raw_png,
)

PLACE = b"52.520008N 13.404954E"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ALL = {"formats": ("png", "jpeg", "webp"), "most_bytes": 20_000_000, "most_pixels": 40_000_000}
ALL["longest_side"] = 16_384


def opened(data):
    image = Image.open(BytesIO(data))
    image.load()
    return image


def fitted(data, **limits):
    return pictures.fitted(data, **{**ALL, **limits})


def exif_of_a_place():
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()  # a description
    exif.get_ifd(0x8825)[29] = "2026:11:21"  # the day, beside a place
    return exif.tobytes()


def told(format, **options):
    """An image whose file tells of a place in every way that the format has."""
    more = {"exif": exif_of_a_place(), "xmp": b"<x>" + PLACE + b"</x>", "icc_profile": PROFILE}
    if format == "PNG":
        more.pop("xmp")
    data = encode(make_image(), format, **more, **options)
    match format:
        case "PNG":
            chunks = png_chunk(b"tEXt", b"Comment\0" + PLACE) + png_chunk(b"teLL", PLACE)
            data = data[:33] + chunks + data[33:]
        case "JPEG":
            maker = b"\xff\xed" + struct.pack(">H", len(PLACE) + 2) + PLACE
            comment = b"\xff\xfe" + struct.pack(">H", len(PLACE) + 2) + PLACE
            data = data[:2] + maker + comment + data[2:]
        case "WEBP":
            chunk = b"TELL" + struct.pack("<I", len(PLACE)) + PLACE + b"\0" * (len(PLACE) % 2)
            data = data[:4] + struct.pack("<I", len(data) - 8 + len(chunk)) + data[8:] + chunk
    assert PLACE in data
    return data


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("way", [pictures.as_reference, fitted])
def test_nothing_that_tells_of_people_and_places_is_kept(format, way):
    data = told(format)
    found = way(data)
    assert PLACE not in found.data
    assert not opened(found.data).getexif()
    assert pictures.inspect(found.data) == found


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_what_is_upright_keeps_its_pixels_and_its_colour_profile(format):
    found = pictures.as_reference(told(format))
    assert found.format == format.lower()
    assert pixels(found.data) == pixels(told(format))
    assert opened(found.data).info["icc_profile"] == PROFILE


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("1", "PNG", {}),
        ("LA", "PNG", {}),
        ("I;16", "PNG", {}),
        ("P", "PNG", {"transparency": bytes(range(256))}),
        ("L", "JPEG", {}),
        ("CMYK", "JPEG", {}),
        ("RGB", "JPEG", {"progressive": True}),
        ("RGB", "WEBP", {}),
        ("RGBA", "WEBP", {}),
        ("RGBA", "WEBP", {"lossless": True}),
    ],
)
def test_every_kind_of_pixels_is_kept(mode, format, options):
    data = encode(make_image(mode), format, **options)
    kept = pictures.as_reference(data)
    assert pixels(kept.data) == pixels(data)
    assert pictures.as_reference(kept.data) == kept
    assert fitted(kept.data) == kept


def test_a_small_copy_hidden_in_the_header_is_left_out():
    """An editor that cropped the image may have left the whole of it there."""
    data = encode(make_image(), "JPEG")
    small = b"JFXX\0\x10" + PLACE
    jfxx = b"\xff\xe0" + struct.pack(">H", len(small) + 2) + small
    head = data[6:18] + b"\x01\x01\xaa\xbb\xcc"
    jfif = b"\xff\xe0" + struct.pack(">H", len(head) + 2) + head
    for start in (data[:20] + jfxx, data[:2] + jfif):
        found = pictures.as_reference(start + data[20:])
        assert PLACE not in found.data
        assert b"\xaa\xbb\xcc" not in found.data
        assert pixels(found.data) == pixels(data)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_what_only_pretends_to_be_a_colour_profile_is_left_out(format):
    data = encode(make_image(), format, icc_profile=PLACE * 10)
    found = pictures.as_reference(data)
    assert "icc_profile" not in opened(found.data).info
    assert PLACE not in found.data
    assert pixels(found.data) == pixels(data)


@pytest.mark.parametrize(("profile", "flag"), [(PROFILE, 0x20), (PLACE, 0)])
def test_the_header_of_a_webp_promises_only_what_is_there(profile, flag):
    """Bits of its first byte: 0x20 a profile, 0x10 alpha, 0x08 EXIF, 0x04 XMP."""
    data = encode(make_image("RGBA"), "WEBP", exif=exif_of_a_place(), icc_profile=profile)
    assert data[20] == 0x38
    assert pictures.as_reference(data).data[20] == 0x10 | flag


def four_quarters():
    image = Image.new("RGB", (64, 32), "red")
    image.paste("blue", (32, 0, 64, 16))
    image.paste("lime", (0, 16, 32, 32))
    return image


def near(found, wanted):
    return all(abs(a - b) <= 40 for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
@pytest.mark.parametrize("turn", range(10))
@pytest.mark.parametrize("way", [pictures.as_reference, fitted])
def test_an_image_is_turned_as_its_exif_says(format, turn, way):
    options = {"lossless": True} if format == "WEBP" else {}
    data = encode(four_quarters(), format, exif=orientation_exif(turn), **options)
    # Pillow's own reading of EXIF, which is not the one under test.
    upright = ImageOps.exif_transpose(Image.open(BytesIO(data)))
    found = way(data)
    assert (found.width, found.height) == upright.size
    image = opened(found.data).convert("RGB")
    for spot in ((4, 4), (-5, 4), (4, -5), (-5, -5)):
        x, y = spot[0] % image.width, spot[1] % image.height
        assert near(image.getpixel((x, y)), upright.convert("RGB").getpixel((x, y)))
    assert not image.getexif()


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("RGBA", "PNG", {}),
        ("I;16", "PNG", {}),
        ("P", "PNG", {"transparency": bytes(range(256))}),
        ("RGBA", "WEBP", {"lossless": True, "exact": True}),
    ],
)
def test_what_has_no_loss_is_turned_without_any(mode, format, options):
    image = make_image(mode)
    found = pictures.as_reference(encode(image, format, exif=orientation_exif(3), **options))
    turned = image.transpose(Image.Transpose.ROTATE_180)
    if format == "WEBP":
        # The colour of what cannot be seen is nothing that anybody misses.
        seen = [colour for colour in colours(found.data) if colour[3]]
        turned_colours = turned.convert("RGBA").get_flattened_data()
        assert seen == [colour for colour in turned_colours if colour[3]]
        return
    plain = {name: said for name, said in options.items() if name == "transparency"}
    assert pixels(found.data) == pixels(encode(turned, format, **plain))
    assert colours(found.data) == colours(encode(turned, format, **plain))


def test_a_turned_photo_for_print_keeps_its_colours_and_its_profile():
    for mode in ("CMYK", "L"):
        ink = (0, 200, 200, 0) if mode == "CMYK" else 90
        data = encode(Image.new(mode, (40, 30), ink), "JPEG", exif=orientation_exif(6))
        found = opened(pictures.as_reference(data).data)
        assert (found.mode, found.size) == (mode, (30, 40))
        assert near(
            found.convert("RGB").getpixel((9, 9)), opened(data).convert("RGB").getpixel((9, 9))
        )
    turned = encode(make_image(), "JPEG", exif=orientation_exif(6), icc_profile=PROFILE)
    assert opened(pictures.as_reference(turned).data).info["icc_profile"] == PROFILE


def test_a_gif_becomes_a_png_with_its_clear_parts():
    image = make_image("P")
    data = encode(image, "GIF", transparency=image.getpixel((0, 0)), comment=PLACE)
    found = pictures.as_reference(data)
    assert (found.format, found.width, found.height) == ("png", 40, 30)
    assert colours(found.data)[0][3] == 0
    assert colours(found.data) == colours(data)
    assert PLACE not in found.data


@pytest.mark.parametrize(
    "data",
    [SVG, b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
)
def test_a_drawing_is_refused_with_what_to_do_about_it(data):
    for way in (pictures.as_reference, fitted):
        with pytest.raises(BadPicture, match="PNG"):
            way(data)


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_an_animation_is_refused(format):
    frames = [make_image(), make_image().rotate(180)]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:])
    for way in (pictures.as_reference, fitted):
        with pytest.raises(BadPicture, match="animation"):
            way(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no image",
        b"<!doctype html><script>alert(1)</script>",
        encode(make_image(), "JPEG")[:-9],
        raw_png(30_000, 30_000, packed=black_rows(30_000, 300)),
        raw_png(10, 10, packed=zlib.compress(b"\0" * 31)),
    ],
)
def test_what_is_no_whole_image_is_refused(data):
    with pytest.raises(BadPicture):
        pictures.as_reference(data)


# ── Fitted ──


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_what_fits_is_sent_as_it_is(format):
    data = pictures.as_reference(encode(make_image("P").convert("RGB"), format)).data
    limits = {"most_bytes": len(data), "most_pixels": 1200, "longest_side": 40}
    assert fitted(data, **limits).data == data


def test_an_image_that_was_made_here_takes_no_prompt_along():
    data = pictures.mark(encode(make_image(), "PNG"), prompt="a secret")
    found = fitted(data)
    assert b"secret" not in found.data
    assert pixels(found.data) == pixels(data)


@pytest.mark.parametrize(
    ("limits", "size"),
    [
        ({"longest_side": 200}, (200, 100)),
        ({"most_pixels": 80_000}, (400, 200)),
        ({"most_pixels": 79_999}, (399, 199)),
        ({"longest_side": 7}, (7, 3)),
        ({"longest_side": 100, "most_pixels": 80_000}, (100, 50)),
    ],
)
@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_what_is_too_large_is_made_smaller_in_its_own_shape(limits, size, format):
    data = encode(four_quarters().resize((1000, 500), Image.Resampling.NEAREST), format)
    found = fitted(data, **limits)
    assert (found.width, found.height) == size
    image = opened(found.data).convert("RGB")
    assert image.size == size
    assert near(image.getpixel((0, 0)), (255, 0, 0))
    assert near(image.getpixel((size[0] - 1, 0)), (0, 0, 255))


@pytest.mark.parametrize(
    ("mode", "formats", "becomes"),
    [
        ("RGB", ("png", "jpeg"), "jpeg"),
        ("RGB", ("png",), "png"),
        ("RGBA", ("png", "jpeg"), "png"),
        ("RGBA", ("jpeg",), "jpeg"),
    ],
)
def test_another_format_is_converted_to_one_that_is_taken(mode, formats, becomes):
    found = fitted(encode(make_image(mode), "WEBP"), formats=formats)
    assert found.format == becomes
    assert opened(found.data).format == becomes.upper()
    assert (opened(found.data).mode == "RGBA") is (mode == "RGBA" and becomes == "png")


def test_an_alpha_channel_that_hides_nothing_is_no_transparency():
    data = encode(make_image().convert("RGBA"), "PNG")
    assert fitted(data, longest_side=20).format == "jpeg"


def test_what_was_clear_becomes_white_where_nothing_may_be_clear():
    image = Image.new("RGBA", (40, 30), (0, 0, 0, 0))
    image.paste("red", (0, 0, 16, 30))
    found = opened(fitted(encode(image, "PNG"), formats=("jpeg",)).data)
    assert near(found.getpixel((30, 9)), (255, 255, 255))
    assert near(found.getpixel((4, 9)), (255, 0, 0))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "I;16"])
def test_every_kind_of_pixels_can_be_made_to_fit(mode):
    data = encode(make_image(mode), "JPEG" if mode == "CMYK" else "PNG")
    found = fitted(data, longest_side=20, formats=("jpeg",))
    assert (found.format, found.width, found.height) == ("jpeg", 20, 15)
    assert opened(found.data).mode == "RGB"


def test_colours_of_another_profile_are_brought_to_srgb():
    exchanged = PROFILE.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ")
    data = encode(
        Image.new("RGB", (64, 64), "red"), "PNG", icc_profile=exchanged.replace(b"????", b"gXYZ")
    )
    red, green, _ = opened(fitted(data, longest_side=32).data).getpixel((9, 9))
    assert green > 200
    assert red < 60


@pytest.mark.parametrize(("mode", "format"), [("RGB", "jpeg"), ("RGBA", "png")])
def test_what_weighs_too_much_is_made_plainer_and_then_smaller(mode, format):
    data = encode(make_image(mode, (600, 400)), "PNG")
    found = fitted(data, most_bytes=60_000)
    assert len(found.data) <= 60_000
    assert found.format == format
    assert found.width / found.height == pytest.approx(1.5, rel=0.02)
    assert found.width > 64


def test_a_plainer_image_is_better_than_a_smaller_one():
    data = encode(make_image("RGB", (600, 400)), "PNG")
    best = fitted(data, formats=("jpeg",))
    assert fitted(data, most_bytes=len(best.data) - 1).width == 600


def test_what_cannot_be_made_to_weigh_so_little_is_refused():
    with pytest.raises(BadPicture, match="weigh"):
        fitted(encode(make_image("RGB", (600, 400)), "PNG"), most_bytes=500)
