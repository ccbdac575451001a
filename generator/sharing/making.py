"""Sharing links from the team's side: make, change, hand on and revoke them.

What a member may share, and which links they may steer, is asked here, where the rows are loaded.
Whoever makes or changes a link holds the team meanwhile and looks at the member's place in it anew:
they may have been thrown out a moment ago.
"""

import zoneinfo
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from generator import names
from generator.errors import NotAllowed
from generator.library import choosing
from generator.models import (
    Collection,
    Deed,
    ImageAsset,
    Membership,
    SharedImage,
    ShareLink,
    SharingRules,
    Team,
    User,
)
from generator.models.sharing import Audience, Download, ShareLinkQuerySet
from generator.sharing import secrets

MOST_IMAGES = 10_000
_AT_ONCE = 1000  # rows of one insert


class Gone(NotAllowed):
    """There is no such link, or not for this member any more."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a link allows. `last_day` is the last on which it is open, by the team's calendar, None
    for one without an end; `password` None leaves it as it is, "" takes it away."""

    title: str = ""
    last_day: date | None = None
    password: str | None = None
    most_views: int | None = None
    download: str = Download.ORIGINAL
    shows_prompt: bool = False
    watermark: str = ""
    audience: str = Audience.ANYONE
    takes_replies: bool = False


def images_to_share(team: Team, pks: Iterable[str]) -> tuple[list[ImageAsset], int]:
    """Those of these keys that the team keeps, in the order given, and how many others there were.

    One text may name several, parted by commas. Raises StudioError if they are too many.
    """
    each = (pk for several in pks for pk in several.split(","))
    wanted = list(dict.fromkeys(pk.strip().replace("-", "").lower() for pk in each))
    # Ten thousand of them, with no more than what a link is made of.
    images = choosing.chosen(team, wanted).only("team_id", "place", "trashed_at")
    found = {image.pk.hex: image for image in images}
    kept = [found[pk] for pk in wanted if pk in found]
    return kept, len(wanted) - len(kept)


def share_images(by: Membership, images: Sequence[ImageAsset], terms: Terms) -> ShareLink:
    """A link of these images, in this order. Raises NotAllowed for those of another team."""
    if not 0 < len(images) <= MOST_IMAGES:
        raise NotAllowed(f"A link shows 1 to {MOST_IMAGES:,} images. Choose others.")
    if any(image.team_id != by.team_id or image.trashed_at for image in images):
        raise NotAllowed("Some of these images are not there any more. Choose them again.")
    return _make(by, terms, [(image.pk, image.place) for image in images])


def share_collection(
    by: Membership, collection: Collection, terms: Terms, *, grows: bool
) -> ShareLink:
    """A link of a collection as it grows, or of what it holds now, newest first.

    Raises NotAllowed for another team's, and as it is now for one that is empty or too large.
    """
    if collection.team_id != by.team_id:
        raise NotAllowed("This collection is not there any more.")
    if grows:
        return _make(by, terms, [], collection)
    kept = collection.collected.filter(image__trashed_at=None).order_by("-place")
    rows = list(kept.values_list("image", "place")[: MOST_IMAGES + 1])
    if not rows:
        raise NotAllowed("There is nothing in this collection yet. Share it as it grows.")
    if len(rows) > MOST_IMAGES:
        raise NotAllowed(
            f"A link shows at most {MOST_IMAGES:,} images. Share the collection as it grows."
        )
    return _make(by, terms, rows)


def change(link: ShareLink, terms: Terms, *, by: Membership) -> None:
    """Put a link on new terms, which hold at once.

    Raises Gone for one that is not there or not theirs to steer, NotAllowed for one that is revoked
    and for terms that cannot be.
    """
    expires_at = closing(link.team, terms.last_day)
    password = _hashed(terms)  # slow, and nobody waits for it
    with transaction.atomic():
        # Held and read anew, so that nothing that happens meanwhile is written over.
        held = steered_by(_held(by)).select_for_update(of=("self",)).filter(pk=link.pk).first()
        if held is None:
            raise Gone("This link is not there any more.")
        if held.revoked_at:
            raise NotAllowed("This link is revoked. Make another.")
        _put(held, terms, expires_at, password)
        held.save(update_fields=_FIELDS)


def revoke(links: "QuerySet[ShareLink]") -> int:
    """Close these for good, at once; how many were not yet."""
    now, count = timezone.now(), 0
    with transaction.atomic():
        # One by one, as each is a line in the audit log.
        for link in links.select_for_update(of=("self",)).filter(revoked_at=None).order_by("pk"):
            link.revoked_at = now
            link.save(update_fields=["revoked_at"])
            count += 1
    return count


