"""Staff suspend people, open them again, and hand over what they made: asked about first."""

from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from generator import leaving
from generator.admin.base import StudioAdmin
from generator.admin.looked_up import KeyField
from generator.errors import NotAllowed
from generator.models import Generation, Membership, Status, User

AT_ONCE = 100  # people
PERSON = "admin:generator_user_change"


class NamesView(AutocompleteJsonView):
    """Django's look-up of people, who stand in it by name."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        """Of one person, for the list to pick from."""
        return {**super().serialize_result(obj, to_field_name), "text": _named(obj)}


class PersonField(KeyField):
    """Looks people up by way of NamesView."""

    def get_url(self) -> str:
        """Where it looks."""
        return reverse("admin:generator_user_names")


class PersonChoice(forms.ModelChoiceField):  # type: ignore[type-arg]  # no subscript at run time
    """One person, by name."""

    def label_from_instance(self, obj: Any) -> str:
        """As in the list that one picked from."""
        return _named(obj)


class SuccessorForm(forms.Form):
    """Who gets what a leaver made."""

    # People are looked up by way of a field that points at them. Who may is said in words.
    to = PersonChoice(
        User.objects.all(),
        label=_("To whom"),
        widget=PersonField(Membership._meta.get_field("user"), admin.site),
    )


class Departures(StudioAdmin):
    """The part of the people's pages that shuts accounts and opens them."""

    actions = ["suspend", "open_again"]

    def get_urls(self) -> list[URLPattern]:
        """The usual ones, and those behind the buttons of a person's page."""
        here = [
            path(
                f"<int:pk>/{address}/",
                self.admin_site.admin_view(view),
                name=f"generator_user_{name}",
            )
            for address, view, name in (
                ("suspend", self.suspend_here, "suspend"),
                ("open-again", self.open_again_here, "open_again"),
                ("hand-over", self.hand_over_here, "hand_over"),
            )
        ]
        names = self.admin_site.admin_view(NamesView.as_view(admin_site=self.admin_site))
        here.append(path("names/", names, name="generator_user_names"))
        return [*here, *super().get_urls()]

    @admin.action(
        description=_("Suspend: no sign-in, sessions end, what waits is withdrawn"),
        permissions=["change"],
    )
    def suspend(self, request: HttpRequest, people: QuerySet[User]) -> HttpResponse | None:
        """Shut the chosen accounts, once that is confirmed; never one's own."""
        chosen = list(people[:AT_ONCE])
        if "confirmed" not in request.POST:
            others = [person for person in chosen if person != request.user]
            if len(others) < len(chosen):
                self.message_user(request, leaving.NOT_ONESELF, messages.WARNING)
            return self._ask(request, others) if others else None
        self._suspend(request, chosen)
        return None

    @admin.action(description=_("Open suspended accounts again"), permissions=["change"])
    def open_again(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Let the chosen sign in again."""
        self._open_again(request, list(people.filter(is_active=False)[:AT_ONCE]))

    def suspend_here(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shut this account, once that is confirmed."""
        person = self._person(request, pk)
        if request.method != "POST" and person == request.user:
            self.message_user(request, leaving.NOT_ONESELF, messages.WARNING)
            return redirect(PERSON, pk)
        if request.method != "POST":
            return self._ask(request, [person], here=True)
        self._suspend(request, [person])
        return redirect(PERSON, pk)

    def open_again_here(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let this person sign in again."""
        person = self._person(request, pk)
        if request.method == "POST":
            self._open_again(request, [person])
        return redirect(PERSON, pk)

    def hand_over_here(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what handing over would do and to whom; then do it."""
        leaver = self._person(request, pk)
        form = SuccessorForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            assert isinstance(request.user, User)
            to = form.cleaned_data["to"]
            try:
                over = leaving.hand_over(leaver, to, by=request.user)
            except NotAllowed as error:
                form.add_error("to", str(error))
            else:
                self.message_user(request, leaving.told(over, leaver, to), messages.SUCCESS)
                return redirect(PERSON, pk)
        over = leaving.what_goes_over(leaver)
        context = {
            "form": form,
            "over": over,
            "is_nothing_left": not (over.to_own or over.left),
            "media": self.media + form.media,
        }
        title = gettext("Hand over what %(name)s made") % {"name": leaver.shown_name}
        return self._page(request, "hand_over", [leaver], title=title, **context)

    def _ask(self, request: HttpRequest, chosen: list[User], *, here: bool = False) -> HttpResponse:
        waiting = Generation.objects.filter(author__in=chosen, status=Status.QUEUED).count()
        title = ngettext("Suspend %(name)s?", "Suspend %(count)d people?", len(chosen)) % {
            "name": chosen[0].shown_name if chosen else "",
            "count": len(chosen),
        }
        facts = {"here": here, "waiting": waiting, "action_checkbox_name": ACTION_CHECKBOX_NAME}
        return self._page(request, "suspend", chosen, title=title, **facts)

    def _page(
        self, request: HttpRequest, name: str, chosen: list[User], **facts: Any
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "chosen": chosen,
            **facts,
        }
        return render(request, f"admin/generator/user/{name}.html", context)

    def _person(self, request: HttpRequest, pk: int) -> User:
        person = User.objects.filter(pk=pk).first()
        if person is None:
            raise Http404
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        return person

    def _suspend(self, request: HttpRequest, people: Iterable[User]) -> None:
        withdrawn = revoked = 0

        def do(person: User, by: User) -> None:
            nonlocal withdrawn, revoked
            done = leaving.suspend(person, by=by)
            withdrawn, revoked = withdrawn + done.withdrawn, revoked + done.revoked

        count = self._each(request, people, do)
        if count:
            text = ngettext(
                "%(count)d account was suspended.", "%(count)d accounts were suspended.", count
            )
            said = (text % {"count": count}, _withdrawn(withdrawn), _revoked(revoked))
            self.message_user(request, " ".join(each for each in said if each))

    def _open_again(self, request: HttpRequest, people: Iterable[User]) -> None:
        count = self._each(request, people, lambda person, by: leaving.open_again(person, by=by))
        text = ngettext(
            "%(count)d account was opened again.", "%(count)d accounts were opened again.", count
        )
        if count:
            self.message_user(request, text % {"count": count})

    def _each(
        self, request: HttpRequest, people: Iterable[User], do: Callable[[User, User], None]
    ) -> int:
        """Do it with each; one with whom it may not be done holds up none of the others."""
        assert isinstance(request.user, User)
        count = 0
        for person in people:
            try:
                do(person, request.user)
                count += 1
            except NotAllowed as error:
                self.message_user(request, f"{person.shown_name}: {error}", messages.WARNING)
        return count


def _withdrawn(count: int) -> str:
    text = ngettext(
        "%(count)d waiting generation was withdrawn.",
        "%(count)d waiting generations were withdrawn.",
        count,
    )
    return text % {"count": count} if count else ""


def _revoked(count: int) -> str:
    text = ngettext(
        "%(count)d sharing link was revoked.", "%(count)d sharing links were revoked.", count
    )
    return text % {"count": count} if count else ""


def _named(person: User) -> str:
    shown = person.shown_name
    return shown if shown == person.username else f"{shown} · {person.username}"
