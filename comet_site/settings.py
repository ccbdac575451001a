"""Every setting, once, read from the environment. Nothing set: a demo on this machine."""

import secrets
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import dj_database_url
from django.utils.csp import CSP

from comet_site import env
from comet_site.admin_look import ADMIN_LOOK

ROOT = Path(__file__).resolve().parent.parent

# Three kinds of run: nothing said, a demo; DEBUG=1, a demo with Django's debug pages;
# DEBUG=0, a deployment, in which whatever is missing stops the start by name.
DEMO = env.flag("DEBUG", default=True)
DEBUG = env.flag("DEBUG", default=False)

DATA = env.folder("STUDIO_DATA", ROOT / "var")
HOST = env.text("STUDIO_HOST", "127.0.0.1")
PORT = env.number("STUDIO_PORT", 8000, least=1)


def _demo_secret() -> str:
    """A demo's own key, made once and kept with its data, so that sign-ins outlive a restart."""
    kept = DATA / "secret-key"
    try:
        secret = kept.read_text() if kept.exists() else ""
        if not secret:
            secret = secrets.token_urlsafe(48)
            DATA.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept.touch(mode=0o600)
            kept.write_text(secret)
        return secret
    except OSError:  # `studio up` says what is wrong with the folder, in one line
        return secrets.token_urlsafe(48)


SECRET_KEY = env.required("SECRET_KEY", unless=DEMO) or _demo_secret()
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or ["localhost", "127.0.0.1", "[::1]"]
if not DEMO:
    env.required("ALLOWED_HOSTS", unless=False)
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")
# Where people find the studio: for what is printed in a shell. Passkeys take no bare address.
ADDRESS = env.text(
    "STUDIO_ADDRESS", f"http://localhost:{PORT}" if DEMO else f"https://{ALLOWED_HOSTS[0]}"
)

# ── The gateway ──
COMETAPI_KEY = env.required("COMETAPI_KEY", unless=DEMO)
COMETAPI_BASE_URL = env.text("COMETAPI_BASE_URL", "https://api.cometapi.com")
COMETAPI_IMAGE_ORIGINS = env.words("COMETAPI_IMAGE_ORIGINS")
# The host that tells the balance where the gateway does not. The key goes there in the address,
# so another gateway's key never goes to CometAPI's host.
_gateway = urlsplit(COMETAPI_BASE_URL)
COMETAPI_QUERY_URL = env.text(
    "COMETAPI_QUERY_URL",
    "https://query.cometapi.com"
    if _gateway.hostname == "api.cometapi.com"
    else f"{_gateway.scheme}://{_gateway.netloc}",
)
# `studio up` sets it when it has started the stand-in gateway; pages say so.
SANDBOX = env.flag("STUDIO_SANDBOX", default=False)

# ── Credits and ceilings ──
CREDITS_PER_DOLLAR = env.number("STUDIO_CREDITS_PER_DOLLAR", 1000, least=1)
# What the prices of the gateway and of the families file are multiplied by; never the staff's own.
PRICE_FACTOR = env.positive("STUDIO_PRICE_FACTOR", Decimal(1))
CREDITS_PER_MONTH = env.number("STUDIO_CREDITS_PER_MONTH", 10_000)
CREDITS_PER_DAY = env.number("STUDIO_CREDITS_PER_DAY", 0)  # 0: no cap of a day
TEAM_CREDITS_PER_MONTH = env.number("STUDIO_TEAM_CREDITS_PER_MONTH", 0)  # 0: no cap of the pool
MOST_TEAMS = env.number("STUDIO_MOST_TEAMS", 3)  # 0: only staff make teams
MEMBER_AT_ONCE = env.number("STUDIO_MEMBER_AT_ONCE", 8, least=1)
STUDIO_AT_ONCE = env.number("STUDIO_AT_ONCE", 200, least=1)
PROVIDER_AT_ONCE = env.number("STUDIO_PROVIDER_AT_ONCE", 200, least=1)
WORKER_THREADS = env.number("STUDIO_WORKER_THREADS", 200, least=1)
# A worker unseen for so many seconds is dead, and so are the paid calls it was making.
WORKER_LOST_AFTER = env.number("STUDIO_WORKER_LOST_AFTER", 60, least=2)
SWEEP_EVERY = env.number("STUDIO_SWEEP_EVERY", 30, least=1)
# Whether a provider can fetch an image from the storage by a signed link.
STORAGE_IS_REACHABLE = env.flag("STUDIO_STORAGE_IS_REACHABLE", default=False)
KEEP_SETTINGS_IN_DOWNLOADS = env.flag("STUDIO_SETTINGS_IN_DOWNLOADS", default=True)
SIGN_UP_OPEN = env.flag("STUDIO_SIGN_UP", default=False)

