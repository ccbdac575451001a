"""Django's admin, with our site in place of its own."""

from django.contrib.admin.apps import AdminConfig


class StudioAdminConfig(AdminConfig):
    """Kept apart from the site itself, which can be imported only once all apps are loaded."""

    default_site = "comet_site.admin.StudioAdminSite"
