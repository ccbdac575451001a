"""Who changed what, when and from where: django-auditlog, told what to watch and whom to name.

Only what is listed in WATCHED is ever written down, field by field, so that no secret can slip in
with a new field. Making images writes nothing here: generations, sessions and the ledger's own
lines are not watched. The log is kept for ever.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from inspect import iscoroutinefunction
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.db.models import Model
from django.db.models.signals import pre_save
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

from generator.models import (
    Cap,
    CatalogueEntry,
    Invitation,
    Membership,
    ShareLink,
    SharingRules,
    StartingCaps,
    Team,
    User,
)

# Each model with the fields that are written down. No password, no digest, no seed of a second
# factor; of the catalogue nothing that the sync writes each day.
WATCHED: dict[type[Model], tuple[str, ...]] = {
    User: ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser"),
    EmailAddress: ("user", "email", "verified", "primary"),
    Authenticator: ("user", "type"),
    Group: ("name",),
    Team: ("name", "slug", "personal_of", "time_zone"),
    Membership: ("team", "user", "role"),
    Invitation: ("team", "email", "role", "expires_at"),
    CatalogueEntry: (
        "wire_model", "label", "family", "offered", "price_kind", "credits_each", "rates",
        "tokens_in", "tokens_out", "price_source", "position", "gone_at",
    ),
    Cap: ("account", "window", "credits", "team_credits", "own_credits"),
    # What a link allows and when it ended; never what is in its address, nor its pass phrase.
    ShareLink: (
        "team", "author", "title", "collection", "expires_at", "most_views", "download",
        "shows_prompt", "watermark", "audience", "takes_replies", "revoked_at",
    ),
    SharingRules: ("default_days", "never_allowed"),
    StartingCaps: (
        "member_day", "member_month", "member_ever", "pool_day", "pool_month", "pool_ever",
    ),
}  # fmt: skip
RIGHTS: dict[type[Model], tuple[str, ...]] = {
    User: ("groups", "user_permissions"),
    Group: ("permissions",),
}

_request: ContextVar[HttpRequest | None] = ContextVar("request", default=None)


def watch() -> None:
    """Have every change of what is WATCHED written down; called once, as the app starts."""
    for model, fields in WATCHED.items():
        auditlog.register(model, include_fields=list(fields), m2m_fields=RIGHTS.get(model, ()))
    # Connected once. The library's own middleware connects one anew for every request.
    pre_save.connect(_say_who, sender=LogEntry, dispatch_uid="generator.audit")


def note(obj: Model, text: str, *, by: User | None = None) -> None:
    """Write down what somebody did with `obj` where no field of a WATCHED row says it.

    `by` may be left out within a request: it is then whoever is signed in. The text must hold no
    secret, prompt or provider's words. Call it in the transaction of the deed.
    """
    LogEntry.objects.log_create(
        obj,
        force_log=True,
        action=LogEntry.Action.UPDATE,
        additional_data={"note": text},
        actor=by,
        actor_email=by.email if by else None,
    )


def who_set(model: type[Model], keys: Iterable[int], field: str) -> dict[int, User]:
    """Who set this WATCHED field of each of these rows last; nobody where no person did."""
    lines = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(model),
        object_id__in=list(keys),
        changes__has_key=field,
    )
    last = {line.object_id: line.actor for line in lines.select_related("actor").order_by("pk")}
    return {key: actor for key, actor in last.items() if actor is not None}


def who_made(obj: Model) -> User | None:
    """Who made this row of a WATCHED model; None where no person did, or nobody knows."""
    made = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(obj),
        object_id=obj.pk,
        action=LogEntry.Action.CREATE,
    )
    line = made.select_related("actor").order_by("pk").first()
    return line.actor if line else None


@sync_and_async_middleware
def remember_request(get_response: Any) -> Any:
    """Middleware: what is written down meanwhile is by this request's user, from its address.

    Neither is looked up before something is written, so other requests pay nothing.
    """
    if iscoroutinefunction(get_response):

        async def asynchronous(request: HttpRequest) -> HttpResponseBase:
            before = _request.set(request)
            try:
                response: HttpResponseBase = await get_response(request)
                return response
            finally:
                _request.reset(before)

        return asynchronous

    def synchronous(request: HttpRequest) -> HttpResponseBase:
        before = _request.set(request)
        try:
            response: HttpResponseBase = get_response(request)
            return response
        finally:
            _request.reset(before)

    return synchronous


def _say_who(sender: Any, instance: Any, **_facts: Any) -> None:
    """Name the request's user and address on a line that is about to be written."""
    request = _request.get()
    if request is None:
        return
    user = getattr(request, "user", None)
    if instance.actor is None and isinstance(user, User):
        instance.actor, instance.actor_email = user, user.email
    instance.remote_addr = _address(request)


def _address(request: HttpRequest) -> str | None:
    """Where it came from, as the limits on guessing see it: a header that no proxy of ours set
    counts for nothing (A3)."""
    try:
        address: str = get_adapter().get_client_ip(request)
    except (PermissionDenied, ImproperlyConfigured):
        return None
    return address
