"""The public page of a sharing link."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods

from generator.errors import StudioError
from generator.forms.visiting import NoteForm, PickForm
from generator.models import Came
from generator.models.sharing import Download
from generator.sharing import coming, opening, replying, secrets
from generator.sharing.making import last_day_of
from generator.views import shared_facts
from generator.views.shared_facts import text_of
from generator.views.visiting import Visit, comes_back, gone, visits

LONGEST_PASSWORD = 1000  # characters that are looked at
_OWN = "You or your team share this link: what you pick or write here yourself is not kept."
_OVER = "Picks and notes are no longer taken here."
# Programs that fetch a page to draw its card, before any person has seen it.
_PREVIEWS = (
    "slackbot", "twitterbot", "facebookexternalhit", "facebot", "whatsapp", "telegrambot",
    "discordbot", "linkedinbot", "skypeuripreview", "mattermost", "signal", "iframely",
    "googlebot", "bingbot", "applebot", "pinterest", "viber", "line-poker", "matrix", "synapse",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters("password")
@visits
def shared(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """The images of a link; a POST brings its password."""
    if request.method == "POST":
        return _unlock(request, visit)
    if visit.is_locked:
        return _locked(request)
    if visit.known.is_in:
        return _page(request, visit)
    # Some browsers inside chat programs name themselves as those do: their button says `look`.
    if request.method == "HEAD" or ("look" not in request.GET and _only_looks_ahead(request)):
        is_one = shared_facts.is_one(visit.link)
        facts = shared_facts.card(request, visit.link, is_one=is_one)
        return render(request, "shared/card.html", facts)
    return _enter(request, visit)


@require_http_methods(["GET", "HEAD", "POST"])
@comes_back
def reply(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """An image picked, or a note written, by somebody without an account."""
    if request.method != "POST":  # a note that was refused, asked for again
        return redirect(visit.address)
    if not visit.may_reply:
        return redirect(visit.address)
    if not visit.link.takes_replies:  # the page is older than what the link allows now
        return _refused(request, visit, _OVER)
    return _pick(request, visit) if "pick" in request.POST else _write(request, visit)


@require_http_methods(["GET", "HEAD", "POST"])
@visits
def nothing(request: HttpRequest, visit: Visit, rest: str) -> HttpResponseBase:
    """What is no address of a link, whether or not there is a link."""
    return gone(request)


# ── The password ──


def _unlock(request: HttpRequest, visit: Visit) -> HttpResponse:
    if not visit.is_locked:
        return redirect(visit.address)
    if wait := coming.take_a_guess(visit.link, visit.visitor):
        fault = f"There were too many wrong passwords. Try again in {_so_long(wait)}."
        answer = _locked(request, fault, status=429)
        answer["Retry-After"] = str(wait)
        return answer
    if not secrets.check_password(visit.link, request.POST.get("password", "")[:LONGEST_PASSWORD]):
        visit.log(Came.WRONG_PASSWORD)
        return _locked(request, "This is not the password. Look for capitals and spaces.")
    coming.forget_guesses(visit.link, visit.visitor)
    answer = redirect(visit.address)
    visit.keep(answer, visit.unlocked())
    return answer


def _so_long(seconds: int) -> str:
    minutes = -(-seconds // 60)
    if minutes > 90:
        return f"{-(-minutes // 60)} hours"
    return "a minute" if minutes == 1 else f"{minutes} minutes"


def _locked(request: HttpRequest, fault: str = "", *, status: int = 200) -> HttpResponse:
    return _with_form(render(request, "shared/locked.html", {"fault": fault}, status=status))


def _with_form(answer: HttpResponse) -> HttpResponse:
    """A browser that may say no referrer sends forms from nowhere, and those are refused. Other
    sites are still told nothing."""
    answer["Referrer-Policy"] = "same-origin"
    return answer


# ── The images ──


def _enter(
    request: HttpRequest, visit: Visit, note: NoteForm | None = None, fault: str = ""
) -> HttpResponse:
    """The images, to somebody whose visit begins here."""
    if not visit.is_own:
        if not opening.count_view(visit.link, timezone.now()):
            return gone(request)
        coming.log(visit.link, visit.visitor, Came.OPENED)
    answer = _page(request, visit, note, fault)
    visit.keep(answer, visit.counted())
    return answer


def _page(
    request: HttpRequest, visit: Visit, note: NoteForm | None = None, fault: str = ""
) -> HttpResponse:
    """All of them, or one large; the note with its faults where one was sent, and why a reply
    was refused."""
    link = visit.link
    key = _large(request)
    here = _here(request)
    if key is not None:
        if (shown := opening.one(link, key)) is None:
            return gone(request)
        before, behind = opening.beside(link, key)
        images, after = [shown], None
        is_one = before is None and behind is None
        large = {"before": text_of(before), "behind": text_of(behind)}
        here = opening.page_of(link, key, near=here)
    else:
        page = opening.page(link, after=here)
        images, after, large = page.images, page.after, {}
        is_one = len(images) == 1 and after is None and here is None
    context = shared_facts.card(request, link, is_one=is_one) | {
        "link": link,
        "address": visit.address,
        "rows": shared_facts.rows(visit, images),
        "large": large,
        "is_large": key is not None,
        "last_day": last_day_of(link),
        "after": text_of(after),
        "here": text_of(here),
        "count": shared_facts.count(link) if key is None else "",
        "downloads": link.download != Download.NONE,
        "fault": fault,
        **(_replies(visit, note) if link.takes_replies else {}),
    }
    answer = _drawn(request, context)
    return _with_form(answer) if link.takes_replies else answer


@gzip_page  # and this page alone: the one for links that do not open is the same to the byte
def _drawn(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    return render(request, "shared/shared.html", context)


def _only_looks_ahead(request: HttpRequest) -> bool:
    agent = request.META.get("HTTP_USER_AGENT", "").lower()
    ahead = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return "prefetch" in ahead or any(name in agent for name in _PREVIEWS)


# ── Replies ──


def _replies(visit: Visit, note: NoteForm | None) -> dict[str, Any]:
    written = replying.note_of(visit.link, visit.known.visitor)
    if note is None:
        note = NoteForm(initial={"name": written.name, "text": written.text} if written else {})
    return {"note": note, "written": written, "own": _OWN if visit.is_own else ""}


def _check_not_own(visit: Visit) -> None:
    """What the team says here itself would be read as visitors' words."""
    if visit.is_own:
        raise StudioError(_OWN)


