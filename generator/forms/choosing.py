"""What is to be done with the images that were chosen."""

from typing import Any

from django import forms
from django.db import models
from django.utils.translation import gettext_lazy as _

from generator.models import Collection, Deed, Team


class Do(models.TextChoices):
    """A deed on chosen images."""

    FAVOURITE = "favourite", _("favourite")
    UNFAVOURITE = "unfavourite", _("no favourite")
    TAG = "tag", _("tag")
    UNTAG = "untag", _("take a tag off")
    COLLECT = "collect", _("add to a collection")
    UNCOLLECT = "uncollect", _("take out of a collection")
    TRASH = "trash", _("move to the trash")
    RESTORE = "restore", _("restore")
    SHARE = "share", _("share")
    ZIP = "zip", _("download")

    @property
    def deed(self) -> Deed:
        """What one must be allowed to do for it."""
        match self:
            case Do.FAVOURITE | Do.UNFAVOURITE:
                return Deed.FAVOURITE
            case Do.TAG | Do.UNTAG | Do.COLLECT | Do.UNCOLLECT:
                return Deed.ORGANISE
            case Do.TRASH | Do.RESTORE:
                return Deed.TRASH_OWN
            case Do.SHARE:
                return Deed.SHARE
            case Do.ZIP:
                return Deed.LOOK


class ChoosingForm(forms.Form):
    """A deed, and what it needs beside the images: a tag, a collection, a name for a new one."""

    do = forms.ChoiceField(choices=Do)
    tag = forms.CharField(required=False)
    collection = forms.ModelChoiceField(Collection.objects.none(), required=False)
    shown = forms.ModelChoiceField(Collection.objects.none(), required=False)  # on the page
    name = forms.CharField(required=False)
    back = forms.CharField(required=False, max_length=4000)  # the look of the page
    next = forms.CharField(required=False, max_length=4000)  # the page to go to, not the library

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("collection", "shown"):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = Collection.objects.filter(team=team)
