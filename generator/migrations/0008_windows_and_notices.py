from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generator", "0007_lists_newest_first"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="notice",
            name="one_notice_a_step",
        ),
        migrations.AddField(
            model_name="notice",
            name="cap",
            field=models.PositiveBigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="notice",
            name="mail_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="notice",
            name="mail_tries",
            field=models.PositiveSmallIntegerField(default=0),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(fields=["account", "counts_on"], name="entries_of_a_window"),
        ),
        migrations.AddIndex(
            model_name="ledgerentry",
            index=models.Index(
                condition=models.Q(("generation", None), ("kind", "grant")),
                fields=["account", "counts_on"],
                name="grants_of_an_account",
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                fields=("user", "account", "window", "start", "percent", "cap"),
                name="one_notice_a_step",
            ),
        ),
    ]
