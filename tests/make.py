"""Plain functions that make what a test needs."""

import io
import itertools
import uuid
from collections.abc import Sequence
from typing import Any

from django.core.files.base import ContentFile
from PIL import Image

from generator import lifecycle, pictures
from generator.models import (
    Asked,
    Cap,
    CatalogueEntry,
    Collected,
    Collection,
    Generation,
    ImageAsset,
    Membership,
    PriceKind,
    PriceSource,
    QuotaAccount,
    ReferenceImage,
    Role,
    SharedImage,
    ShareLink,
    Status,
    Team,
    User,
    Window,
)
from generator.sharing import secrets

ASKED = ("action", "references", "styles", "mask", "parent", "parent_position", "button")
PLAIN_PRICE = {
    "price_kind": PriceKind.IMAGE,
    "credits_each": 40,
    "tokens_in": None,
    "tokens_out": None,
    "ratio": 1,
    "price_source": PriceSource.STAFF,
}
PASSWORD = "correct horse battery"
_numbers = itertools.count(1)


def make_user(name: str = "", **facts: Any) -> User:
    """A person with a personal team and the password PASSWORD."""
    name = name or f"person{next(_numbers)}"
    email = facts.pop("email", f"{name}@example.org")
    return User.objects.create_user(name, email, PASSWORD, **facts)


def make_team(*members: User, slug: str = "", role: Role = Role.MEMBER, **facts: Any) -> Team:
    """A team in which all of them have the same role."""
    slug = slug or f"team{next(_numbers)}"
    team = Team.objects.create(name=slug.title(), slug=slug, **facts)
    for user in members:
        add_member(team, user, role)
    return team


def add_member(team: Team, user: User, role: Role = Role.MEMBER) -> Membership:
    """One more member."""
    return Membership.objects.create(team=team, user=user, role=role)


def make_entry(wire_model: str = "gpt-image-2", **facts: Any) -> CatalogueEntry:
    """A catalogue entry, as the families file fills it, with what the test wants otherwise.

    gpt-image-2, the plain model of most tests, has a plain price unless told otherwise: 40 credits
    an image, set by staff.
    """
    CatalogueEntry.objects.fill()
    entry = CatalogueEntry.objects.get(wire_model=wire_model)
    if wire_model == "gpt-image-2":
        facts = PLAIN_PRICE | facts
    for name, value in facts.items():
        setattr(entry, name, value)
    entry.save()
    return entry


def set_cap(team: Team, user: User | None, *, window: Window, credits: int) -> QuotaAccount:
    """Give an account exactly this cap in this window."""
    accounts = QuotaAccount.objects
    account = accounts.of(team, user) if user else accounts.pool(team)
    Cap.objects.update_or_create(account=account, window=window, defaults={"credits": credits})
    return account


def make_asked(prompt: str = "a teapot", **facts: Any) -> Asked:
    """What an author asked for."""
    return Asked(**{"action": "create", "prompt": prompt, "fields": {"size": "1024x1024"}, **facts})


def make_generation(
    author: User | None = None, team: Team | None = None, *, prompt: str = "a teapot",
    wire_model: str = "gpt-image-2", status: Status = Status.QUEUED, count: int = 1,
    fields: dict[str, Any] | None = None, **facts: Any,
) -> Generation:  # fmt: skip
    """A generation that was begun as a person would, then put into `status` with these facts.

    Its credits are reserved; a final status given here does not close the books.
    """
    author = author or make_user()
    team = team or author.personal_team
    entry = make_entry(wire_model)
    asked = make_asked(
        prompt, count=count, fields=fields or {},
        **{name: facts.pop(name) for name in ASKED if name in facts},
    )  # fmt: skip
    generation = lifecycle.begin(author, team, entry, asked, batch=uuid.uuid4())
    if facts or status != Status.QUEUED:
        Generation.objects.filter(pk=generation.pk).update(status=status, **facts)
        generation.refresh_from_db()
    return generation


def make_picture(width: int = 64, height: int = 48, format: str = "PNG", **facts: Any) -> bytes:
    """The bytes of a small picture."""
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, format, **facts)
    return file.getvalue()


def make_asset(generation: Generation, position: int = 0, **facts: Any) -> ImageAsset:
    """A stored image of a generation, bytes and all."""
    picture = pictures.inspect(facts.pop("data", None) or make_picture())
    data = pictures.mark(picture.data)
    asset = ImageAsset(
        generation=generation, team=generation.team, position=position, format=picture.format,
        extension=picture.extension, content_type=picture.content_type, width=picture.width,
        height=picture.height, size=len(data), digest="0" * 64, **facts,
    )  # fmt: skip
    asset.file.save("", ContentFile(data), save=False)
    asset.save()
    return asset


def make_collection(
    team: Team, images: Sequence[ImageAsset] = (), *, collection: Collection | None = None
) -> Collection:
    """A collection of a team with these images, or one that they are put into."""
    name = f"collection {next(_numbers)}"
    collection = collection or Collection.objects.create(team=team, name=name)
    for image in images:
        Collected.objects.create(collection=collection, image=image)
    return collection


def make_link(
    author: User, images: Sequence[ImageAsset] = (), *, team: Team | None = None,
    collection: Collection | None = None, password: str = "", **facts: Any,
) -> ShareLink:  # fmt: skip
    """A sharing link of these images, or of a collection as it grows; its terms are the facts."""
    team = team or (images[0].team if images else author.personal_team)
    link = ShareLink(team=team, author=author, collection=collection, **facts)
    link.nonce = secrets.new_nonce()
    link.digest = secrets.digest_of(secrets.secret_of(link))
    link.password = secrets.hashed(password)
    link.save()
    for position, image in enumerate(images):
        SharedImage.objects.create(link=link, image=image, position=position)
    return link


def make_reference(
    author: User, team: Team | None = None, *, data: bytes | None = None, is_mask: bool = False
) -> ReferenceImage:
    """An uploaded reference image, bytes and all."""
    picture = pictures.inspect(data or make_picture())
    reference = ReferenceImage(
        team=team or author.personal_team, author=author, is_mask=is_mask, name="reference.png",
        format=picture.format, extension=picture.extension, content_type=picture.content_type,
        width=picture.width, height=picture.height, size=len(picture.data), digest="0" * 64,
    )  # fmt: skip
    reference.file.save("", ContentFile(picture.data), save=False)
    reference.save()
    return reference


def make_mask(width: int = 64, height: int = 48) -> bytes:
    """A mask in the studio's one form: its left third is to change."""
    file = io.BytesIO()
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 3, height))
    mask.save(file, "PNG")
    return file.getvalue()
