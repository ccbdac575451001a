"""The audit log: who changed what, when and from where. Nobody writes or deletes here."""

from collections.abc import Collection, Iterable
from typing import Any

import auditlog.admin  # noqa: F401  # registered there, to be replaced here
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from auditlog.models import LogEntry
from django.contrib import admin
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from generator.admin import caps, left
from generator.admin.base import LargeTableAdmin, people_named
from generator.audit import RIGHTS, WATCHED
from generator.models import Cap, Generation, Membership, QuotaAccount, User

admin.site.unregister(LogEntry)

NOTED: tuple[type[Model], ...] = (
    QuotaAccount,
    Generation,
)  # of these, only what staff did with them
A_WINDOW = {"day": _("a day"), "month": _("a month"), "ever": _("in all")}
MOST_STAFF = 50  # people to choose from in the filter


class KindFilter(DropdownFilter):  # type: ignore[misc]  # unfold is not typed
    """By what was changed."""

    title = _("what")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each model that can be in the log."""
        kinds = ((model._meta.label_lower, _name_of(model)) for model in (*WATCHED, *NOTED))
        return sorted(kinds, key=lambda kind: kind[1])

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those about the chosen."""
        models = {model._meta.label_lower: model for model in (*WATCHED, *NOTED)}
        model = models.get(self.value() or "")
        return rows.filter(content_type=ContentType.objects.get_for_model(model)) if model else rows


class ActorFilter(DropdownFilter):  # type: ignore[misc]
    """By who did it: staff to choose from, anybody by the address of their page's link."""

    title = _("by whom")
    parameter_name = "actor"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Staff, and who is chosen."""
        wanted = Q(is_staff=True) | Q(pk=_key(request.GET.get(self.parameter_name)))
        people = User.objects.filter(wanted).order_by("-is_staff", "username")[:MOST_STAFF]
        return [("0", gettext("the studio itself")), *((str(p.pk), p.shown_name) for p in people)]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those by the chosen."""
        chosen = _key(self.value())
        return rows if chosen is None else rows.filter(actor=chosen or None)


class AboutFilter(DropdownFilter):  # type: ignore[misc]
    """By whom it was done to; the link on a person's page asks it."""

    title = _("about whom")
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Who is chosen; nobody else can be here."""
        chosen = User.objects.filter(pk=_key(request.GET.get(self.parameter_name)) or 0)
        return [(str(person.pk), person.shown_name) for person in chosen]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Those about the chosen."""
        chosen = _key(self.value())
        return rows if chosen is None else rows.filter(_done_to([chosen]))


@admin.register(LogEntry)
class LogEntryAdmin(LargeTableAdmin):
    """Newest first, by key: a key grows with time, and each of the indexes ends in it."""

    list_display = ["timestamp", "who", "what", "in_short", "remote_addr"]
    list_display_links = ["timestamp"]
    list_select_related = ["actor", "content_type"]
    list_filter = [KindFilter, ActorFilter, AboutFilter, ("timestamp", admin.DateFieldListFilter)]
    ordering = ["-id"]
    search_help_text = _(
        "Who did it, whom it was done to, or the number of what was changed: "
        "a name, an address, 17."
    )
    fields = readonly_fields = ["timestamp", "who", "what", "told", "remote_addr"]

    @admin.display(description=_("who"))
    def who(self, line: Any) -> SafeString | str:
        """The way to whoever did it."""
        if line.actor is not None:
            return caps.link_to(line.actor)
        return line.actor_email or gettext("the studio itself")

    @admin.display(description=_("what"))
    def what(self, line: Any) -> SafeString | str:
        """The way to what was changed, where it has a page and is there."""
        model = line.content_type.model_class()
        more = line.additional_data or {}
        named = more.get("account", line.object_repr)
        name = f"{_name_of(model) if model else line.content_type.name}: {named}"
        stem = f"admin:{line.content_type.app_label}_{line.content_type.model}"
        try:
            if "account_id" in more:  # a cap has no page but its account's
                there = reverse("admin:generator_quotaaccount_change", args=[more["account_id"]])
            else:
                there = reverse(f"{stem}_change", args=[line.object_pk])
        except NoReverseMatch:
            return name
        html = '<a class="text-primary-600 dark:text-primary-500" href="{}">{}</a>'
        return format_html(html, there, name)

    @admin.display(description=_("change"))
    def in_short(self, line: Any) -> SafeString:
        """The change; of what was made or deleted only that, the rest is on the line's page."""
        is_long = line.action != LogEntry.Action.UPDATE and line.content_type.model != "cap"
        short = 1 if is_long else None
        return caps.in_lines(_told(line)[:short])

    @admin.display(description=_("change"))
    def told(self, line: Any) -> SafeString:
        """Each field with what it was and is, or what was done."""
        return caps.in_lines(_told(line))

    def found(self, rows: QuerySet[Any], term: str) -> QuerySet[Any]:
        """By who did it, by whom it was done to, or by the key of what it was done with."""
        people = people_named(term)
        return rows.filter(Q(actor__in=people) | Q(object_pk=term) | _done_to(people))


