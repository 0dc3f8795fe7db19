"""Django's commands, wherever the package is installed: `python -m txt_dashboard`."""

import os
import sys

OLDEST = (3, 11)


def main() -> None:
    """Runs one management command. What is missing, and settings that can't be used, end it with a sentence."""
    if sys.version_info < OLDEST:
        sys.exit("Trusted Compute needs Python {}.{} or newer.".format(*OLDEST))
    try:
        from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415
        from django.core.management import execute_from_command_line  # noqa: PLC0415
    except ModuleNotFoundError:
        sys.exit("The libraries are missing. `make run` installs them in a checkout.")

    from txt_dashboard.demo import set_environment  # noqa: PLC0415 - needs the Python asked for above
    from txt_dashboard.demo_options import DemoError  # noqa: PLC0415 - as above

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "txt_dashboard.settings")
    try:
        if sys.argv[1:2] == ["run"]:
            set_environment(os.environ)  # before the settings are read
        execute_from_command_line(sys.argv)
    except (DemoError, ImproperlyConfigured) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
