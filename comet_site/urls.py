"""Mounts the studio, the accounts, and the admin, which holds the queue's pages too."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("", include("generator.urls")),
]