def _done_to(people: Collection[int]) -> Q:
    """Lines about these few people, their accounts and caps, their places in teams and ways in.

    What is theirs is looked up first, in small tables: the log has an index by key alone. Caps
    that are gone are found by the lines of their end, which are few.
    """
    accounts = list(QuotaAccount.objects.filter(user__in=people).values_list("pk", flat=True))
    gone = LogEntry.objects.filter(
        content_type=ContentType.objects.get_for_model(Cap),
        action=LogEntry.Action.DELETE,
        additional_data__account_id__in=accounts,
    )
    caps_gone = gone.order_by().values_list("object_id", flat=True)
    theirs: dict[type[Model], Iterable[int]] = {
        User: people,
        QuotaAccount: accounts,
        Cap: {*_keys(Cap, account__in=accounts), *caps_gone},
        Membership: _keys(Membership, user__in=people),
        EmailAddress: _keys(EmailAddress, user__in=people),
        Authenticator: _keys(Authenticator, user__in=people),
    }
    found = Q(pk__in=[])
    for model, keys in theirs.items():
        kind = ContentType.objects.get_for_model(model)
        found |= Q(content_type=kind, object_id__in=list(keys))
    return found


def _keys(model: type[Model], **wanted: Any) -> list[int]:
    return list(model._default_manager.filter(**wanted).values_list("pk", flat=True))


def _told(line: Any) -> list[str]:
    if note := (line.additional_data or {}).get("note"):
        return [note]
    model = line.content_type.model_class()
    if model is Cap:
        return _told_of_a_cap(line)
    order = [*WATCHED.get(model, ()), *RIGHTS.get(model, ())]
    changes = sorted(
        (line.changes or {}).items(),
        key=lambda change: order.index(change[0]) if change[0] in order else len(order),
    )
    lines = [_in_words(model, name, change) for name, change in changes]
    if line.action == LogEntry.Action.CREATE:
        return [gettext("made"), *lines]
    if line.action == LogEntry.Action.DELETE:
        return [gettext("deleted"), *lines]
    return lines


def _told_of_a_cap(line: Any) -> list[str]:
    """`credits a day: none → 500`; which window it is, its own name says at the end."""
    window = A_WINDOW.get(line.object_repr.rpartition(" ")[2], "")
    changes = line.changes or {}
    lines = []
    for name in ("credits", "team_credits", "own_credits"):
        old, new = (_number(each) for each in changes.get(name, ("None", "None")))
        if old != new:
            lines.append(f"{_label(Cap, name)} {window}: {old} → {new}")
    return lines


def _number(said: str) -> str:
    return left.grouped(int(said)) if said.isdecimal() else gettext("none")


def _in_words(model: Any, name: str, change: Any) -> str:
    label = _label(model, name) if model else name
    if isinstance(change, dict):
        verb = gettext("given") if change["operation"] == "add" else gettext("taken")
        return f"{label} {verb}: {', '.join(change['objects'])}"
    old, new = ("–" if each in ("None", "") else each for each in change)
    return f"{label}: {old} → {new}" if old != "–" else f"{label}: {new}"


def _label(model: Any, name: str) -> str:
    return str(model._meta.get_field(name).verbose_name)


def _key(said: str | None) -> int | None:
    fits = said is not None and said.isascii() and said.isdecimal() and len(said) < 19
    return int(said) if said and fits else None


def _name_of(model: Any) -> str:
    return str(model._meta.verbose_name)
