"""What mark() writes is read back by exiftool, a program that others wrote."""

import json
import shutil
import struct
import subprocess

import pytest

from generator import pictures
from generator.errors import BadPicture
from generator.pictures.xmp import MAX_PACKET_BYTES, packet
from tests.pictures.make import SVG, colours, encode, make_image, orientation_exif, pixels

AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
PROMPT = 'A "teapot" & <cup>, it\'s ]]> 日本語 👩‍🚀\nsecond line\ttab'

MARKED = [
    pytest.param(encode(make_image("RGB"), "PNG"), id="png"),
    pytest.param(encode(make_image("RGBA"), "PNG"), id="png with alpha"),
    pytest.param(encode(make_image("P"), "PNG", transparency=3), id="png with palette"),
    pytest.param(encode(make_image("I;16"), "PNG"), id="png in 16 bits"),
    pytest.param(encode(make_image(), "JPEG"), id="jpeg"),
    pytest.param(encode(make_image(), "JPEG", progressive=True), id="progressive jpeg"),
    pytest.param(encode(make_image("CMYK"), "JPEG"), id="cmyk jpeg"),
    pytest.param(encode(make_image(), "WEBP"), id="lossy webp"),
    pytest.param(encode(make_image("RGBA"), "WEBP"), id="lossy webp with alpha"),
    pytest.param(encode(make_image(), "WEBP", lossless=True), id="lossless webp"),
    pytest.param(encode(make_image("RGBA"), "WEBP", lossless=True), id="lossless webp with alpha"),
    pytest.param(encode(make_image(size=(41, 31)), "WEBP"), id="webp of odd size"),
    pytest.param(encode(make_image("P"), "GIF"), id="gif"),
    pytest.param(encode(make_image("P"), "GIF", transparency=3), id="gif with a clear colour"),
    pytest.param(encode(make_image("P"), "GIF", comment=b"theirs"), id="gif with a comment"),
]
ONE_OF_EACH = [
    pytest.param(format, encode(make_image(), format.upper()), id=format)
    for format in ("png", "jpeg", "webp", "gif")
]


@pytest.fixture
def exiftool(tmp_path):
    if shutil.which("exiftool") is None:
        pytest.skip("exiftool is not installed")

    def read(data):
        path = tmp_path / "image"
        path.write_bytes(data)
        command = ["exiftool", "-json", "-validate", "-warning", "-a", "-G1", "-All:All", path]
        answer = subprocess.run(command, capture_output=True, check=True)
        return json.loads(answer.stdout)[0]

    return read


@pytest.mark.parametrize("data", MARKED)
def test_no_pixel_changes(data):
    marked = pictures.mark(data, prompt=PROMPT, settings={"size": "40x30"})
    assert pixels(marked) == pixels(data)
    assert colours(marked) == colours(data)
    assert pictures.inspect(marked).data == marked


@pytest.mark.parametrize("data", MARKED)
def test_exiftool_reads_the_source_type_and_nothing_private(exiftool, data):
    found = exiftool(pictures.mark(data))
    assert found["XMP-iptcExt:DigitalSourceType"] == AI
    assert {name for name in found if name.startswith("XMP")} == {"XMP-iptcExt:DigitalSourceType"}
    assert not [name for name in found if name.endswith((":Warning", ":Error"))]


@pytest.mark.parametrize(("name", "data"), ONE_OF_EACH)
def test_exiftool_reads_prompt_and_settings_as_they_were(exiftool, name, data):
    settings = {"quality": "high", "seed": 7, "style": "«vivid» & 'bold' 🎨", "moderation": None}
    found = exiftool(pictures.mark(data, prompt=PROMPT, settings=settings))
    assert found["XMP-dc:Description"] == PROMPT
    assert found["XMP-iptcExt:AIPromptInformation"] == PROMPT
    assert json.loads(found["XMP-comet:Settings"]) == settings
    assert found["XMP-xmp:CreatorTool"] == "Comet Studio"
    assert found["XMP-iptcExt:DigitalSourceType"] == AI
    assert "XMP-comet:PromptCut" not in found


def test_what_xml_forbids_is_left_out(exiftool):
    prompt = "one\x00 two\x1b three\x7f \ud800four\ufffe five\r\nsix"
    found = exiftool(pictures.mark(encode(make_image(), "PNG"), prompt=prompt))
    assert found["XMP-dc:Description"] == "one two three\x7f four five\nsix"


