"""Mounts the studio, the accounts, and the admin, which holds the queue's pages too."""

from django.contrib import admin
from django.urls import include, path

from generator.admin import staff_usage

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("admin/usage/", admin.site.admin_view(staff_usage.page), name="admin_usage"),
    path("admin/usage/sums.csv", admin.site.admin_view(staff_usage.sums), name="admin_usage_sums"),
    path("admin/", admin.site.urls),
    path("", include("generator.urls")),
]
