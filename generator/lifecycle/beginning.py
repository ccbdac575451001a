"""How a generation begins: accepted, priced and reserved in one transaction; or withdrawn."""

import hashlib
import json
import uuid
from typing import Any

from django.db import transaction

from generator import live
from generator.errors import NotAllowed, NotOffered
from generator.lifecycle.ending import release
from generator.models import (
    Asked,
    CatalogueEntry,
    Generation,
    GivenReference,
    Membership,
    QuotaAccount,
    ReferenceImage,
    Status,
    Team,
    User,
)
from generator.models.references import tokens_before


def begin(
    author: User, team: Team, entry: CatalogueEntry, asked: Asked, *, batch: uuid.UUID
) -> Generation:
    """Accept what was asked for: the generation and its reservations, in one transaction.

    The same order of the same batch finds the generation that is already there. Raises
    NotAllowed for one who may not make images in this team, NotOffered for a model without
    offer or price or that cannot do this, QuotaExceeded where a cap would be passed.
    """
    pk = _key_of(batch=batch, team=team, author=author, entry=entry, asked=asked)
    with transaction.atomic():
        members = Membership.objects.filter(team=team, user__is_active=True)
        membership = members.filter(user=author).first()
        if membership is None or not membership.may_make:
            raise NotAllowed(
                "You may look at this team's images, but not make new ones. An owner or admin of "
                "the team can change that."
            )
        _all_of(team, asked)
        # The lock comes before the look-up: of two clicks the second finds the first's row.
        accounts = QuotaAccount.objects.concerned(team, author)
        there = team.generations.filter(pk=pk).first()
        if there is not None:
            return there
        _still_there(asked)
        along = _along(entry, asked)
        price = entry.price(asked.count, asked.action, asked.fields, **along)
        generation = Generation.objects.create(
            pk=pk,
            batch=batch,
            team=team,
            author=author,
            price=price,
            **_copied(entry, asked),
            price_basis=entry.price_basis(asked.action, asked.fields, **along),
            action=asked.action,
            prompt=asked.prompt,
            fields=dict(asked.fields),
            count=asked.count,
            parent=asked.parent,
            parent_position=asked.parent_position,
            button=asked.button.id if asked.button else "",
            button_label=asked.button.label if asked.button else "",
        )
        GivenReference.objects.bulk_create(
            GivenReference(
                generation=generation, reference=reference, purpose=purpose, position=place
            )
            for purpose, place, reference in asked.given
        )
        day = team.today()
        for account in accounts:
            account.reserve(generation, credits=price, day=day)
        live.moved(generation)
    return generation


def has_begun(
    author: User, team: Team, entry: CatalogueEntry, asked: Asked, *, batch: uuid.UUID
) -> bool:
    """Whether `begin` would find the generation that is already there."""
    pk = _key_of(batch=batch, team=team, author=author, entry=entry, asked=asked)
    return team.generations.filter(pk=pk).exists()


def _key_of(
    *, batch: uuid.UUID, team: Team, author: User, entry: CatalogueEntry, asked: Asked
) -> uuid.UUID:
    """The same for a double click or a form sent again, another for any change in it."""
    form = [
        asked.action,
        asked.prompt,
        asked.count,
        dict(asked.fields),
        [(purpose, str(one.pk)) for purpose, _place, one in asked.given],
        str(asked.parent.pk if asked.parent else ""),
        asked.parent_position,
        asked.button.id if asked.button else "",
    ]
    digest = hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()
    return uuid.uuid5(batch, f"{team.pk}:{author.pk}:{entry.pk}:{digest}")


def _all_of(team: Team, asked: Asked) -> None:
    """What goes along must be the team's own: whoever asks, and by whatever door."""
    teams = {one.team_id for _purpose, _place, one in asked.given}
    if asked.parent:
        teams.add(asked.parent.team_id)
    if teams - {team.pk}:
        raise NotAllowed("An image of another team cannot be used here.")


def _still_there(asked: Asked) -> None:
    """Hold what goes along: the daily round deletes what nobody has sent."""
    wanted = {one.pk for _purpose, _place, one in asked.given}
    rows = ReferenceImage.objects.select_for_update().filter(pk__in=wanted)
    if len(set(rows.values_list("pk", flat=True))) < len(wanted):
        raise NotAllowed("An image that was added is not here any more. Add it again.")


def _along(entry: CatalogueEntry, asked: Asked) -> dict[str, int]:
    """What a price by tokens hangs on, counted here and never taken from a page (M3)."""
    given = [*asked.references, *asked.styles]
    return {
        "references": len(given),
        "words": len(asked.prompt.encode()),
        "before": tokens_before(asked.parent, entry, asked.action, given),
    }


def _copied(entry: CatalogueEntry, asked: Asked) -> dict[str, Any]:
    family = entry.takes
    if not family.can(entry.wire_model, asked.action):
        raise NotOffered(f"{entry.label} cannot do that. Pick another model.")
    return {
        "entry": entry,
        "label": entry.label,
        "provider": family.provider,
        "family": family.name,
        "protocol": family.rule(asked.action).protocol,
        "wire_model": entry.wire_model,
    }


def cancel(generation: Generation) -> None:
    """Withdraw a generation that waits. Raises AlreadyMoved or IllegalMove once it has begun."""
    with transaction.atomic():
        generation.move_to(Status.CANCELLED)
        release(generation)
        live.moved(generation)
