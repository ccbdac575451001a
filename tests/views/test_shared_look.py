"""A shared page looks as the studio does, by one short stylesheet of its own."""

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client

from generator.models import Team, User
from generator.sharing import secrets
from tests.make import make_asset, make_generation, make_link

pytestmark = pytest.mark.django_db
STUDIO = ("tokens", "layout", "components", "studio")
LONGEST = 16_000  # bytes, before they are sent small


def sheet(name: str) -> str:
    """One of the style sheets, without its comments."""
    text = (settings.ROOT / f"static/css/{name}.css").read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


type Rules = dict[tuple[str, ...], dict[str, tuple[str, str]]]


def rules(*names: str) -> Rules:
    """What these say: by the path to each single selector (its media, and what it stands in) each
    property's layer and value."""
    found: Rules = {}
    for name in names:
        for path, layer, words, value in _said(iter(_parts(sheet(name))), (), ""):
            found.setdefault(path, {})[words] = (layer, value)
    return found


def _parts(text: str) -> list[str]:
    """The text between the signs of CSS, and each of these by itself."""
    inner = r"""(?:[^{};"'()]|"[^"]*"|'[^']*'|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))+"""
    return [part.strip() for part in re.findall(rf"{inner}|[{{}};]", text) if part.strip()]


def _said(
    parts: Iterator[str], path: tuple[str, ...], layer: str
) -> Iterator[tuple[tuple[str, ...], str, str, str]]:
    words = ""
    for part in parts:
        match part:
            case "{" if words.startswith("@layer"):
                yield from _said(parts, path, words.removeprefix("@layer").strip())
            case "{":
                inside = list(_said(parts, (), layer))
                for one in re.split(r",(?![^(]*\))", words):
                    for rest, *said in inside:
                        there = (*path, " ".join(one.split()), *rest)
                        yield there, said[0], said[1], said[2]
            case ";" | "}" if not words.startswith("@") and ":" in words:
                name, _, value = words.partition(":")
                yield path, layer, name.strip(), " ".join(value.split())
        if part == "}":
            return
        words = "" if part in "{;" else part


def test_what_is_taken_over_from_the_studio_is_as_it_is_there() -> None:
    mine, studio = rules("shared"), rules(*STUDIO)
    both = [path for path in mine if path in studio]
    tokens = [path for path in mine if path[-1].startswith(":root")]  # some of them, and no others
    held = {path: mine[path] if path in tokens else studio[path] for path in [*both, *tokens]}
    assert [
        (path, name)
        for path, said in held.items()
        for name in said
        if mine[path].get(name) != studio.get(path, {}).get(name)
    ] == []
    assert len(both) > 80


def test_a_shared_page_loads_one_short_stylesheet(client: Client, team: Team, member: User) -> None:
    link = make_link(member, [make_asset(make_generation(member, team))])
    page = client.get(f"/s/{secrets.secret_of(link)}/").content.decode()
    assert re.findall(r'rel="stylesheet" href="([^"]+)"', page) == ["/static/css/shared.css"]
    assert (settings.ROOT / "static/css/shared.css").stat().st_size < LONGEST
    mine = sheet("shared")
    assert set(re.findall(r"var\((--[\w-]+)", mine)) <= set(re.findall(r"(--[\w-]+): ", mine))


def test_every_class_of_a_shared_page_that_has_a_look_has_it_in_the_short_stylesheet() -> None:
    def looks(name: str) -> set[str]:
        return set(re.findall(r"\.([a-z][\w-]*)", sheet(name)))

    words: set[str] = set()
    for template in (settings.ROOT / "templates/shared").glob("*.html"):
        text = re.sub(r"{%.*?%}", " ", template.read_text())
        for names in re.findall(r'class="([^"]*)"', text):
            words |= set(names.split())
    assert words & (looks("layout") | looks("components")) <= looks("shared")