# ── Django ──
INSTALLED_APPS = [
    "generator.apps.GeneratorConfig",
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "comet_site.apps.StudioAdminConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "auditlog",
    "django_htmx",
    "comet_site.apps.QueueConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "generator.access.htmx_login",
    "generator.audit.remember_request",
]
ROOT_URLCONF = "comet_site.urls"
ASGI_APPLICATION = "comet_site.asgi.application"
WSGI_APPLICATION = "comet_site.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "generator.access.shell",
            ],
        },
    },
]

# ── What is stored, and where ──
DATABASE_URL = env.required(
    "DATABASE_URL", unless=DEMO, default=f"sqlite:///{quote(str(DATA / 'studio.sqlite3'))}"
)
_database: Any = dj_database_url.parse(DATABASE_URL)
if _database["ENGINE"] == "django.db.backends.sqlite3":
    _database["ENGINE"] = "generator.sqlite"  # Django's own, with a queue for writers
    _database["OPTIONS"] = {
        # select_for_update is silent on SQLite; a writer takes the whole file instead.
        "transaction_mode": "IMMEDIATE",
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
elif _database["ENGINE"] == "django.db.backends.postgresql":
    _database["CONN_HEALTH_CHECKS"] = True  # or a restart of the server is met by every thread
    _database.setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 20, "timeout": 30}
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {
    # The database's: all processes share the counts of wrong passwords, and they hang on nothing.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "django_cache",
        # A full cache forgets a third of what it holds, and with it counts of wrong passwords.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

BUCKET = env.required("AWS_STORAGE_BUCKET_NAME", unless=DEMO)
_bucket_endpoint = env.text("AWS_S3_ENDPOINT_URL")
# Where pages may load images from: the bucket's origin, since its links go there.
_bucket_origin = "://".join(urlsplit(_bucket_endpoint)[:2]) if BUCKET else ""
IMAGE_ORIGINS = env.words("STUDIO_IMAGE_ORIGINS") or (
    [_bucket_origin if _bucket_endpoint else "https://*.amazonaws.com"] if BUCKET else []
)
# How long a link to a stored image works, in seconds. Such links are made when read, never kept.
IMAGE_LINK_LIFE = 300
_images: dict[str, Any] = (
    {
        "BACKEND": "generator.s3.SharedS3Storage",
        "OPTIONS": {
            "bucket_name": BUCKET,
            "endpoint_url": _bucket_endpoint or None,
            "region_name": env.text("AWS_S3_REGION_NAME") or None,
            "access_key": env.text("AWS_ACCESS_KEY_ID") or None,
            "secret_key": env.text("AWS_SECRET_ACCESS_KEY") or None,
            "default_acl": None,
            "querystring_auth": True,
            "querystring_expire": IMAGE_LINK_LIFE,
            "file_overwrite": True,
            "signature_version": "s3v4",
            "addressing_style": env.text("AWS_S3_ADDRESSING_STYLE", "auto"),
            "object_parameters": {"CacheControl": "private, max-age=86400"},
        },
    }
    if BUCKET
    else {
        "BACKEND": "generator.models.storage.SignedFileStorage",
        "OPTIONS": {
            "location": DATA / "images",
            "allow_overwrite": True,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
        },
    }
)
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": DATA / "files"},
    },
    "images": _images,
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEMO
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# Paid images on their way into storage; on several hosts, a folder that all of them share.
SPOOL = env.folder("STUDIO_SPOOL", DATA / "spool")
STATIC_URL = "/static/"
STATIC_ROOT = env.folder("STUDIO_STATIC", ROOT / "staticfiles")
STATICFILES_DIRS = [ROOT / "static"]
WHITENOISE_USE_FINDERS = DEMO
WHITENOISE_AUTOREFRESH = DEBUG