def revoke_of(user: User, team: Team | None = None) -> int:
    """Revoke what somebody shares in this team, or in all."""
    links = user.links.all()
    return revoke(links.filter(team=team) if team else links)


def revoke_without_right(member: Membership) -> int:
    """Revoke what a member shares in their team if their role, as it is now, does not let them."""
    return 0 if member.may(Deed.SHARE) else revoke_of(member.user, member.team)


def hand_to(links: ShareLinkQuerySet, user: User) -> int:
    """Make this member of the team the author of links that outlast theirs. What is revoked or over
    stays with whoever it was of."""
    count = 0
    with transaction.atomic():
        lasting = links.in_time(timezone.now())
        for link in lasting.filter(team__memberships__user=user).order_by("pk"):
            link.author = user
            link.save(update_fields=["author"])
            count += 1
    return count


def steered_by(membership: Membership) -> ShareLinkQuerySet:
    """The links that this member may see and steer: their own; all of the team's for some."""
    links = ShareLink.objects.filter(team=membership.team_id)
    if membership.may(Deed.SHARE_ANY):
        return links
    return links.filter(author=membership.user_id) if membership.may(Deed.SHARE) else links.none()


# ── Until when ──


def closing(team: Team, last_day: date | None) -> datetime | None:
    """When a link that is open on `last_day` closes: as the next begins in the team's time zone.

    None for one without an end. Raises NotAllowed for a day that is over, one too far away, or no
    day where the administrator wants one.
    """
    rules = SharingRules.objects.now()
    if last_day is None:
        if not rules.never_allowed:
            raise NotAllowed("The administrator wants every link to end. Choose a day.")
        return None
    today = team.today()
    if last_day < today:
        raise NotAllowed("This day is over. Choose today or a later one.")
    if last_day > today + timedelta(days=rules.most_days):
        most = f"{rules.most_days:,}"
        raise NotAllowed(f"A link is open for {most} days at most. Choose an earlier day.")
    zone = zoneinfo.ZoneInfo(team.time_zone)
    return datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=zone)


def last_day_of(link: ShareLink) -> date | None:
    """The last day on which it is open, by the team's calendar; None for one without an end."""
    if link.expires_at is None:
        return None
    zone = zoneinfo.ZoneInfo(link.team.time_zone)
    return (link.expires_at - timedelta(microseconds=1)).astimezone(zone).date()


# ── Rows ──

_FIELDS = (
    "title", "expires_at", "password", "most_views", "download", "shows_prompt", "watermark",
    "audience", "takes_replies",
)  # fmt: skip


def _make(
    by: Membership, terms: Terms, rows: Sequence[tuple[UUID, int]],
    collection: Collection | None = None,
) -> ShareLink:  # fmt: skip
    link = ShareLink(team=by.team, author=by.user, collection=collection)
    link.nonce = secrets.new_nonce()
    link.digest = secrets.digest_of(secrets.secret_of(link))
    _put(link, terms, closing(by.team, terms.last_day), _hashed(terms))
    with transaction.atomic():
        _held(by)
        if collection and not Collection.objects.filter(pk=collection.pk).exists():
            raise NotAllowed("This collection is not there any more.")
        link.save()
        SharedImage.objects.bulk_create(
            (
                SharedImage(link=link, image_id=pk, place=place, position=position)
                for position, (pk, place) in enumerate(rows)
            ),
            batch_size=_AT_ONCE,
        )
    return link


def _held(by: Membership) -> Membership:
    """The member's place as it is now; until the transaction ends nobody takes it, suspends them
    or gives them another role. Raises NotAllowed where they may not share any more."""
    # First the person, then the team: who hands a person's teams over locks them in this order.
    User.objects.select_for_update(no_key=True).get(pk=by.user_id)
    Team.objects.held(by.team_id)
    now = Membership.objects.filter(pk=by.pk, user__is_active=True).first()
    if now is None or not now.may(Deed.SHARE):
        raise NotAllowed("You may not share images of this team any more.")
    return now


def _hashed(terms: Terms) -> str | None:
    return None if terms.password is None else secrets.hashed(terms.password)


def _put(link: ShareLink, terms: Terms, expires_at: datetime | None, password: str | None) -> None:
    link.title, link.watermark = names.clean(terms.title), names.clean(terms.watermark)
    link.expires_at, link.most_views = expires_at, terms.most_views
    link.download, link.audience = terms.download, terms.audience
    link.shows_prompt, link.takes_replies = terms.shows_prompt, terms.takes_replies
    if password is not None:
        link.password = password
