"""One prompt given to one model, and what became of it."""

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generator.errors import AlreadyMoved, IllegalMove
from generator.families import ActionRule, Family, family_named
from generator.models.catalogue import CatalogueEntry
from generator.models.clock import WorkerSeen
from generator.models.people import Team, User
from generator.providers.base import Button


class Status(models.TextChoices):
    """Where a generation stands; the words are a person's, not a programmer's."""

    QUEUED = "queued", _("waiting")
    SUBMITTING = "submitting", _("working")
    RUNNING = "running", _("working on")
    STORING = "storing", _("keeping your images")
    SUCCEEDED = "succeeded", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


# The whole life cycle. A status that leads nowhere is final.
MOVES: dict[Status, set[Status]] = {
    Status.QUEUED: {Status.SUBMITTING, Status.FAILED, Status.CANCELLED},
    Status.SUBMITTING: {Status.QUEUED, Status.RUNNING, Status.STORING, Status.FAILED},
    Status.RUNNING: {Status.SUBMITTING, Status.STORING, Status.FAILED},
    Status.STORING: {Status.SUCCEEDED, Status.FAILED},
    Status.SUCCEEDED: set(),
    Status.FAILED: set(),
    Status.CANCELLED: set(),
}
FINAL = frozenset(status for status, ways in MOVES.items() if not ways)
# With the provider or with us; these count against the ceilings.
AT_THE_PROVIDER = frozenset({Status.SUBMITTING, Status.RUNNING})
UNDER_WAY = AT_THE_PROVIDER | {Status.STORING}


class Action(models.TextChoices):
    """What a generation does."""

    CREATE = "create", _("create")
    EDIT = "edit", _("edit")
    VARY = "vary", _("vary")
    UPSCALE = "upscale", _("upscale")
    BLEND = "blend", _("blend")
    DESCRIBE = "describe", _("describe")
    EXPAND = "expand", _("expand")
    ERASE = "erase", _("erase")
    FILL = "fill", _("fill in")
    ENHANCE = "enhance", _("enhance")
    REPLACE_BACKGROUND = "replace_background", _("replace the background")
    REROLL = "reroll", _("make again")
    ZOOM = "zoom", _("zoom out")
    PAN = "pan", _("extend to one side")


class GenerationQuerySet(models.QuerySet["Generation"]):
    """Generations, by name of the question."""

    def unfinished(self) -> Self:
        """Those that will still move."""
        return self.exclude(status__in=FINAL)

    def under_way(self) -> Self:
        """Those that a worker or a provider is busy with."""
        return self.filter(status__in=UNDER_WAY)

    def at_the_provider(self) -> Self:
        """Those that a provider is busy with: what is being stored asks nothing of it any more."""
        return self.filter(status__in=AT_THE_PROVIDER)

    def newest_first(self) -> Self:
        """The feed's order; ties are broken by the key, so pages never overlap."""
        return self.order_by("-created_at", "-id")

    def after(self, created_at: datetime, pk: uuid.UUID) -> Self:
        """What comes behind this place in the feed's order."""
        # Said so that an index begins there: of `a < x or a = x and …` PostgreSQL reads all rows.
        rest = Q(created_at__lt=created_at) | Q(pk__lt=pk)
        return self.filter(rest, created_at__lte=created_at)

    def descendants_of(self, generation: "Generation") -> list["Generation"]:
        """Everything that was made from it and from what was made from it; one query a level."""
        found: dict[uuid.UUID, Generation] = {}
        level = [generation.pk]
        while level:
            rows = [row for row in self.filter(parent__in=level) if row.pk not in found]
            found.update({row.pk: row for row in rows})
            level = [row.pk for row in rows]
        return list(found.values())

    def startable(self, now: datetime) -> Self:
        """Those that wait, and whose pause, if they had one, is over; of no suspended author."""
        return self.filter(status=Status.QUEUED, due_at__lte=now, author__is_active=True)

    def due(self, now: datetime) -> Self:
        """Those under way whose next look has come, or whose worker has died."""
        return self.under_way().filter(due_at__lte=now)

    def orphaned(self, unseen_since: datetime) -> Self:
        """Those claimed by a worker that has not been seen since then."""
        alive = WorkerSeen.objects.filter(seen_at__gte=unseen_since).values("name")
        return self.under_way().exclude(claimed_by="").exclude(claimed_by__in=alive)

    def places(self) -> dict[uuid.UUID, int]:
        """The place of each that waits in the order in which they are started, from 1."""
        held = _counted(self.under_way().values_list("author_id", flat=True))
        waiting = self.filter(status=Status.QUEUED).order_by("created_at", "pk")
        turns: list[tuple[int, int, uuid.UUID]] = []
        for author, pk in waiting.values_list("author_id", "pk"):
            turns.append((held.get(author, 0), len(turns), pk))
            held[author] = held.get(author, 0) + 1
        return {pk: place for place, (_held, _age, pk) in enumerate(sorted(turns), start=1)}

    def claim(self, pk: uuid.UUID, *, worker: str, lease: timedelta) -> "Generation | None":
        """The generation if it is due and nobody else took it, else None.

        One update that names the `due_at` it saw, so of two workers only one gets it.
        """
        now = timezone.now()
        generation = self.due(now).filter(pk=pk).first()
        if generation is None:
            return None
        taken = self.filter(pk=pk, due_at=generation.due_at, status=generation.status).update(
            due_at=now + lease, claimed_by=worker
        )
        if not taken:
            return None
        generation.due_at, generation.claimed_by = now + lease, worker
        return generation


