import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("generator", "0014_search"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="cap",
            name="a_cap_says_how_much",
        ),
        migrations.AddField(
            model_name="cap",
            name="team_credits",
            field=models.PositiveBigIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MaxValueValidator(10**12)],
                verbose_name="set by the team",
            ),
        ),
        migrations.AddConstraint(
            model_name="cap",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("credits__isnull", False),
                    ("own_credits__isnull", False),
                    ("team_credits__isnull", False),
                    _connector="OR",
                ),
                name="a_cap_says_how_much",
            ),
        ),
        migrations.AddField(
            model_name="team",
            name="made_by",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="made_teams",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
