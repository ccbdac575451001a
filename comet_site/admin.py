"""The admin's site: behind allauth's own sign-in, under a security policy of its own."""

from collections.abc import Callable
from typing import Any

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csp import csp_override
from unfold.sites import UnfoldAdminSite


class StudioAdminSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold is not typed
    """Every page of the admin, and the queue's pages in it, pass through `admin_view`."""

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """The view for staff only, with the looser policy that pages of others need."""
        guarded: Callable[..., Any] = super().admin_view(view, cacheable)
        return csp_override(settings.ADMIN_CSP)(guarded)

    @method_decorator([login_not_required, secure_admin_login])
    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """allauth's sign-in, so that nobody walks past the second factor. 403 for non-staff."""
        response: HttpResponse = super().login(request, extra_context)
        return response


def favicon(request: HttpRequest) -> str:
    """The studio's own, for UNFOLD."""
    return static("favicon.svg")


def board_styles(request: HttpRequest) -> str:
    """Those of our own pages in the admin, for UNFOLD."""
    return static("css/admin.css")


def table_styles(request: HttpRequest) -> str:
    """Those of lists, or on the queue's pages, which are not unfold's, theirs, for UNFOLD."""
    is_queue = request.path.startswith(reverse("admin:django_rq_home"))
    return static("css/admin_queue.css" if is_queue else "css/admin_tables.css")
