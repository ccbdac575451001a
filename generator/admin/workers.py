"""Which workers live."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from generator.admin.base import ReadOnlyAdmin
from generator.models import WorkerSeen


@admin.register(WorkerSeen)
class WorkerSeenAdmin(ReadOnlyAdmin):
    """Signs of life."""

    list_display = ["name", "seen_at"]
    ordering = ["-seen_at"]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """All staff: it says only which workers live."""
        return request.user.is_staff
