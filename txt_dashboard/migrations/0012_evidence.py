"""Logs by the registers that they lead to; those on file are asked for once more, to be kept so, too."""

import django.db.models.deletion
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def ask_again(apps: Apps, _schema: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("txt_dashboard", "Quoted").objects.update(log_of="")


class Migration(migrations.Migration):

    dependencies = [
        ("txt_dashboard", "0011_stakes"),
    ]

    operations = [
        migrations.CreateModel(
            name='RegisterLog',
            fields=[
                ('register', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('packed', models.BinaryField()),
                ('size', models.PositiveIntegerField()),
                ('borne_out', models.PositiveIntegerField()),
            ],
        ),
        migrations.AlterField(
            model_name='quoted',
            name='bound',
            field=models.CharField(blank=True, max_length=66),
        ),
        migrations.AddField(
            model_name='quoted',
            name='composite',
            field=models.BinaryField(default=b''),
        ),
        migrations.AddField(
            model_name='quoted',
            name='registrar',
            field=models.JSONField(default=dict),
        ),
        migrations.CreateModel(
            name='ImaList',
            fields=[
                ('attestation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='ima_list', serialize=False, to='txt_dashboard.attestation')),
                ('at', models.DateTimeField()),
                ('bank', models.CharField(blank=True, max_length=10)),
                ('value', models.CharField(blank=True, max_length=128)),
                ('packed', models.BinaryField(default=b'')),
                ('size', models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.RunPython(ask_again, migrations.RunPython.noop),
    ]