# ── The queue ──
REDIS_URL = env.required(
    "REDIS_URL", unless=DEMO, default=f"unix://{quote(str(DATA / 'valkey.sock'))}"
)
RQ_QUEUES = {
    name: {"URL": REDIS_URL, "SERIALIZER": "rq.serializers.JSONSerializer", "DEFAULT_TIMEOUT": -1,
           "REDIS_CLIENT_KWARGS": {"socket_connect_timeout": 2}}
    for name in ("default", "pictures")
}  # fmt: skip
RQ = {"DEFAULT_RESULT_TTL": 0, "DEFAULT_FAILURE_TTL": 86_400}

# ── People ──
AUTH_USER_MODEL = "generator.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "generator.accounts.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "generator.accounts.SignInForm",
    "signup": "generator.accounts.SignUpForm",
}
ACCOUNT_LOGIN_METHODS = {"email", "username"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = "[Comet Studio] "
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_SESSION_REMEMBER = None
# Guessing is counted by address and by name; what is not named here is as allauth has it.
ACCOUNT_RATE_LIMITS = {
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/300s/key",
    "signup": "20/m/ip",
}
# On, it would write a row for every request.
USERSESSIONS_TRACK_ACTIVITY = False
MFA_FORMS = {"add_webauthn": "generator.accounts.AddKeyForm"}
# Without a mail server no address is ever verified; the second factor must not hang on that.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = DEMO  # http://localhost, and nothing else
MFA_TOTP_ISSUER = "Comet Studio"
# The log of changes says "Mara in Northlight", not a number.
AUDITLOG_USE_FK_STRING_REPRESENTATION = True
# Behind a proxy the visitor's address is in a header: said here, or the header counts for nothing.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("STUDIO_PROXIES", 0)

EMAIL_URL = env.text("EMAIL_HOST")
MAILERS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "OPTIONS": {
            "host": EMAIL_URL,
            "port": env.number("EMAIL_PORT", 587),
            "username": env.text("EMAIL_HOST_USER"),
            "password": env.text("EMAIL_HOST_PASSWORD"),
            "use_tls": env.flag("EMAIL_USE_TLS", default=True),
            "timeout": 20,  # seconds; one that hangs would keep a worker's thread
        },
    }
    if EMAIL_URL
    else {"BACKEND": "django.core.mail.backends.console.EmailBackend"}
}
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "Comet Studio <studio@localhost>")

# ── Safety ──
_https = not DEMO
SECURE_SSL_REDIRECT = env.flag("STUDIO_HTTPS_REDIRECT", default=_https)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probes come without a proxy in front
SECURE_HSTS_SECONDS = 31_536_000 if _https else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = _https
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if ALLAUTH_TRUSTED_PROXY_COUNT else None
)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _https
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF],
    "style-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "img-src": [CSP.SELF, "blob:", *IMAGE_ORIGINS],
    "manifest-src": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
# The admin and the queue's pages were written by others: inline styles, Alpine with eval.
ADMIN_CSP: dict[str, list[str]] = {
    "default-src": [CSP.NONE],
    "script-src": [CSP.SELF, CSP.UNSAFE_INLINE, CSP.UNSAFE_EVAL],
    "style-src": [CSP.SELF, CSP.UNSAFE_INLINE],
    "font-src": [CSP.SELF],
    "connect-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "img-src": [CSP.SELF, "data:", *IMAGE_ORIGINS],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_HANDLERS = [
    "generator.uploading.Bound",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# ── Words and times ──
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
TIME_ZONE = env.text("TZ", "UTC")
USE_TZ = True

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{levelname} {name}: {message}", "style": "{"}},
    # A probe that finds the studio not ready says so in its answer, each few seconds.
    "filters": {
        "not_the_probe": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: "/readyz" not in record.getMessage(),
        },
        "without_secrets": {"()": "comet_site.quiet_logs.WithoutSecrets"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["not_the_probe", "without_secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Addresses of the balance route carry the key; httpx logs addresses.
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "rq.worker": {"level": "WARNING"},
    },
}

UNFOLD = ADMIN_LOOK