class Generation(models.Model):
    """One prompt given to one model, and what became of it.

    It copies what it needs of its catalogue entry, so that history stays true when the
    entry goes or is repriced.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    # What was sent with one press of the button stands side by side by this.
    batch = models.UUIDField(default=uuid.uuid4, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="generations")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="generations")

    entry = models.ForeignKey(
        CatalogueEntry, on_delete=models.SET_NULL, null=True, related_name="generations"
    )
    label = models.CharField(_("model"), max_length=120)
    provider = models.CharField(max_length=60)
    family = models.CharField(max_length=60)
    protocol = models.CharField(max_length=40)
    wire_model = models.CharField(max_length=120)
    action = models.CharField(_("action"), max_length=24, choices=Action, default=Action.CREATE)
    # What an edit, a variation or an upscale starts from, and which of its images, from 0.
    parent = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="children"
    )
    parent_position = models.PositiveSmallIntegerField(null=True)
    button = models.CharField(max_length=200, blank=True)
    button_label = models.CharField(max_length=60, blank=True)
    prompt = models.TextField(_("prompt"))
    fields = models.JSONField(default=dict)
    count = models.PositiveSmallIntegerField(_("images asked for"), default=1)

    price = models.PositiveIntegerField(_("credits held"))
    price_basis = models.JSONField(default=dict)
    cost = models.PositiveIntegerField(_("credits it took"), null=True)

    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.QUEUED)
    reason = models.TextField(_("reason"), blank=True)
    reason_code = models.CharField(max_length=80, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    storing_attempts = models.PositiveSmallIntegerField(default=0)
    link_attempts = models.PositiveSmallIntegerField(default=0)
    # The next look; while a worker has it, the end of that worker's lease.
    due_at = models.DateTimeField(default=timezone.now)
    claimed_by = models.CharField(max_length=100, blank=True)

    task_id = models.CharField(max_length=200, blank=True)
    # The task whose dialog was answered: it is paid, and not answered again.
    answered = models.CharField(max_length=200, blank=True)
    progress = models.PositiveSmallIntegerField(null=True)
    note = models.CharField(max_length=120, blank=True)
    # What `storing` has to fetch or take from the spool: one mapping an image.
    outcome = models.JSONField(default=list, blank=True)
    used = models.JSONField(_("what the provider used"), default=dict, blank=True)
    usage = models.JSONField(default=dict, blank=True)
    texts = models.JSONField(_("what the model said"), default=list, blank=True)
    # What its provider offers to do next: mappings in the form of `providers.base.Button`.
    buttons = models.JSONField(default=list, blank=True)
    # Where the adapter's memory of it lies in the storage (megabytes, so not in this row).
    memory = models.CharField(max_length=200, blank=True)
    failed_members = models.PositiveSmallIntegerField(_("images that did not come out"), default=0)
    request_id = models.CharField(_("provider's request id"), max_length=120, blank=True)

    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = GenerationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["team", "-created_at", "-id"], name="generations_of_a_team"),
            models.Index(
                fields=["due_at"],
                name="unfinished_generations",
                condition=Q(status__in=["queued", "submitting", "running", "storing"]),
            ),
            models.Index(fields=["batch"], name="generations_of_a_batch"),
            models.Index(fields=["-created_at", "-id"], name="generations_newest_first"),
            models.Index(fields=["author", "-created_at", "-id"], name="generations_of_an_author"),
            models.Index(fields=["status", "-created_at", "-id"], name="generations_by_status"),
            models.Index(
                fields=["wire_model", "-created_at", "-id"], name="generations_of_a_model"
            ),
            models.Index(
                fields=["request_id"],
                name="generations_by_request_id",
                condition=~Q(request_id=""),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=Status.values), name="a_generation_has_a_known_status"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label}, {self.get_status_display()}"

    @property
    def is_final(self) -> bool:
        """Whether it has come to its end."""
        return self.status in FINAL

    @property
    def takes(self) -> Family:
        """What its model takes. Raises NotOffered if this release does not know the family."""
        return family_named(self.family)

    @property
    def rule(self) -> ActionRule:
        """What its model takes for its action. Raises NotOffered if this release knows neither."""
        return self.takes.rule(self.action)

    @property
    def memory_key(self) -> str:
        """Where its adapter's memory is to lie."""
        return f"teams/{self.team_id}/{self.pk}/memory"

    def button_named(self, id: str) -> Button | None:
        """The button of this id that its provider offered; None if it offered none such."""
        found = next((row for row in self.buttons if row["id"] == id), None)
        return Button(**found) if found else None

    @property
    def seconds(self) -> float | None:
        """How long it took from the first call to the end; None while that is unknown."""
        if self.started_at is None:
            return None
        return ((self.finished_at or timezone.now()) - self.started_at).total_seconds()

    def move_to(self, status: Status, **facts: Any) -> None:
        """Change status and the facts that go with it in one step.

        The update names the status and the claim we believe in, so of two workers that hold
        the same generation only one can move it. Raises IllegalMove for a move that MOVES does
        not have, AlreadyMoved if someone else was first.
        """
        if status not in MOVES[Status(self.status)]:
            raise IllegalMove(f"A {self.status} generation cannot become {status}.")
        here = Generation.objects.filter(pk=self.pk, status=self.status, claimed_by=self.claimed_by)
        if status in FINAL:
            facts = {"finished_at": timezone.now(), "claimed_by": "", **facts}
        if not here.update(status=status, **facts):
            raise AlreadyMoved("Someone else has moved this generation.")
        for name, value in {"status": status, **facts}.items():
            setattr(self, name, value)

    def hold_until(self, due_at: datetime) -> None:
        """Keep the claim until then. Raises AlreadyMoved if it was lost meanwhile."""
        mine = Generation.objects.filter(pk=self.pk, status=self.status, claimed_by=self.claimed_by)
        if not mine.update(due_at=due_at):
            raise AlreadyMoved("Someone else has moved this generation.")
        self.due_at = due_at

    def place_in_line(self) -> int:
        """Its place in the order in which waiting generations are started, from 1."""
        return Generation.objects.places().get(self.pk, 1)


def _counted[T](things: Iterable[T]) -> dict[T, int]:
    return dict(Counter(things))
