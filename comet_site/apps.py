"""Apps of others, named and set up for this project."""

from django.contrib.admin.apps import AdminConfig
from django_rq.apps import DjangoRqAdminConfig


class StudioAdminConfig(AdminConfig):
    """Django's admin, with our site, which can be imported only once all apps are loaded."""

    default_site = "comet_site.admin.StudioAdminSite"


class QueueConfig(DjangoRqAdminConfig):
    """The queue's pages in the admin, under a name that people read."""

    verbose_name = "Queue"
