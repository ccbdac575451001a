"""Who is here: users, teams, and what a user may do in a team."""

import hashlib
import secrets
import zoneinfo
from datetime import date, timedelta
from typing import Any, Self

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from generator.models.roles import Deed, Role, may, may_give

LONGEST_NAME = 80  # characters of a team's name; those of people may be longer


class User(AbstractUser):
    """A person with an account. Everyone has a personal team from the first save on."""

    email = models.EmailField(_("e-mail address"), blank=True)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="one_account_an_email",
                condition=~models.Q(email=""),
                violation_error_message=_("There is an account with this e-mail address."),
            ),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new user gets their personal team in the same transaction."""
        if not self._state.adding:
            super().save(*args, **kwargs)
            return
        with transaction.atomic():
            super().save(*args, **kwargs)
            Team.objects.create_personal(self)

    @property
    def shown_name(self) -> str:
        """What pages call this person."""
        return self.get_full_name() or self.username

    @property
    def initials(self) -> str:
        """One or two letters for the round sign."""
        words = self.shown_name.replace(".", " ").replace("-", " ").split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()


def valid_time_zone(name: str) -> None:
    """Raise ValidationError unless `name` is a time zone of the IANA database."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("There is no time zone of this name."))


class TeamQuerySet(models.QuerySet["Team"]):
    """Teams, by name of the question."""

    def of(self, user: User) -> Self:
        """The teams this person is a member of; their own comes last, as it is always there."""
        return self.filter(memberships__user=user).order_by(
            models.F("personal_of").asc(nulls_first=True), "name"
        )

    def create_personal(self, user: User) -> "Team":
        """The team that is a person's own; they own it. Of two at once both get the same."""
        name = user.shown_name[:LONGEST_NAME]
        try:
            return self._create(user.username, owner=user, name=name, personal_of=user)
        except IntegrityError:
            if there := self.filter(personal_of=user).first():
                return there
            raise

    def create_shared(self, name: str, *, owner: User, time_zone: str = "UTC") -> "Team":
        """A team for several, which this person makes and owns."""
        return self._create(name, owner=owner, name=name, time_zone=time_zone, made_by=owner)

    def held(self, pk: int) -> "Team":
        """The team, locked: who is in it, and as what, changes by one at a time.

        Only inside a transaction. The lock lets images be begun meanwhile.
        """
        return self.select_for_update(no_key=True).get(pk=pk)

    def _create(self, wanted: str, *, owner: User, **facts: Any) -> "Team":
        slug = stem = slugify(wanted)[:40] or "team"
        while True:
            # Not looked up before: somebody else may take the address in between.
            try:
                with transaction.atomic():
                    team = self.create(slug=slug, **facts)
                    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
                    return team
            except IntegrityError:
                if not self.filter(slug=slug).exists():
                    raise
                slug = f"{stem}-{secrets.token_hex(3)}"


class Team(models.Model):
    """A group of people who share images and a pool of credits."""

    name = models.CharField(_("name"), max_length=LONGEST_NAME)
    slug = models.SlugField(_("address"), max_length=60, unique=True)
    personal_of = models.OneToOneField(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="personal_team"
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="UTC", validators=[valid_time_zone]
    )
    # Whoever made it, whoever owns it by now; None where staff did, or a shell.
    made_by = models.ForeignKey(
        User, on_delete=models.SET_NULL, null=True, related_name="made_teams", editable=False
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    objects = TeamQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    def today(self) -> date:
        """The date in the team's time zone: credits count by it."""
        return timezone.localtime(timezone=zoneinfo.ZoneInfo(self.time_zone)).date()


class Membership(models.Model):
    """One user in one team, with a role."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="a_user_is_once_in_a_team"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"

    def may(self, deed: Deed) -> bool:
        """Whether this member may do it."""
        return may(self.role, deed)

    def may_invite(self, role: str) -> bool:
        """Whether this member may ask somebody in as a `role`."""
        return self.may(Deed.INVITE) and may_give(self.role, role)

    @property
    def may_make(self) -> bool:
        """Whether this member may make images."""
        return self.may(Deed.MAKE)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations, by name of the question."""

    def open(self, secret: str) -> "Invitation | None":
        """The invitation behind this secret, if it may still be taken.

        One that whoever sent it may not give any more is over, like one of an earlier day.
        """
        found = self.still_open().filter(secret_digest=_digest(secret)).first()
        return found if found and found.is_backed() else None

    def still_open(self) -> Self:
        """Neither taken nor over, whoever sent them."""
        return self.filter(accepted_at=None, expires_at__gt=timezone.now())

    def to_mail(self) -> Self:
        """Those whose letter is to go out now."""
        now = timezone.now()
        return self.still_open().filter(mailed_at=None, mail_at__lte=now).order_by("pk")


def _two_weeks() -> Any:
    return timezone.now() + timedelta(days=14)


class Invitation(models.Model):
    """Asks somebody into a team, by a link whose secret is kept only as a digest."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(_("e-mail address"))
    role = models.CharField(_("role"), max_length=10, choices=Role, default=Role.MEMBER)
    secret_digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), default=_two_weeks)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # When its letter is to go out; None where it goes by hand. Once mailed, the link proves that
    # whoever has it reads the mail of this address.
    mail_at = models.DateTimeField(null=True, editable=False)
    mailed_at = models.DateTimeField(null=True, editable=False)
    mail_tries = models.PositiveSmallIntegerField(default=0, editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["team", "-id"], name="invitations_of_a_team"),
            models.Index(fields=["email", "created_at"], name="invitations_to_an_address"),
            models.Index(
                fields=["mail_at"],
                name="unsent_invitations",
                condition=models.Q(mailed_at=None, mail_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.email} into {self.team}"

    def new_secret(self) -> str:
        """A fresh secret for the link; shown once, only its digest is kept on the row."""
        secret = secrets.token_urlsafe(24)
        self.secret_digest = _digest(secret)
        return secret

    def is_backed(self) -> bool:
        """Whether whoever sent it may still give this role."""
        rows = Membership.objects.filter(team=self.team_id, user=self.invited_by_id)
        return self.is_backed_by(rows.first() if self.invited_by_id else None)

    def is_backed_by(self, sender: Membership | None) -> bool:
        """The same, told the membership of whoever sent it: their rank may, or they are on the
        staff, and they are not suspended. What nobody sent (from a shell) holds."""
        if self.invited_by is None:
            return True
        if not self.invited_by.is_active:
            return False
        return self.invited_by.is_staff or (sender is not None and sender.may_invite(self.role))
