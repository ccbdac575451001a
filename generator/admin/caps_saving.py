"""Pages that set the caps of several accounts: which locks they take, and in which order."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse

from generator.models import QuotaAccount, Team, User


class SetsCaps:
    """The part of a page that sets caps: all accounts that it may write are locked at first.

    In the order of keys, as whoever begins an image locks them: in another, the two would wait for
    each other. A team is held before its accounts, since its page changes members as well. What
    locks generations must wait for the commit (see `TeamAdmin.save_formset`): workers hold those
    before accounts.
    """

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page; a save is one transaction from the locks on."""
        page: Any = super()
        if request.method != "POST" or object_id is None:
            shown: HttpResponse = page.changeform_view(request, object_id, *args, **kwargs)
            return shown
        with transaction.atomic():
            here: Any = self
            _lock(here.get_object(request, unquote(object_id)))
            answer: HttpResponse = page.changeform_view(request, object_id, *args, **kwargs)
            return answer


def _lock(owner: User | Team | QuotaAccount | None) -> None:
    match owner:
        case User():
            wanted = Q(user=owner)
        case Team():
            Team.objects.held(owner.pk)
            wanted = Q(team=owner)
        case QuotaAccount():
            wanted = Q(pk=owner.pk)
        case _:
            return
    accounts = QuotaAccount.objects.select_for_update(of=("self",)).filter(wanted)
    list(accounts.order_by("pk").values_list("pk"))
