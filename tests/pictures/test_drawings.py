"""A drawing is shown as pixels, and drawing it can neither reach out nor go on for ever."""

import base64
import socket
import threading
import time
from contextlib import suppress
from io import BytesIO

import pytest
from PIL import Image

from generator import pictures
from generator.errors import BadPicture
from generator.pictures import drawings
from tests.pictures.make import SVG, encode

HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="80" height="60" viewBox="0 0 80 60">'
)


def svg(body, head=HEAD):
    return f"{head}{body}</svg>".encode()


def shown(data, edge=64):
    image = Image.open(BytesIO(pictures.thumbnail(data, edge=edge)))
    assert image.format == "WEBP"
    return image.convert("RGBA")


def near(found, wanted):
    return all(abs(a - b) <= 20 for a, b in zip(found, wanted, strict=True))


RED = (255, 0, 0, 255)
LIME = '<rect x="0" y="0" width="40" height="60" fill="lime"/>'


def test_a_drawing_is_shown_with_what_is_clear_in_it():
    image = shown(svg(LIME))
    assert image.size == (64, 48)
    assert near(image.getpixel((5, 5)), (0, 255, 0, 255))
    assert image.getpixel((60, 5))[3] == 0


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10">', (64, 64)),
        ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 300 900">', (22, 64)),
        ('<svg xmlns="http://www.w3.org/2000/svg" width="100000" height="50000">', (64, 32)),
        ('<svg xmlns="http://www.w3.org/2000/svg" width="99999999" height="1">', (64, 1)),
        ('\ufeff<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg">', None),
    ],
)
def test_a_drawing_of_any_size_fits(head, size):
    image = shown(svg('<path d="M0 0h9v9z"/>', head))
    assert max(image.size) <= 64
    assert size is None or image.size == size


def test_a_script_is_not_run_and_costs_no_preview():
    body = '<script>throw 1</script><g onload="alert(1)">' + LIME + "</g>"
    assert near(shown(svg(body)).getpixel((5, 5)), (0, 255, 0, 255))


@pytest.fixture
def red(tmp_path):
    path = tmp_path / "red.png"
    path.write_bytes(encode(Image.new("RGB", (8, 6), "red"), "PNG"))
    return path


OUTSIDE = [
    '<image href="{place}" width="80" height="60"/>',
    '<image xlink:href="{place}" width="80" height="60"/>',
    '<filter id="f"><feImage href="{place}"/></filter>'
    '<rect width="80" height="60" filter="url(#f)"/>',
    '<image href="data:image/svg+xml;base64,{inner}" width="80" height="60"/>',
    '<style>rect {{ fill: url("{place}") }}</style><rect width="80" height="60"/>',
    '<style>@import url("{place}");</style>',
    '<use href="{place}#x"/>',
    '<style>@font-face {{ font-family: f; src: url("{place}") }}</style>'
    '<text y="50" font-family="f" font-size="60" fill="red">WWW</text>',
]


def _filled(body, place):
    inner = svg(f'<image href="{place}" width="80" height="60"/>')
    return body.format(place=place, inner=base64.b64encode(inner).decode())


@pytest.mark.parametrize("body", OUTSIDE)
@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_no_file_is_read(red, body, form):
    image = shown(svg(LIME + _filled(body, form.format(red))))
    assert not any(near(colour, RED) for colour in image.get_flattened_data())


def test_without_its_walls_a_file_would_be_read(red):
    """So that the test above proves something."""
    import resvg_py

    drawing = svg(f'<image href="{red}" width="80" height="60"/>').decode()
    found = Image.open(BytesIO(resvg_py.svg_to_bytes(svg_string=drawing)))
    assert found.getpixel((60, 5)) == RED


@pytest.mark.parametrize("body", OUTSIDE)
def test_nobody_is_called(body):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        shown(svg(LIME + _filled(body, f"http://127.0.0.1:{server.getsockname()[1]}/x.png")))
        with pytest.raises(TimeoutError):
            server.accept()


def test_an_image_within_the_drawing_is_shown(red):
    inside = base64.b64encode(red.read_bytes()).decode()
    body = f'<image href="data:image/png;base64,{inside}" width="80" height="60"/>'
    assert near(shown(svg(body)).getpixel((60, 5)), RED)


def _copies_of_copies(levels):
    groups = ['<g id="g0"><rect width="9" height="9"/></g>']
    for level in range(1, levels):
        uses = f'<use href="#g{level - 1}"/>' * 10
        groups.append(f'<g id="g{level}">{uses}</g>')
    return "".join(groups) + f'<use href="#g{levels - 1}"/>'


def _nested_filters():
    blur = '<feGaussianBlur stdDeviation="900"/>' * 200
    box = 'x="-1e6" y="-1e6" width="2e6" height="2e6" filterUnits="userSpaceOnUse"'
    group = '<g filter="url(#f)">'
    return f'<filter id="f" {box}>{blur}</filter>' + group * 40 + LIME + "</g>" * 40


HOSTILE = {
    "copies of copies": svg(_copies_of_copies(12)),
    "nested without end": svg("<g>" * 100_000 + "</g>" * 100_000),
    "a million shapes": svg('<path d="M0 0h9"/>' * 250_000),
    "blurred for ever": svg(_nested_filters()),
    "a pattern of nothing": svg(
        '<pattern id="p" width="1e-6" height="1e-6" patternUnits="userSpaceOnUse">'
        f'{LIME}</pattern><rect width="80" height="60" fill="url(#p)"/>'
    ),
    "dashes without end": svg('<path d="M0 0H1e9" stroke="red" stroke-dasharray="1e-5"/>'),
    "inside itself": svg('<g id="a"><use href="#a"/></g><mask id="m" mask="url(#m)"/>'),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_drawing_ends_soon_one_way_or_the_other(data):
    began = time.monotonic()
    with suppress(BadPicture):
        assert shown(data).size == (64, 48)
    assert time.monotonic() - began < 2 * drawings._PATIENCE


def test_entities_are_refused_before_anything_is_drawn():
    data = b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + svg("<text>&a;</text>")
    with pytest.raises(BadPicture, match="entities"):
        shown(data)


@pytest.mark.parametrize("data", [b"<html></html>", SVG[:-3], b"<svg>", svg("")[:40]])
def test_what_is_no_whole_drawing_is_not_drawn(data):
    with pytest.raises(BadPicture):
        shown(data)


def test_several_threads_may_draw_at_once():
    sizes = []
    threads = [threading.Thread(target=lambda: sizes.append(shown(svg(LIME)).size)) for _ in "1234"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sizes == [(64, 48)] * 4


def test_the_drawing_learns_nothing_of_the_studio(monkeypatch, tmp_path):
    """Its process has no environment: the gateway's key is not there to be found."""
    told = tmp_path / "told.py"
    told.write_text("import os, sys; sys.stdin.read(); sys.stdout.write(repr(dict(os.environ)))")
    monkeypatch.setenv("COMETAPI_KEY", "sk-secret1")
    monkeypatch.setattr(drawings, "_RASTERISER", told)
    assert b"secret" not in drawings.drawn(SVG, edge=64)
