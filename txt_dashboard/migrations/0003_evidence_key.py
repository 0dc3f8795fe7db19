from django.db import migrations, models


def appraise_anew(apps, schema_editor):
    """Lets the next turn of a worker settle every host, which writes its key."""
    apps.get_model('txt_dashboard', 'Attestation').objects.update(rules_key='')


class Migration(migrations.Migration):

    dependencies = [
        ('txt_dashboard', '0002_governance'),
    ]

    operations = [
        migrations.AddField(
            model_name='host',
            name='evidence_key',
            field=models.CharField(blank=True, db_default='', default='', max_length=64),
        ),
        migrations.AlterField(
            model_name='attestation',
            name='rules_key',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddIndex(
            model_name='host',
            index=models.Index(fields=['evidence_key', 'pool'], name='hosts_judged_alike'),
        ),
        migrations.RunPython(appraise_anew, migrations.RunPython.noop, elidable=True),
    ]