def _pick(request: HttpRequest, visit: Visit) -> HttpResponse:
    form = PickForm(request.POST)
    shown = opening.one(visit.link, form.cleaned_data["pick"]) if form.is_valid() else None
    if shown is None:
        return gone(request)
    is_on = form.cleaned_data["on"]
    try:
        _check_not_own(visit)
        replying.pick(visit.link, visit.visitor, shown.image, on=is_on)
    except StudioError as error:
        return _refused(request, visit, str(error))
    if _is_of_script(request):
        return HttpResponse(status=204)
    if visit.has_more:
        return redirect(_back(request, visit, shown.key))
    return _kept(request, "Your pick is kept" if is_on else "Your pick is taken back")


def _refused(request: HttpRequest, visit: Visit, fault: str) -> HttpResponse:
    if _is_of_script(request):
        return HttpResponse(fault, content_type="text/plain; charset=utf-8", status=409)
    answer = _shown_again(request, visit, fault=fault)
    if answer.status_code == 200:
        answer.status_code = 409
    return answer


def _is_of_script(request: HttpRequest) -> bool:
    return request.headers.get("Accept", "").startswith("application/json")


def _back(request: HttpRequest, visit: Visit, key: int) -> str:
    """The page that the heart was on."""
    if "large" in request.POST:
        here = _here(request)
        return f"{visit.address}?image={key}" + (f"&after={here}" if here else "")
    return f"{_page_of(request, visit)}#i{key}"


def _write(request: HttpRequest, visit: Visit) -> HttpResponse:
    form = NoteForm(request.POST)
    if form.is_valid():
        said = form.cleaned_data
        try:
            _check_not_own(visit)
            replying.write(visit.link, visit.visitor, name=said["name"], text=said["text"])
            return _written(request, visit)
        except StudioError as error:
            form.add_error("text", str(error))
    return _shown_again(request, visit, form)


def _written(request: HttpRequest, visit: Visit) -> HttpResponse:
    if visit.has_more:
        return redirect(f"{_page_of(request, visit)}#note")
    return _kept(request, "Your note is kept")


def _kept(request: HttpRequest, what: str) -> HttpResponse:
    """That it is, where the images are not shown to them any more."""
    return render(request, "shared/kept.html", {"what": what})


def _shown_again(
    request: HttpRequest, visit: Visit, note: NoteForm | None = None, fault: str = ""
) -> HttpResponse:
    """The page that something was sent from, with why it was refused."""
    if visit.is_locked:
        return redirect(visit.address)  # the password is asked for there
    if visit.known.is_in:
        return _page(request, visit, note, fault)
    return _enter(request, visit, note, fault)


def _page_of(request: HttpRequest, visit: Visit) -> str:
    """Where what was sent stood."""
    here = _here(request)
    return f"{visit.address}?after={here}" if here else visit.address


def _large(request: HttpRequest) -> int | None:
    """The key of the one image that is shown, or was, None for a page of them."""
    if request.method == "POST":
        return _number(request.POST.get("pick", "")) if "large" in request.POST else None
    return _number(request.GET.get("image", ""))


def _here(request: HttpRequest) -> int | None:
    """The key behind which the page of images begins, None on the first."""
    return _number((request.POST if request.method == "POST" else request.GET).get("after", ""))


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
