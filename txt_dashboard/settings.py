"""Settings, from the environment and from one file that `TXT_SETTINGS_FILE` names (lines of KEY=value).

Every setting is described in docs/settings.md; a test keeps the two together.
"""

from ipaddress import ip_network
from pathlib import Path

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from txt_dashboard.cloud.enforcement import Enforcement
from txt_dashboard.cloud.pools import read_source


class Env(environ.FileAwareEnv):
    """Names the setting that can't be used."""

    def get_value(self, var, *args, **kwargs):
        """As environ's; raises `ImproperlyConfigured`."""
        try:
            return super().get_value(var, *args, **kwargs)
        except (ValueError, OSError) as error:
            raise ImproperlyConfigured(f"{var} can't be used: {error}.") from None


env = Env()
if settings_file := env.str("TXT_SETTINGS_FILE", default=""):
    if not Path(settings_file).is_file():
        raise ImproperlyConfigured(f"TXT_SETTINGS_FILE names {settings_file}, which is no file.")
    env.read_env(settings_file)

PACKAGE = Path(__file__).resolve().parent
# In a wheel templates and static files lie inside the package, in a checkout beside it.
SHIPPED = PACKAGE if (PACKAGE / "templates").is_dir() else PACKAGE.parent
TXT_DATA_DIR = Path(env.str("TXT_DATA_DIR", default=".data")).resolve()

# --- What the product is told -------------------------------------------------------------------
TXT_DEMO = env.bool("TXT_DEMO", default=False)
TXT_SERVER_NETWORKS = tuple(env("TXT_SERVER_NETWORKS", cast=[ip_network], default=[]))
TXT_CLIENT_CERTIFICATES = env.list("TXT_CLIENT_CERTIFICATES", default=[])
TXT_KEYLIME_REGISTRARS = env.list("TXT_KEYLIME_REGISTRARS", default=[])
TXT_KEYLIME_AGENT_NETWORKS = tuple(env("TXT_KEYLIME_AGENT_NETWORKS", cast=[ip_network], default=[]))
TXT_KEYLIME_AGENT_PORTS = env.str("TXT_KEYLIME_AGENT_PORTS", default="9002")
TXT_KEYLIME_HOOKS = env.list("TXT_KEYLIME_HOOKS", default=[])
TXT_KEYLIME_PUBLISH = env.list("TXT_KEYLIME_PUBLISH", default=[])
TXT_CLOCK_TOLERANCE_S = env.int("TXT_CLOCK_TOLERANCE_S", default=60)
TXT_TICK_S = env.float("TXT_TICK_S", default=2.0)
TXT_HISTORY_DAYS = env.int("TXT_HISTORY_DAYS", default=400)
TXT_PROXY_COUNT = env.int("TXT_PROXY_COUNT", default=0)
TXT_VAULT_KEY_FILE = Path(env.str("TXT_VAULT_KEY_FILE", default=str(TXT_DATA_DIR / "vault.key")))
TXT_SIGNING_KEY_FILE = Path(env.str("TXT_SIGNING_KEY_FILE", default=str(TXT_DATA_DIR / "signing.key")))
TXT_PUBLIC_KEYS_FILE = Path(env.str("TXT_PUBLIC_KEYS_FILE", default=str(TXT_DATA_DIR / "signing.pub")))
TXT_FLOOR_FILE = Path(env.str("TXT_FLOOR_FILE", default=str(TXT_DATA_DIR / "floor")))
TXT_SETS_DIR = Path(env.str("TXT_SETS_DIR", default=str(TXT_DATA_DIR / "sets")))
TXT_QUORUM = env.int("TXT_QUORUM", default=2)
TXT_APPROVER_WAIT_H = env.float("TXT_APPROVER_WAIT_H", default=24.0)
TXT_EMERGENCY_H = env.float("TXT_EMERGENCY_H", default=0.0)
TXT_CONFIRM_LOSSES_PERCENT = env.float("TXT_CONFIRM_LOSSES_PERCENT", default=10.0)
TXT_AUDIT_HEADS = env.str("TXT_AUDIT_HEADS", default=str(TXT_DATA_DIR / "audit-heads.jsonl"))
TXT_POLLHOSTS_BLOB = env.str("TXT_POLLHOSTS_BLOB", default="")
TXT_POLLHOSTS_HEADER = env.str("TXT_POLLHOSTS_HEADER", default="")
TXT_POLLHOSTS_CLIENTS = env.list("TXT_POLLHOSTS_CLIENTS", default=[])
# Never from a file of its own, as other values: TXT_CLOUDS_FILE is a setting by itself.
TXT_CLOUDS = environ.Env().list("TXT_CLOUDS", default=[])
TXT_CLOUDS_FILE = env.str("TXT_CLOUDS_FILE", default="")
TXT_CLOUD_INTERVAL_S = env.float("TXT_CLOUD_INTERVAL_S", default=15.0)
TXT_POOLS_FROM = env("TXT_POOLS_FROM", cast=read_source, default=None)
TXT_CLOUD_TRAIT = env.str("TXT_CLOUD_TRAIT", default="CUSTOM_TRUSTED_HOST")
TXT_INSTANCES_INTERVAL_S = env.float("TXT_INSTANCES_INTERVAL_S", default=60.0)
TXT_ENFORCEMENT = env("TXT_ENFORCEMENT", cast=Enforcement, default=Enforcement.TRAIT)
TXT_FLAVORS_INTERVAL_S = env.float("TXT_FLAVORS_INTERVAL_S", default=60.0)
TXT_API_FAILURES = env.int("TXT_API_FAILURES", default=60)
TXT_KEYSTONE_CONFIG = env.str("TXT_KEYSTONE_CONFIG", default="")
TXT_KEYSTONE_CLOUD = env.str("TXT_KEYSTONE_CLOUD", default="")
TXT_KEYSTONE_PROJECT = env.str("TXT_KEYSTONE_PROJECT", default="")
TXT_KEYSTONE_ROLES = env.list("TXT_KEYSTONE_ROLES", default=[])

