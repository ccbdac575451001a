import struct
import threading
import zlib
from contextlib import suppress
from dataclasses import replace

import pytest
from PIL import Image

from generator import pictures
from generator.errors import BadPicture
from generator.pictures.containers import dissect
from generator.pictures.decoding import decoded
from tests.pictures.make import (
    SVG,
    black_rows,
    encode,
    make_image,
    orientation_exif,
    png_chunk,
    png_of,
    raw_png,
    with_size,
)

SAMPLES = {
    "png": encode(make_image("RGBA"), "PNG"),
    "jpeg": encode(make_image(), "JPEG", progressive=True),
    "webp": encode(make_image(), "WEBP"),
    "gif": encode(make_image("P"), "GIF"),
    "svg": SVG,
}
# First column or row of each pass, and the step to the next one.
ADAM7_COLUMNS = [(0, 8), (4, 8), (0, 4), (2, 4), (0, 2), (1, 2), (0, 1)]
ADAM7_ROWS = [(0, 8), (0, 8), (4, 8), (0, 4), (2, 4), (0, 2), (1, 2)]
HTML = b"<!doctype html><html><body><script>alert(1)</script></body></html>"


@pytest.mark.parametrize(
    ("name", "extension", "content_type"),
    [
        ("png", "png", "image/png"),
        ("jpeg", "jpg", "image/jpeg"),
        ("webp", "webp", "image/webp"),
        ("gif", "gif", "image/gif"),
        ("svg", "svg", "image/svg+xml"),
    ],
)
def test_a_whole_image_says_what_it_is(name, extension, content_type):
    picture = pictures.inspect(SAMPLES[name])
    assert (picture.format, picture.extension, picture.content_type) == (
        name,
        extension,
        content_type,
    )
    assert (picture.width, picture.height) == (40, 30)
    assert picture.data == SAMPLES[name]


@pytest.mark.parametrize(
    ("mode", "format", "options"),
    [
        ("1", "PNG", {}),
        ("L", "PNG", {}),
        ("LA", "PNG", {}),
        ("P", "PNG", {}),
        ("I;16", "PNG", {}),
        ("L", "JPEG", {}),
        ("CMYK", "JPEG", {}),
        ("RGB", "JPEG", {"exif": orientation_exif(6), "comment": b"a comment"}),
        ("RGBA", "WEBP", {}),
        ("RGBA", "WEBP", {"lossless": True}),
        ("RGB", "WEBP", {"exif": orientation_exif(6), "icc_profile": b"no profile"}),
    ],
)
def test_every_kind_of_pixels_is_read(mode, format, options):
    data = encode(make_image(mode), format, **options)
    assert pictures.inspect(data).data == data


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(
    "tail", [b"PK\x03\x04 a hidden archive", HTML, b"\0", b"\xff\xd9", SAMPLES["png"]]
)
def test_what_comes_after_the_end_is_cut_off(name, tail):
    assert pictures.inspect(SAMPLES[name] + tail).data == SAMPLES[name]


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("twentieth", range(20))
def test_an_image_cut_short_is_refused(name, twentieth):
    data = SAMPLES[name]
    with pytest.raises(BadPicture):
        pictures.inspect(data[: len(data) * twentieth // 20])


@pytest.mark.parametrize("name", SAMPLES)
def test_an_image_without_its_last_byte_is_refused(name):
    with pytest.raises(BadPicture):
        pictures.inspect(SAMPLES[name][:-1])


@pytest.mark.parametrize("name", ["png", "jpeg", "webp", "gif"])
def test_no_changed_byte_gets_past_the_error_for_people(name):
    data = SAMPLES[name]
    for position in range(len(data)):
        for value in (0x00, 0xFF, data[position] ^ 0x10):
            with suppress(BadPicture):
                pictures.inspect(data[:position] + bytes([value]) + data[position + 1 :])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"   ",
        b"I cannot draw that.",
        b'{"error": "busy"}',
        HTML,
        b"<html><svg></svg></html>",
        b"<?xml version='1.0'?><rss></rss>",
        b"%PDF-1.7",
        b"BM" + bytes(60),
        b"\x89PNG\r\n\x1a\n",
        b"\x89PNG\r\n\x1a\n" + HTML,
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff" + HTML,
        b"GIF89a" + HTML,
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\xff\xff\xff\xffWEBPVP8 ",
        b"RIFF\x24\0\0\0WAVEfmt ",
    ],
)
def test_what_is_no_image_is_refused(data):
    with pytest.raises(BadPicture):
        pictures.inspect(data)


def test_an_image_under_the_magic_of_another_format_is_refused():
    with pytest.raises(BadPicture):
        pictures.inspect(SAMPLES["png"][:8] + SAMPLES["jpeg"])


