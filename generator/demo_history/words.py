"""What a made-up history says: prompts put together from lists, reasons of failures, names."""

from dataclasses import dataclass
from random import Random

_DETAILS = (
    "with a red door", "half hidden in fog", "seen from above", "reflected in still water",
    "against a pale wall", "cut out of paper", "under a glass dome", "with long shadows",
    "after the rain", "wrapped in linen", "carved from birch", "in cross-section",
    "with one thing out of place", "covered in frost", "lit from below", "beside an open window",
    "in the middle of nowhere", "with a hand for scale", "tied with string",
)  # fmt: skip
_LIGHTS = (
    "soft morning light", "hard noon sun", "blue hour", "candlelight", "neon from the left",
    "overcast, no shadows", "backlit", "studio light, grey background", "moonlight", "golden hour",
)  # fmt: skip
_STYLES = (
    "35 mm photograph", "risograph in two colours", "loose watercolour", "flat vector",
    "linocut", "product shot", "matte painting", "pencil study", "editorial illustration",
    "isometric drawing", "gouache on rough paper", "screen print", "technical drawing",
    "claymation still", "wide-angle photograph", "macro photograph",
)  # fmt: skip
_MOODS = ("quiet", "playful", "austere", "warm", "uneasy", "festive", "dry", "generous")
_ENDS = (
    "lots of empty space for a headline", "no text", "in the colours of our autumn catalogue",
    "for the spring campaign", "square crop", "for the trade fair stand", "as a book cover",
    "in three muted colours", "for the newsletter", "room for a logo at the top", "", "", "", "",
)  # fmt: skip
# The place in the line is the painter of the sandbox that comes nearest.
SUBJECTS = (
    ("a mountain hut", "an alpine pass", "a snowed-in valley", "a volcano at rest"),
    ("a lighthouse", "a small harbour", "a rowing boat", "a fjord"),
    ("a sand dune", "a caravan", "a canyon road", "a salt desert"),
    ("a pine forest", "a fox", "a cabin between trees", "a clearing"),
    ("northern lights", "a night sky", "a small planet", "an observatory"),
    ("a tram in the old town", "a skyline", "a bridge in fog", "a street market"),
    ("a thunderhead", "a flock of birds", "a hot-air balloon", "a kite"),
    ("a slice of agate", "a pebble", "a marble floor", "a crystal"),
    ("a silk scarf", "a portrait of a baker", "a raincoat", "a folded napkin"),
    ("a teapot", "a bowl of plums", "a desk lamp", "a perfume bottle", "a pair of headphones"),
    ("a travel poster", "a rocket", "a record sleeve", "a tin of sardines"),
    ("a map of an island", "a paper relief", "a board game", "a floor plan"),
    ("a fern", "a herb garden", "a leaf collection", "a greenhouse"),
    ("a breaking wave", "a whale", "a surfer", "a row of fishing nets"),
    ("an abstract pattern", "a sleeping cat", "brush strokes", "a marbled endpaper"),
    ("a tulip", "a bouquet", "a cherry tree in bloom", "a lotus"),
)
CHANGES = (
    "make the sky darker", "remove the person on the left", "turn it into winter",
    "the same, without text", "more contrast, less colour", "put it on a white background",
    "replace the cup by a glass", "let the light come from the right", "add a dog",
)  # fmt: skip
ANSWERS = (
    "A quiet scene in muted colours, the subject slightly off the centre, light from the left.",
    "A close view with a shallow depth of field; the background dissolves into warm grey.",
    "A flat, graphic composition of three shapes, with a narrow palette of red, sand and ink.",
)
REASONS_OF_GRANTS = (
    "Trade fair in Milan", "Pitch for the museum", "Catalogue for spring", "New colleague's start",
    "Campaign moved forward", "Tests of the new models", "Holiday cards",
)  # fmt: skip
TEAMS = (
    ("Northlight", "UTC"), ("Harbour & Pine", "Europe/Berlin"),
    ("Blue Kiln", "America/New_York"), ("Paperbird", "Asia/Tokyo"),
    ("Fieldnotes", "Europe/London"), ("Sunday Type", "Europe/Paris"),
    ("Copper Hare", "America/Los_Angeles"), ("Lantern Works", "Asia/Kolkata"),
    ("Third Shelf", "Australia/Sydney"), ("Salt & Ink", "Europe/Lisbon"),
    ("Wren Studio", "Europe/Stockholm"), ("Open Field", "America/Sao_Paulo"),
    ("Low Tide", "Europe/Amsterdam"), ("Foxglove", "America/Chicago"),
    ("Kite House", "Asia/Seoul"), ("Plain Sight", "Europe/Madrid"),
    ("Orchard Row", "Pacific/Auckland"), ("Halyard", "Europe/Oslo"),
    ("Milk Glass", "Europe/Zurich"), ("Slow Press", "America/Toronto"),
    ("Tin Roof", "Africa/Nairobi"), ("Red Thread", "Asia/Singapore"),
    ("Night Ferry", "Europe/Athens"), ("Far Shore", "America/Denver"),
)  # fmt: skip
FIRST_NAMES = (
    "Ana", "Bilal", "Carla", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jun", "Kofi",
    "Lea", "Milan", "Nadia", "Oskar", "Priya", "Quentin", "Rosa", "Samuel", "Tove",
)  # fmt: skip
LAST_NAMES = (
    "Berg", "Costa", "Dahl", "Eriksen", "Fontaine", "Gupta", "Haddad", "Ito", "Jansen", "Kowalski",
    "Lopez", "Moreau",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Failure:
    """How a generation can fail: in our words, and in the gateway's, where it said any."""

    code: str
    reason: str
    often: int
    status: int = 200
    reply: str = ""


FAILURES = (
    Failure(
        "content",
        "The provider's safety rules refused this prompt. Reword it, or try another model.",
        40, 400,
        '{"error": {"type": "invalid_request_error", "code": "content_policy_violation"}}',
    ),
    Failure(
        "refused", "The provider refused this request as it stands.", 14, 400,
        '{"error": {"type": "invalid_request_error", "code": "invalid_size"}}',
    ),
    Failure(
        "busy", "The model is too busy at the moment.", 16, 429,
        '{"error": {"type": "rate_limit_error", "code": "rate_limit_exceeded"}}',
    ),
    Failure(
        "silent",
        "The provider did not answer in time. It may have made the image; you were not charged.",
        12, 0,
    ),
    Failure("late", "The model took longer than it may.", 6, 200, '{"status": "IN_PROGRESS"}'),
    Failure("empty", "The model answered without an image.", 6, 200, '{"data": []}'),
    Failure("unreadable", "The provider's answer could not be read.", 4, 502, "(a page of HTML)"),
    Failure(
        "lost",
        "The studio stopped while the model was working, and cannot know whether it finished. "
        "It is not sent again by itself.",
        2, 0,
    ),
)  # fmt: skip


def prompt(rng: Random, subject: int) -> str:
    """One of some fifty million."""
    what = rng.choice(SUBJECTS[subject])
    parts = [
        f"{what} {rng.choice(_DETAILS)}", rng.choice(_LIGHTS), rng.choice(_STYLES),
        rng.choice(_MOODS), rng.choice(_ENDS),
    ]  # fmt: skip
    text = ", ".join(part for part in parts[: rng.choice((2, 3, 4, 5, 5))] if part)
    return text[:1].upper() + text[1:]
