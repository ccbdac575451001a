"""What the public page of a sharing link shows, and what a chat program may draw of it."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from generator.models import Generation, ImageAsset, ShareLink, Team
from generator.pictures import THUMBNAIL_EDGES
from generator.sharing import opening, replying
from generator.sharing.opening import Shown
from generator.templatetags.studio import number as grouped
from generator.views.visiting import Visit, shows_card

MOST_COUNTED = 1000


def rows(visit: Visit, images: list[Shown]) -> list[dict[str, Any]]:
    """Each of these images, as far as the link shows it."""
    link = visit.link
    found = [shown.image for shown in images]
    picked = replying.picked(link, visit.known.visitor, found) if link.takes_replies else set()
    return [
        {
            "key": str(shown.key),
            "image": shown.image,
            "alt": shown.image.alt if link.shows_prompt else _called(shown),
            "number": text_of(shown.number) if link.takes_replies else "",
            "prompt": shown.image.generation.prompt if link.shows_prompt else "",
            "settings": _settings(shown.image.generation) if link.shows_prompt else [],
            "picked": shown.image.pk in picked,
            "widths": [_width(shown.image, edge) for edge in THUMBNAIL_EDGES.values()],
            "small": reverse("shared_picture", args=[visit.secret, shown.key, "small"]),
            "large": reverse("shared_picture", args=[visit.secret, shown.key, "large"]),
            "download": reverse("shared_download", args=[visit.secret, shown.key]),
        }
        for shown in images
    ]


def is_one(link: ShareLink) -> bool:
    """Whether it shows one image."""
    return opening.count(link, 2) == 1


def card(request: HttpRequest, link: ShareLink, *, is_one: bool) -> dict[str, Any]:
    """What a chat program may draw, of a link that shows one image or not."""
    drawn: dict[str, Any] = {
        "title": link.title or ("Image" if is_one else "Images"),
        "is_one": is_one,
        "sender": _sender(link.team),
        "cover": "",
    }
    if shows_card(link):
        first = next(iter(opening.page(link, size=1).images), None)
        if first is not None:
            secret = request.resolver_match.kwargs["secret"] if request.resolver_match else ""
            path = reverse("shared_picture", args=[secret, first.key, "small"])
            drawn["cover"] = request.build_absolute_uri(path)
    return drawn


def count(link: ShareLink) -> str:
    """How many images it shows, in words."""
    found = opening.count(link, MOST_COUNTED + 1)
    if found > MOST_COUNTED:
        return f"More than {grouped(MOST_COUNTED)} images"
    return f"{grouped(found)} image{'' if found == 1 else 's'}"


def text_of(key: int | None) -> str:
    """A key as an address has it: templates put separators into numbers."""
    return "" if key is None else str(key)


def _called(shown: Shown) -> str:
    return "Shared image" if shown.number is None else f"Image {shown.number}"


def _width(image: ImageAsset, edge: int) -> str:
    """How wide its thumbnail of this edge is, in pixels."""
    scale = min(1.0, edge / max(image.width, image.height))
    return str(max(1, round(image.width * scale)))


def _settings(generation: Generation) -> list[tuple[str, str]]:
    said = [("Model", generation.label)]
    for name, value in generation.fields.items():
        if isinstance(value, str | int | float) and value not in ("", None):
            words = ("on" if value else "off") if isinstance(value, bool) else str(value)
            said.append((name.replace("_", " ").capitalize(), words))
    return said


def _sender(team: Team) -> str:
    """What strangers may call a team: of one that is a person's own, not what they sign in with."""
    name = team.name if team.personal_of is None else team.personal_of.get_full_name()
    return "" if "@" in name else name
