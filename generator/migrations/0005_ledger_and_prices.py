import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generator', '0004_answered_dialogs'),
    ]

    operations = [
        migrations.CreateModel(
            name='CatalogueChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('added', 'new'), ('repriced', 'repriced'), ('gone', 'gone'), ('back', 'back')], max_length=10, verbose_name='what')),
                ('before', models.CharField(blank=True, max_length=200, verbose_name='before')),
                ('after', models.CharField(blank=True, max_length=200, verbose_name='after')),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name='when')),
            ],
            options={
                'verbose_name': 'change of the catalogue',
                'verbose_name_plural': 'changes of the catalogue',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='KeptReply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('submit', 'submit'), ('look', 'look'), ('answer', 'answer to a dialog')], max_length=8, verbose_name='step')),
                ('status', models.PositiveSmallIntegerField(verbose_name='status')),
                ('seconds', models.FloatField(verbose_name='seconds')),
                ('request_id', models.CharField(blank=True, max_length=120, verbose_name='request id')),
                ('text', models.TextField(blank=True, verbose_name='what it said')),
                ('at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name='when')),
            ],
            options={
                'verbose_name_plural': 'kept replies',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Notice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('window', models.CharField(choices=[('day', 'day'), ('month', 'month'), ('ever', 'ever')], max_length=5)),
                ('start', models.DateField()),
                ('percent', models.PositiveSmallIntegerField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('mailed_at', models.DateTimeField(null=True)),
                ('seen_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='StartingCaps',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('member_day', models.PositiveBigIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(1000000000000)], verbose_name='each member, a day')),
                ('member_month', models.PositiveBigIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(1000000000000)], verbose_name='each member, a month')),
                ('member_ever', models.PositiveBigIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(1000000000000)], verbose_name='each member, in all')),
                ('pool_day', models.PositiveBigIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(1000000000000)], verbose_name='a team together, a day')),
                ('pool_month', models.PositiveBigIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(1000000000000)], verbose_name='a team together, a month')),
                ('pool_ever', models.PositiveBigIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(1000000000000)], verbose_name='a team together, in all')),
            ],
            options={
                'verbose_name': 'caps to begin with',
                'verbose_name_plural': 'caps to begin with',
            },
        ),
        migrations.CreateModel(
            name='UsageTotal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('wire_model', models.CharField(max_length=120)),
                ('label', models.CharField(max_length=120)),
                ('provider', models.CharField(max_length=60)),
                ('action', models.CharField(choices=[('create', 'create'), ('edit', 'edit'), ('vary', 'vary'), ('upscale', 'upscale'), ('blend', 'blend'), ('describe', 'describe'), ('expand', 'expand'), ('erase', 'erase'), ('fill', 'fill in'), ('enhance', 'enhance'), ('replace_background', 'replace the background'), ('reroll', 'make again'), ('zoom', 'zoom out'), ('pan', 'extend to one side')], max_length=24)),
                ('generations', models.PositiveIntegerField(default=0)),
                ('images', models.PositiveIntegerField(default=0)),
                ('failures', models.PositiveIntegerField(default=0)),
                ('credits', models.BigIntegerField(default=0)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='a_grant_has_a_reason_the_rest_a_generation',
        ),
        migrations.RemoveIndex(
            model_name='ledgerentry',
            name='entries_of_an_account',
        ),
        migrations.RenameField(
            model_name='catalogueentry',
            old_name='credits_per_image',
            new_name='credits_each',
        ),
        migrations.AddField(
            model_name='cap',
            name='own_credits',
            field=models.PositiveBigIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(1000000000000)], verbose_name='set by the member'),
        ),
        migrations.AlterField(
            model_name='catalogueentry',
            name='credits_each',
            field=models.PositiveIntegerField(blank=True, help_text='For one image, request or megapixel. Empty: the price is not known, and nobody can pick the model.', null=True, verbose_name='credits each'),
        ),
        migrations.AddField(
            model_name='catalogueentry',
            name='price_kind',
            field=models.CharField(choices=[('image', 'image'), ('request', 'request'), ('megapixel', 'megapixel'), ('tokens', 'tokens')], default='image', max_length=10, verbose_name='price by'),
        ),
        migrations.AddField(
            model_name='catalogueentry',
            name='ratio',
            field=models.DecimalField(decimal_places=4, default=Decimal('1'), editable=False, max_digits=8, verbose_name="the gateway's ratio"),
        ),
        migrations.AddField(
            model_name='catalogueentry',
            name='tokens_in',
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='credits for a million tokens in'),
        ),
        migrations.AddField(
            model_name='catalogueentry',
            name='tokens_out',
            field=models.DecimalField(blank=True, decimal_places=4, max_digits=16, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='credits for a million tokens out'),
        ),
        migrations.AddField(
            model_name='ledgerentry',
            name='key',
            field=models.UUIDField(editable=False, null=True, unique=True),
        ),
        migrations.AlterField(
            model_name='cap',
            name='credits',
            field=models.PositiveBigIntegerField(blank=True, null=True, validators=[django.core.validators.MaxValueValidator(1000000000000)], verbose_name='credits'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(fields=['-created_at', '-id'], name='generations_newest_first'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(fields=['author', '-created_at', '-id'], name='generations_of_an_author'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(fields=['status', '-created_at', '-id'], name='generations_by_status'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(fields=['wire_model', '-created_at', '-id'], name='generations_of_a_model'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(condition=models.Q(('request_id', ''), _negated=True), fields=['request_id'], name='generations_by_request_id'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['account', '-created_at', '-id'], name='entries_of_an_account'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['-created_at', '-id'], name='entries_newest_first'),
        ),
        migrations.AddConstraint(
            model_name='cap',
            constraint=models.CheckConstraint(condition=models.Q(('credits__isnull', False), ('own_credits__isnull', False), _connector='OR'), name='a_cap_says_how_much'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.UniqueConstraint(condition=models.Q(('generation__isnull', False), ('kind', 'grant')), fields=('account', 'generation'), name='given_back_once'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', 'grant'), models.Q(('reason', ''), _negated=True)), models.Q(models.Q(('kind', 'grant'), _negated=True), models.Q(('generation', None), _negated=True)), _connector='OR'), name='a_grant_has_a_reason_the_rest_a_generation'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind', 'settle'), models.Q(('kind', 'grant'), models.Q(('credits', 0), _negated=True)), models.Q(('credits__lte', 0), ('kind', 'reserve')), models.Q(('credits__gte', 0), ('kind', 'release')), _connector='OR'), name='an_entry_has_the_sign_of_its_kind'),
        ),
        migrations.AddField(
            model_name='cataloguechange',
            name='entry',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='generator.catalogueentry'),
        ),
        migrations.AddField(
            model_name='keptreply',
            name='generation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='replies', to='generator.generation'),
        ),
        migrations.AddField(
            model_name='notice',
            name='account',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to='generator.quotaaccount'),
        ),
        migrations.AddField(
            model_name='notice',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notices', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='startingcaps',
            constraint=models.CheckConstraint(condition=models.Q(('pk', 1)), name='starting_caps_are_one_row'),
        ),
        migrations.AddField(
            model_name='usagetotal',
            name='author',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='usage', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='usagetotal',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='usage', to='generator.team'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('mailed_at', None)), fields=['created_at'], name='unsent_notices'),
        ),
        migrations.AddIndex(
            model_name='notice',
            index=models.Index(condition=models.Q(('seen_at', None)), fields=['user'], name='unseen_notices'),
        ),
        migrations.AddConstraint(
            model_name='notice',
            constraint=models.UniqueConstraint(fields=('user', 'account', 'window', 'start', 'percent'), name='one_notice_a_step'),
        ),
        migrations.AddIndex(
            model_name='usagetotal',
            index=models.Index(fields=['day'], name='usage_by_day'),
        ),
        migrations.AddIndex(
            model_name='usagetotal',
            index=models.Index(fields=['team', 'day'], name='usage_of_a_team'),
        ),
        migrations.AddIndex(
            model_name='usagetotal',
            index=models.Index(fields=['author', 'day'], name='usage_of_an_author'),
        ),
        migrations.AddConstraint(
            model_name='usagetotal',
            constraint=models.UniqueConstraint(fields=('team', 'author', 'day', 'wire_model', 'action'), name='one_total_a_use'),
        ),
    ]
