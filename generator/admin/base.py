"""What our admin pages share: unfold under this Django, and rows that one only looks at."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.contrib.admin import DateFieldListFilter, ShowFacets
from django.contrib.admin import ModelAdmin as DjangoModelAdmin
from django.contrib.admin.options import ActionLocation
from django.contrib.admin.views.main import ChangeList
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import PaginationInlineFormSet
from unfold.paginator import InfinitePaginator

from generator.models import Team, User

LAST_PAGE = 1000  # further back one looks by day
MOST_NAMED = 5  # people that a search by name finds at most
MOST_TEAMS = 20  # that a search by name finds at most
ENDS = ("__exact", "__id__exact", "__isempty", "_from", "_to")  # of what filters ask


class StudioAdmin(ModelAdmin):  # type: ignore[misc]  # unfold is not typed
    """A list and a page for each row."""

    def get_action_choices(
        self, request: HttpRequest, default_choices: Any = None,
        action_location: ActionLocation = ActionLocation.CHANGE_LIST,
    ) -> list[tuple[str, str]]:  # fmt: skip
        """Django's; unfold's own version still has the signature that 6.1 warns about."""
        nothing = [("", gettext("Select action"))]
        return DjangoModelAdmin.get_action_choices(self, request, nothing, action_location)


class _Closed:
    """Nobody adds, changes or deletes."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False


class ReadOnlyAdmin(_Closed, StudioAdmin):
    """Rows to look at, by Django's permission to view them."""


class OneRowAdmin(StudioAdmin):
    """A table of one row, whose key is 1 and whose queryset has `now`: its list leads to it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: the row is made by saving it."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody."""
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The row's page."""
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", 1)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model:
        """The row; before staff have saved any, what holds then."""
        row: Model = self.model.objects.now()
        row.pk = 1
        return row


class FirstRows(PaginationInlineFormSet):  # type: ignore[misc]
    """The first of an inline's rows, in its order, where there may be a million: uncounted."""

    most = 20

    _first: "QuerySet[Any] | None" = None

    def get_queryset(self) -> "QuerySet[Any]":
        """As many as are shown."""
        if self._first is None:
            self._first = super().get_queryset()[: self.most]
        return self._first


class ReadOnlyInline(_Closed, TabularInline):  # type: ignore[misc]
    """Rows on the page of another."""

    extra = 0
    can_delete = False
    show_change_link = False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All that is shown."""
        return list(self.fields)


class LargeTable(StudioAdmin):
    """A list that stays fast at a million rows, over a table with an index for its `ordering`.

    It is never counted, sorts by nothing else, and is searched only by what has an index (`found`).
    Filters must read small tables. Its address asks what filters ask and what is `linked`: each
    lookup that our own pages link to, with the statuses of which some must be asked beside it, and
    no other (none: it has an index of its own).
    """

    linked: Mapping[str, Collection[str]] = {}

    paginator = InfinitePaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = 50
    list_disable_select_all = True
    list_filter_submit = True
    sortable_by: tuple[str, ...] = ()
    search_fields = ["pk"]  # there is a box; what it finds is up to `found`

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """A list of its own."""
        return _LargeList

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """What the filters ask and our own pages link to; another may read the whole table."""
        if (beside := self.linked.get(lookup)) is None:
            return lookup in _asked_by(self.list_filter)
        said = request.GET.getlist("status__exact") + request.GET.getlist("status__in")
        statuses = {status for each in said for status in each.split(",")}
        return not beside or (bool(statuses) and statuses <= set(beside))

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> "tuple[QuerySet[Any], bool]":
        """What was found, and that nothing stands in it twice."""
        term = search_term.strip().replace("\0", "")
        return (self.found(queryset, term) if term else queryset), False

    def found(self, rows: "QuerySet[Any]", term: str) -> "QuerySet[Any]":
        """The rows that a search for `term`, which is not empty, finds."""
        raise NotImplementedError


class LargeTableAdmin(_Closed, LargeTable):
    """Such a list of rows to look at."""


class _LargeList(ChangeList):
    def get_ordering(self, request: HttpRequest, queryset: "QuerySet[Model]") -> list[Any]:
        """The one that has an index, whatever the address says."""
        return list(self.model_admin.get_ordering(request))

    def get_results(self, request: HttpRequest) -> None:
        """The rows of a page, none too far back: what is skipped is read all the same."""
        self.page_num = min(self.page_num, LAST_PAGE)
        super().get_results(request)


def _asked_by(filters: Sequence[Any]) -> set[str]:
    """The names that these filters may have in an address."""
    names = set()
    for each in filters:
        if isinstance(each, type):
            names.add(str(getattr(each, "parameter_name", "")))
            continue
        field, kind = (each, None) if isinstance(each, str) else each
        by_date = kind is not None and issubclass(kind, DateFieldListFilter)
        names |= {f"{field}{end}" for end in (("__gte", "__lt") if by_date else ENDS)}
    return names


def teams_named(term: str) -> list[int]:
    """The keys of a few teams whose name holds this, or whose address begins so."""
    teams = Team.objects.filter(Q(name__icontains=term) | Q(slug__startswith=term.lower()))
    return list(teams.order_by("pk").values_list("pk", flat=True)[:MOST_TEAMS])


def people_named(term: str) -> list[int]:
    """The keys of whoever has this name or address, else of a few whose names begin with it."""
    people = User.objects.annotate(plain_name=Lower("username"), plain_email=Lower("email"))
    term = term.lower()
    for wanted in ({"plain_name": term}, {"plain_email": term}, {"plain_name__startswith": term}):
        if found := list(
            people.filter(**wanted).order_by("pk").values_list("pk", flat=True)[:MOST_NAMED]
        ):
            return found
    return []
