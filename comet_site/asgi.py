"""What uvicorn serves."""

import os
import warnings

from django.core.asgi import get_asgi_application

from comet_site.bounds import bounded
from comet_site.leaving import told_late

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "comet_site.settings")
# Static files come from whitenoise, file by file, read whole: they are small.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous")
application = bounded(told_late(get_asgi_application()))