def test_a_wrong_checksum_is_refused_even_beside_the_pixels():
    chunk = png_chunk(b"tEXt", b"Comment\0here")
    data = raw_png(1, 1, packed=zlib.compress(bytes(4)), extra=chunk)
    assert pictures.inspect(data).width == 1
    with pytest.raises(BadPicture, match="checksum"):
        pictures.inspect(data.replace(b"here", b"hers"))


@pytest.mark.parametrize("rows", [0, 1, 9])
def test_a_png_with_fewer_rows_than_it_says_is_refused(rows):
    lines = (b"\0" + b"\x7f" * 30) * rows
    with pytest.raises(BadPicture):
        pictures.inspect(raw_png(10, 10, packed=zlib.compress(lines)))


@pytest.mark.parametrize("ink", [0x00, 0x7F])
@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 5), (9, 8), (17, 13)])
def test_a_png_is_whole_with_its_last_row_and_not_before(ink, depth, interlaced, width, height):
    header = struct.pack(">IIBBBBB", width, height, depth, 0, 0, 0, interlaced)
    passes = [(width, height)]
    if interlaced:
        columns = [len(range(left, width, step)) for left, step in ADAM7_COLUMNS]
        rows = [len(range(top, height, step)) for top, step in ADAM7_ROWS]
        passes = [both for both in zip(columns, rows, strict=True) if all(both)]
    lines = [
        b"\0" + bytes([ink]) * -(-columns * depth // 8)
        for columns, rows in passes
        for _ in range(rows)
    ]
    assert pictures.inspect(png_of(header, b"".join(lines))).height == height
    for cut in (b"".join(lines)[:-1], b"".join(lines[:-1])):
        with pytest.raises(BadPicture):
            pictures.inspect(png_of(header, cut))


def test_a_size_that_the_decoder_reads_otherwise_is_refused():
    layout = dissect(SAMPLES["png"], "png")
    with (
        pytest.raises(BadPicture, match="one size"),
        decoded(SAMPLES["png"], replace(layout, width=41)),
    ):
        pass


def _zeroed(data, start):
    return data[:start] + bytes(len(data) - start)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(raw_png(1, 1, packed=b"not packed"), id="png"),
        # Without the tables that its scan was coded with.
        pytest.param(encode(make_image(), "JPEG").replace(b"\xff\xdb", b"\xff\xfe"), id="jpeg"),
        pytest.param(_zeroed(encode(make_image(), "WEBP", lossless=True), 25), id="webp"),
        pytest.param(SAMPLES["gif"][:-40] + b"\xff" * 38 + b"\0;", id="gif"),
    ],
)
def test_what_has_the_structure_of_an_image_but_no_pixels_is_refused(data):
    with pytest.raises(BadPicture, match="decoded"):
        pictures.inspect(data)


def test_a_png_without_pixels_is_refused():
    bare = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    with pytest.raises(BadPicture, match="no image"):
        pictures.inspect(bare + png_chunk(b"IEND"))


def test_a_size_of_nothing_is_refused():
    with pytest.raises(BadPicture, match="no size"):
        pictures.inspect(raw_png(0, 10, packed=zlib.compress(b"")))


@pytest.fixture
def no_decoder(monkeypatch):
    """Pillow is not ours: here it may not even be asked."""

    def refuse(*args, **options):
        raise AssertionError("a bomb was handed to the decoder")

    monkeypatch.setattr(Image, "open", refuse)


@pytest.mark.usefixtures("no_decoder")
class TestBombs:
    def test_a_png_that_declares_a_huge_size_is_never_decoded(self):
        with pytest.raises(BadPicture, match="40 million"):
            pictures.inspect(raw_png(2**31 - 1, 2**31 - 1, packed=zlib.compress(b"")))

    def test_a_png_that_really_is_huge_is_never_decoded(self):
        data = raw_png(30_000, 30_000, packed=black_rows(30_000, 300) * 2)
        with pytest.raises(BadPicture, match="40 million"):
            pictures.inspect(data)

    def test_one_pixel_over_the_limit_is_refused(self):
        with pytest.raises(BadPicture, match="40 million"):
            pictures.inspect(raw_png(40_000_001, 1, packed=zlib.compress(b"")))

    def test_a_jpeg_that_declares_a_huge_size_is_never_decoded(self):
        with pytest.raises(BadPicture, match="40 million"):
            pictures.inspect(with_size(encode(make_image(), "JPEG"), 65_000, 65_000))

    def test_a_gif_that_declares_a_huge_size_is_never_decoded(self):
        data = SAMPLES["gif"]
        huge = data[:6] + struct.pack("<HH", 65_000, 65_000) + data[10:]
        with pytest.raises(BadPicture, match="40 million"):
            pictures.inspect(huge)

    def test_a_gif_frame_larger_than_its_canvas_is_never_decoded(self):
        data = SAMPLES["gif"]
        small = data[:6] + struct.pack("<HH", 2, 2) + data[10:]
        with pytest.raises(BadPicture, match="its own size"):
            pictures.inspect(small)

    def test_a_webp_that_declares_a_huge_canvas_is_never_decoded(self):
        data = encode(make_image("RGBA"), "WEBP")
        at = data.index(b"VP8X") + 12
        with pytest.raises(BadPicture, match="40 million"):
            pictures.inspect(data[:at] + b"\xff\xff\xff" * 2 + data[at + 6 :])

    def test_a_file_of_nothing_but_parts_is_refused(self):
        crumbs = png_chunk(b"teXt") * 30_000
        with pytest.raises(BadPicture, match="parts"):
            pictures.inspect(raw_png(1, 1, packed=zlib.compress(bytes(4)), extra=crumbs))

    def test_a_jpeg_of_endless_scans_is_refused(self):
        data = SAMPLES["jpeg"]
        scan = data[data.rindex(b"\xff\xda") : -2]
        with pytest.raises(BadPicture, match="parts"):
            pictures.inspect(data[:-2] + scan * 100 + data[-2:])

    def test_a_file_over_the_limit_in_bytes_is_refused(self):
        with pytest.raises(BadPicture, match="64 MB"):
            pictures.inspect(bytes(pictures.MAX_BYTES + 1))


