"""What becomes of sharing links when the collection that they show as it grows is deleted.

They end, but stay on record: who came, what visitors picked and wrote is still there for those who
steer them. A link without a collection shows rows of its own, so these are written with its end.
"""

from django.db import transaction
from django.utils import timezone

from generator.errors import NotAllowed, StudioError
from generator.models import Collection, Deed, Membership, SharedImage, ShareLink, Team
from generator.sharing.making import MOST_IMAGES

MOST_ROWS = 50_000  # of all its links together
_AT_ONCE = 1000  # rows of one insert


class NotSure(StudioError):
    """Links would end that the person may not know of: so many."""

    def __init__(self, ending: int) -> None:
        super().__init__("Sharing links end with this collection. Say that you know.")
        self.ending = ending


def delete(collection: Collection, *, by: Membership, sure: int = 0) -> int:
    """Delete a collection of the member's team; its images stay. Says how many links it ended.

    Raises NotSure where these are more than `sure`, NotAllowed where links of others are open and
    `by` may not steer those.
    """
    with transaction.atomic():
        # While the team is held, nobody makes a link of it.
        Team.objects.held(by.team_id)
        now = Membership.objects.filter(pk=by.pk).first()
        if now is None or not now.may(Deed.ORGANISE) or collection.team_id != now.team_id:
            raise NotAllowed("You may not delete this collection any more.")
        _check_others(collection, now)
        Collection.objects.held(collection.pk)  # nobody puts an image into it meanwhile
        links = list(collection.links.select_for_update(of=("self",)).order_by("pk"))
        ending = sum(link.revoked_at is None for link in links)
        if ending > sure:
            raise NotSure(ending)
        for link in links:
            _end(link, collection, MOST_ROWS // len(links))
        collection.delete()
    return ending


def _check_others(collection: Collection, by: Membership) -> None:
    if by.may(Deed.SHARE_ANY):
        return
    found = ShareLink.objects.open(timezone.now()).filter(collection=collection)
    count = found.exclude(author=by.user_id).count()
    if count:
        links = "1 open link" if count == 1 else f"{count:,} open links"
        raise NotAllowed(
            f"“{collection.name}” is shown by {links} of others, which would end with it. "
            "Ask an admin or the owner of the team to delete it."
        )


def _end(link: ShareLink, collection: Collection, most: int) -> None:
    """Close it for good, with what it showed as rows of its own, so many at most."""
    kept = collection.collected.filter(image__trashed_at=None).order_by("-place")
    rows = kept.values_list("image", "place")[: min(most, MOST_IMAGES)]
    SharedImage.objects.bulk_create(
        (
            SharedImage(link=link, image_id=image, place=place, position=position)
            for position, (image, place) in enumerate(rows)
        ),
        batch_size=_AT_ONCE,
    )
    link.revoked_at, link.collection = link.revoked_at or timezone.now(), None
    link.save(update_fields=["revoked_at", "collection"])