@pytest.mark.parametrize(("name", "data"), ONE_OF_EACH)
@pytest.mark.parametrize("character", ["a", "é", "🐙", "&", '"', "]]>"])
def test_a_prompt_that_is_too_long_is_cut_and_marked_so(exiftool, name, data, character):
    prompt = character * 70_000
    marked = pictures.mark(data, prompt=prompt, settings={"seed": 1})
    assert len(marked) - len(data) < MAX_PACKET_BYTES + 300
    found = exiftool(marked)
    kept = found["XMP-dc:Description"]
    assert kept.endswith("…")
    assert prompt.startswith(kept.removesuffix("…"))
    assert str(found["XMP-comet:PromptCut"]).lower() == "true"
    assert found["XMP-iptcExt:DigitalSourceType"] == AI
    assert json.loads(found["XMP-comet:Settings"]) == {"seed": 1}
    # Cut where it must be, not long before.
    assert len(packet(prompt, {"seed": 1})) > MAX_PACKET_BYTES - 20


def test_the_longest_prompt_that_a_model_takes_is_kept_whole(exiftool):
    prompt = "long " * 6400
    found = exiftool(pictures.mark(encode(make_image(), "JPEG"), prompt=prompt.strip()))
    assert found["XMP-dc:Description"] == prompt.strip()
    assert "XMP-comet:PromptCut" not in found


def test_settings_that_are_too_long_are_left_out_and_that_is_said(exiftool):
    marked = pictures.mark(
        encode(make_image(), "JPEG"), prompt="tea" * 30_000, settings={"note": "x" * 80_000}
    )
    found = exiftool(marked)
    assert "XMP-comet:Settings" not in found
    assert str(found["XMP-comet:SettingsCut"]).lower() == "true"


@pytest.mark.parametrize("data", MARKED)
def test_marking_again_replaces_the_packet(exiftool, data):
    marked = pictures.mark(pictures.mark(data, prompt="first", settings={"seed": 1}))
    assert marked == pictures.mark(data)
    assert marked.count(b"<x:xmpmeta") == 1
    assert exiftool(marked)["XMP-iptcExt:DigitalSourceType"] == AI


@pytest.mark.parametrize(("name", "data"), ONE_OF_EACH)
def test_a_packet_of_the_provider_is_replaced(exiftool, name, data):
    theirs = packet("a prompt of theirs", None).replace(b"xmpmeta", b"xmptheir")
    match name:
        case "png":
            data = encode(make_image(), "PNG", pnginfo=_png_text(theirs))
        case "jpeg" | "webp":
            data = encode(make_image(), name.upper(), xmp=theirs)
        case "gif":
            data = pictures.mark(data).replace(b"xmpmeta", b"xmptheir")
    assert b"xmptheir" in data
    marked = pictures.mark(data)
    assert b"xmptheir" not in marked
    assert exiftool(marked)["XMP-iptcExt:DigitalSourceType"] == AI


def _png_text(packet):
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", packet.decode())
    info.add_text("Raw profile type xmp", "xmptheir", zip=False)
    return info


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP"])
def test_exif_and_colour_profile_stay(exiftool, format):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encode(make_image(), format, exif=orientation_exif(6), icc_profile=profile)
    found = exiftool(pictures.mark(data))
    assert found["IFD0:Orientation"] == "Rotate 90 CW"
    assert found["ICC-header:ColorSpaceData"].strip() == "RGB"
    assert found["XMP-iptcExt:DigitalSourceType"] == AI


def test_a_simple_webp_becomes_an_extended_one_of_the_same_size_and_alpha():
    opaque = pictures.mark(encode(make_image(size=(41, 31)), "WEBP", lossless=True))
    assert opaque[12:16] == b"VP8X"
    assert opaque[20] == 0x04
    assert struct.unpack_from("<HBHB", opaque, 24) == (40, 0, 30, 0)
    clear = pictures.mark(encode(make_image("RGBA"), "WEBP", lossless=True))
    assert clear[20] == 0x14


def test_an_extended_webp_says_that_there_is_xmp_now():
    extended = encode(make_image("RGBA"), "WEBP")
    assert extended[12:16] == b"VP8X"
    assert pictures.mark(extended)[20] == extended[20] | 0x04


def test_what_comes_after_the_end_does_not_come_along():
    for _, data in (sample.values for sample in ONE_OF_EACH):
        assert pictures.mark(data + b"PK\x03\x04") == pictures.mark(data)


def test_a_gif_of_the_older_kind_becomes_one_that_has_a_place_for_it(exiftool):
    older = b"GIF87a" + encode(make_image("P"), "GIF")[6:]
    assert exiftool(pictures.mark(older))["XMP-iptcExt:DigitalSourceType"] == AI


def test_a_drawing_comes_back_unchanged():
    assert pictures.mark(SVG, prompt=PROMPT) == SVG


@pytest.mark.parametrize("data", [b"", b"no image"])
def test_what_is_no_image_is_not_marked(data):
    with pytest.raises(BadPicture):
        pictures.mark(data)


@pytest.mark.parametrize(("name", "data"), ONE_OF_EACH)
def test_an_image_cut_short_is_not_marked(name, data):
    for length in range(20, len(data), 7):
        with pytest.raises(BadPicture):
            pictures.mark(data[:length])
