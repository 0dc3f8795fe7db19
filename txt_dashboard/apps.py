"""The Django application."""

from django.apps import AppConfig


class TrustedComputeConfig(AppConfig):
    """Trusted Compute."""

    name = "txt_dashboard"
    verbose_name = "Trusted Compute"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Registers the system checks."""
        from txt_dashboard import checks  # noqa: F401, PLC0415 - Django's own way to register them
