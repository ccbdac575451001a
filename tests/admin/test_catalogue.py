"""Offers and prices, as staff keep them."""

import pytest
from django.test import Client
from django.urls import reverse

from generator.models import CatalogueEntry, PriceSource

LIST = "admin:generator_catalogueentry_changelist"


def edited(entry: CatalogueEntry, **facts: object) -> dict[str, object]:
    """The list's form as a browser sends it, with one entry on it."""
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": str(entry.pk),
            "form-0-offered": "on" if entry.offered else "",
            "form-0-credits_per_image": str(entry.credits_per_image), "_save": "Save"}  # fmt: skip
    return form | {f"form-0-{name}": value for name, value in facts.items()}


def test_a_price_set_in_the_list_comes_from_the_staff(staff: Client) -> None:
    CatalogueEntry.objects.fill()
    entry = CatalogueEntry.objects.exclude(wire_model="gpt-image-2").first()
    assert entry is not None
    CatalogueEntry.objects.exclude(pk=entry.pk).delete()
    staff.post(reverse(LIST), edited(entry, credits_per_image="77"))
    entry.refresh_from_db()
    assert (entry.credits_per_image, entry.price_source) == (77, PriceSource.STAFF)


@pytest.mark.parametrize("page", ["list", "form"])
def test_a_price_beyond_all_measure_is_refused_in_words(staff: Client, page: str) -> None:
    CatalogueEntry.objects.fill()
    entry = CatalogueEntry.objects.get(wire_model="gpt-image-2")
    CatalogueEntry.objects.exclude(pk=entry.pk).delete()
    if page == "list":
        answer = staff.post(reverse(LIST), edited(entry, credits_per_image=10**8 + 1))
    else:
        change = reverse("admin:generator_catalogueentry_change", args=[entry.pk])
        form = {"label": "x", "family": entry.family, "credits_per_image": 10**8 + 1, "position": 1}
        answer = staff.post(change, form)
    assert "An image may cost at most 100000000 credits." in answer.content.decode()
    before = entry.credits_per_image
    entry.refresh_from_db()
    assert entry.credits_per_image == before


def test_taking_an_offer_back_leaves_the_price_where_it_came_from(staff: Client) -> None:
    CatalogueEntry.objects.fill()
    entry = CatalogueEntry.objects.get(wire_model="gpt-image-2")
    CatalogueEntry.objects.exclude(pk=entry.pk).delete()
    staff.post(reverse(LIST), edited(entry, offered=""))
    entry.refresh_from_db()
    assert (entry.offered, entry.price_source) == (False, PriceSource.FILE)


def test_a_press_fills_the_catalogue_from_the_families_file(staff: Client) -> None:
    assert staff.get(reverse("admin:generator_catalogueentry_fill")).status_code == 405
    assert not CatalogueEntry.objects.exists()
    staff.post(reverse("admin:generator_catalogueentry_fill"))
    assert CatalogueEntry.objects.filter(wire_model="gpt-image-2").exists()
    assert "Fill from the families file" in staff.get(reverse(LIST)).content.decode()
