from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("txt_dashboard", "0015_agent_policies"),
    ]

    operations = [
        migrations.AddField(
            model_name="attestation",
            name="noticed_at",
            field=models.DateTimeField(null=True),
        ),
    ]
