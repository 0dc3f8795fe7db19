"""The product's own settings, with what tests must not share with a running installation."""

import os
import tempfile

os.environ.setdefault("TXT_SECRET_KEY", "a key for tests only, of no worth to anybody, at all")
os.environ.setdefault("TXT_DATA_DIR", tempfile.mkdtemp(prefix="txt-dashboard-tests-"))
os.environ.setdefault("TXT_DEMO", "true")
os.environ.setdefault("TXT_SERVER_NETWORKS", "127.0.0.0/8,::1/128")

from txt_dashboard.settings import *  # noqa: F403 - after the environment is set

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