def test_an_image_at_the_limit_raises_no_warning():
    data = raw_png(8000, 5000, packed=black_rows(8000, 5000))
    assert pictures.inspect(data).width == 8000


def test_a_text_that_unpacks_to_much_costs_nothing_and_loses_nothing():
    bomb = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(64 * 1024 * 1024)))
    data = raw_png(1, 1, packed=zlib.compress(bytes(4)), extra=bomb)
    assert pictures.inspect(data).data == data


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF"])
def test_an_animation_is_refused(format):
    frames = [make_image(size=(40, 30)), make_image(size=(40, 30)).rotate(180)]
    data = encode(frames[0], format, save_all=True, append_images=frames[1:])
    with pytest.raises(BadPicture, match="animation"):
        pictures.inspect(data)


def test_a_broken_animation_header_beside_one_image_does_no_harm():
    data = raw_png(1, 1, packed=zlib.compress(bytes(4)), extra=png_chunk(b"acTL", b"?"))
    assert pictures.inspect(data).data == data


def test_several_threads_may_inspect_at_once():
    answers = []
    threads = [
        threading.Thread(target=lambda data=data: answers.append(pictures.inspect(data).data))
        for data in SAMPLES.values()
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted([*SAMPLES.values()] * 4)


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        (b'width="120px" height="80.5"', (120, 80)),
        (b'viewBox="0 0 24 48"', (24, 48)),
        (b'viewBox="0,0,24,48" width="100%" height="100%"', (24, 48)),
        (b'width="99999999999999999999" height="1"', (0, 0)),
        (b'viewBox="0 0 24"', (0, 0)),
        (b"", (0, 0)),
    ],
)
def test_a_drawing_says_its_size_or_none(attributes, size):
    picture = pictures.inspect(b"<svg " + attributes + b"><g/></svg>")
    assert (picture.width, picture.height) == size


@pytest.mark.parametrize(
    "head",
    [
        b"\xef\xbb\xbf",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- by a program -->\n',
        b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "file:///etc/passwd">',
    ],
)
def test_what_comes_before_a_drawing_may_be_there(head):
    assert pictures.inspect(head + SVG).data == head + SVG


def test_a_drawing_that_declares_entities_is_refused():
    bomb = b'<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><svg>&b;</svg>'
    with pytest.raises(BadPicture, match="entities"):
        pictures.inspect(bomb)


@pytest.mark.parametrize(
    "data",
    [b"<svg/>", b"<svg><g></svg>", b"<svg>&undefined;</svg>", b"<svg>\xff</svg>"],
)
def test_a_drawing_that_is_not_whole_is_refused(data):
    with pytest.raises(BadPicture):
        pictures.inspect(data)


def test_a_drawing_over_the_limit_is_refused():
    with pytest.raises(BadPicture, match="5 MB"):
        pictures.inspect(b"<svg>" + b" " * 5 * 1024 * 1024 + b"</svg>")


@pytest.mark.parametrize(
    ("width", "height", "step"),
    [
        (1024, 1024, 100),
        (1536, 1024, 150),
        (1024, 1536, 67),
        (1920, 1080, 178),
        (1080, 1920, 56),
        (3000, 10, 300),
        (10, 3000, 33),
        (0, 0, 100),
    ],
)
def test_a_shape_gets_the_nearest_step_of_the_style_sheet(width, height, step):
    assert pictures.nearest_ratio(width, height) == step
