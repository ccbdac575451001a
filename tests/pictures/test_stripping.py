"""A bare file has the pixels it had, and none of the words that lay beside them."""

import io

import pytest
from PIL import Image, PngImagePlugin

from generator import pictures
from generator.errors import BadPicture
from generator.pictures import watermark

WORDS = "a prompt that nobody may read"
PIXELS = Image.linear_gradient("L").resize((40, 30)).convert("RGB")


def written(format: str) -> bytes:
    """An image into which a provider wrote words wherever the format has room for them."""
    exif = Image.Exif()
    exif[0x010E] = WORDS
    facts: dict[str, object] = {"exif": exif}
    match format:
        case "PNG":
            said = PngImagePlugin.PngInfo()
            said.add_text("parameters", WORDS)
            said.add_text("packed", WORDS, zip=True)
            said.add_itxt("prompt", WORDS)
            facts["pnginfo"] = said
        case "JPEG":
            facts |= {"comment": WORDS, "xmp": f"<x>{WORDS}</x>".encode()}
        case "WEBP":
            facts |= {"xmp": f"<x>{WORDS}</x>".encode(), "lossless": True}
        case "GIF":
            facts = {"comment": WORDS}
    file = io.BytesIO()
    PIXELS.save(file, format, **facts)
    return file.getvalue()


def pixels(data: bytes) -> bytes:
    """What is seen."""
    return Image.open(io.BytesIO(data)).convert("RGB").tobytes()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_only_pixels_are_left(format: str) -> None:
    data = written(format)
    assert WORDS.encode() in data
    bare = pictures.bare(data)
    assert WORDS.encode() not in bare
    assert (
        Image.open(io.BytesIO(bare))
        .info.keys()
        .isdisjoint({"comment", "exif", "xmp", "parameters", "packed", "prompt"})
    )
    assert pixels(bare) == pixels(data)
    assert pictures.inspect(pictures.mark(bare)).format == format.lower()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF"])
def test_what_the_studio_itself_said_goes_too(format: str) -> None:
    said = pictures.mark(written(format), prompt=WORDS, settings={"seed": 7})
    assert b"xmpmeta" in said
    assert pictures.bare(said) == pictures.bare(written(format))


def test_an_image_that_its_exif_turned_stands_upright_without_it() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    PIXELS.save(file, "JPEG", exif=exif)
    assert Image.open(io.BytesIO(pictures.bare(file.getvalue()))).size == (30, 40)


def test_a_drawing_becomes_pixels() -> None:
    drawing = (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="10"><desc>'
        + WORDS.encode()
        + b'</desc><rect width="20" height="10"/></svg>'
    )
    bare = pictures.bare(drawing)
    assert bare.startswith(b"\x89PNG")
    assert WORDS.encode() not in bare


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(BadPicture):
        pictures.bare(b"words")


@pytest.mark.parametrize("colour", ["black", "white", "grey"])
@pytest.mark.parametrize("size", [(480, 320), (31, 17), (1, 1)])
def test_a_watermark_is_seen_on_any_ground(colour: str, size: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    made = pictures.watermarked(file.getvalue(), "Northlight · 見本", format="png")
    assert (made.width, made.height) == size
    low, high = Image.open(io.BytesIO(made.data)).convert("L").getextrema()
    assert size != (480, 320) or high - low > 40


def test_a_watermark_keeps_what_is_transparent() -> None:
    file = io.BytesIO()
    Image.new("RGBA", (90, 60), (0, 0, 0, 0)).save(file, "PNG")
    made = pictures.watermarked(file.getvalue(), "Northlight", format="png")
    assert Image.open(io.BytesIO(made.data)).getchannel("A").getextrema() == (0, 0)


def test_a_long_text_on_a_large_image_takes_less_room_than_the_image_and_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[Image.Image] = []
    real = watermark._tile
    monkeypatch.setattr(watermark, "_tile", lambda *said: drawn.append(real(*said)) or drawn[0])
    file = io.BytesIO()
    Image.new("RGB", (4000, 3000)).save(file, "PNG")
    kept = watermark._kept.cache_info().currsize
    pictures.watermarked(file.getvalue(), "W" * 60, format="jpeg")
    assert drawn[0].width * drawn[0].height < 4000 * 3000
    assert watermark._kept.cache_info().currsize == kept


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("Müller & Łódź © 2026 – “Ελλάς” «Ямб» Vũ ☺", ""),
        ("Mu\u0308ller", ""),
        ("見本 Northlight 見", "見本"),
        ("שלום", "שלום"),
        ("नमस्ते 👩‍🎨", "नमस\u094dत\u0947👩🎨"),
    ],
)
def test_the_letters_that_cannot_be_written_over_an_image_are_known(
    text: str, letters: str
) -> None:
    assert pictures.missing(text) == letters


def test_a_letter_made_of_two_looks_as_one() -> None:
    def seen(text: str) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (200, 90)).save(file, "PNG")
        return pictures.watermarked(file.getvalue(), text, format="png").data

    assert seen("Mu\u0308ller") == seen("Müller") != seen("Muller") != seen("M見ller")
