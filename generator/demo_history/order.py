"""The order that people of a made-up history keep: tags, collections, favourites."""

from random import Random

from generator.demo_history.people import Seat
from generator.library import sorting
from generator.models import Collection, ImageAsset

NEWEST = 600  # images of a team that anybody sorted
# Where a prompt says it, its image has the tag.
_TAGS = {
    "spring": "spring campaign", "autumn": "autumn catalogue", "headline": "room for text",
    "trade fair": "trade fair", "book cover": "covers", "logo": "branding",
}  # fmt: skip
_SOFT_TAGS = ("client likes it", "to be retouched", "printed")
_COLLECTIONS = ("Pitch for the museum", "Mood board", "Newsletter, best of the month")


def keep_order(seats: list[Seat], rng: Random) -> None:
    """Sort the newest images of each team, as its makers would."""
    teams = {seat.team.pk: seat.team for seat in seats}
    for team in teams.values():
        makers = [seat.user for seat in seats if seat.team.pk == team.pk]
        kept = ImageAsset.objects.kept().filter(team=team).newest_first()
        images = list(kept.select_related("generation")[:NEWEST])
        if not images:
            continue
        for said, name in _TAGS.items():
            fitting = [one for one in images if said in one.generation.prompt]
            if fitting:
                sorting.tag(team, fitting, name)
        for name in _SOFT_TAGS:
            sorting.tag(team, _some(images, rng, 0.04), name)
        for name in _COLLECTIONS:
            who = rng.choice(makers)
            there = Collection.objects.filter(team=team, name=name).first()
            there = there or sorting.new_collection(team, who, name)
            sorting.collect(team, who, _some(images, rng, 0.05), there)
        for maker in makers:
            sorting.favourite(maker, _some(images, rng, 0.03), on=True)


def _some(images: list[ImageAsset], rng: Random, share: float) -> list[ImageAsset]:
    return rng.sample(images, max(round(len(images) * share), 1))
