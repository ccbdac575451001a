"""Mounts the studio, the accounts, the admin and the queue's pages."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/queue/", include("django_rq.urls")),
    path("admin/", admin.site.urls),
    path("", include("generator.urls")),
]
