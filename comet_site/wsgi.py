"""For servers that speak WSGI; the live stream wants ASGI."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comet_site.settings")
application = get_wsgi_application()