# --- Django ------------------------------------------------------------------------------------
SECRET_KEY = env.str("TXT_SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS = env.list("TXT_ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"] if TXT_DEMO else [])
CSRF_TRUSTED_ORIGINS = env.list("TXT_TRUSTED_ORIGINS", default=[])
ROOT_URLCONF = "txt_dashboard.urls"
WSGI_APPLICATION = "txt_dashboard.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "axes",
    "txt_dashboard",
]
MIDDLEWARE = [
    "txt_dashboard.api.middleware.ApiMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "txt_dashboard.web.middleware.BrowserPolicyMiddleware",
    "txt_dashboard.web.keystone.KeystoneSessionMiddleware",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SHIPPED / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "txt_dashboard.web.context.frame",
            ],
        },
    }
]

DATABASES = {"default": env.db("TXT_DATABASE_URL", default=f"sqlite:///{TXT_DATA_DIR / 'txt-dashboard.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Several processes write: wait for the lock from the start of a transaction, never fail midway.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

_IN_MEMORY = "django.core.cache.backends.locmem.LocMemCache"
CACHES = {
    "default": {"BACKEND": _IN_MEMORY},
    # In each process: tokens that Keystone called good or not, and failures by address.
    "api": {"BACKEND": _IN_MEMORY, "LOCATION": "api", "OPTIONS": {"MAX_ENTRIES": 20_000}},
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
LOCALE_PATHS = [SHIPPED / "locale"]

# A request with more than FILE_UPLOAD_MAX_MEMORY_SIZE loses its files: none is ever written to the disk.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]

STATIC_URL = "static/"
STATICFILES_DIRS = [SHIPPED / "static"]
STATIC_ROOT = env.str("TXT_STATIC_ROOT", default=str(TXT_DATA_DIR / "static"))
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Who gets in -------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    # Raises where Keystone does not take somebody, so it stands before the local accounts.
    "txt_dashboard.web.keystone.KeystoneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "fleet"
LOGOUT_REDIRECT_URL = "login"
# One guesser may neither lock a person out from elsewhere nor try many names from one address.
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"], ["ip_address"]]
AXES_FAILURE_LIMIT = env.int("TXT_LOGIN_FAILURES", default=5)
AXES_COOLOFF_TIME = env.int("TXT_LOGIN_COOLOFF_MIN", default=15) / 60
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
AXES_CLIENT_IP_CALLABLE = "txt_dashboard.visitor.client_address"
AXES_VERBOSE = False

# --- What the browser may ----------------------------------------------------------------------
# The demonstration speaks plain HTTP and only on loopback; everything else is TLS or nothing.
SECURE = not TXT_DEMO
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME = "__Host-session" if SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if SECURE else "csrf"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
CSRF_COOKIE_HTTPONLY = True
SECURE_SSL_REDIRECT = SECURE
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
SECURE_REFERRER_POLICY = "same-origin"
if env.bool("TXT_BEHIND_TLS_PROXY", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Workers -----------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("TXT_BROKER_URL", default="spool://")
if CELERY_BROKER_URL.startswith("spool:"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"folder": str(TXT_DATA_DIR / "spool")}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
# A tick that waits stays where another worker can take it.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Whoever reaches the broker may ring, but not command the workers.
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # however long the broker is down
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "txt_dashboard.beat.SteadyScheduler"
CELERY_BEAT_SCHEDULE = {
    "tick": {
        "task": "txt_dashboard.tick",
        "schedule": TXT_TICK_S,
        # A message that waited longer than a tick is news no more: the next one says the same.
        "options": {"expires": TXT_TICK_S},
    },
}
if TXT_CLOUDS:
    # Of their own, so that no slow attestation server keeps a trait in place, and no slow Nova another.
    for _name in ("keep_traits", "match_clouds", "look_at_flavors", "watch_instances"):
        CELERY_BEAT_SCHEDULE[_name] = {**CELERY_BEAT_SCHEDULE["tick"], "task": f"txt_dashboard.{_name}"}
LOGGING_CONFIG = "txt_dashboard.logs.configure"
LOGGING = {"json": not TXT_DEMO, "level": env.str("TXT_LOG_LEVEL", default="INFO")}
