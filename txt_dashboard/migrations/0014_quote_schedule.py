import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("txt_dashboard", "0013_poll_of_server"),
    ]

    operations = [
        migrations.AddField(
            model_name="quoted",
            name="due_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="server",
            name="quote_interval_s",
            field=models.PositiveIntegerField(
                db_default=0, default=0, validators=[django.core.validators.MaxValueValidator(86400)]
            ),
        ),
    ]
