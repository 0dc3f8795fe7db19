"""As the tests', with templates compiled once, as an installation has them."""

from tests.horizon.settings import *  # noqa: F403
from tests.horizon.settings import TEMPLATES

ROOT_URLCONF = "tests.horizon.bench.urls"
_options = TEMPLATES[0]["OPTIONS"]
_options["loaders"] = [("django.template.loaders.cached.Loader", _options["loaders"])]
_options["debug"] = False
DEBUG = False
