import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("txt_dashboard", "0009_cloud_flavors")]

    operations = [
        migrations.CreateModel(
            name="PoolMove",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("pool", models.CharField(max_length=63)),
                ("found_at", models.DateTimeField()),
                (
                    "cloud",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pool_moves",
                        to="txt_dashboard.cloud",
                    ),
                ),
                (
                    "host",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pool_move",
                        to="txt_dashboard.host",
                    ),
                ),
            ],
        ),
    ]
