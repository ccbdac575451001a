"""Every word of the sandbox's trouble through every protocol: what it comes to, what it costs.

Whatever the system's own words for it, the studio gets the same kind of error. The words that
only spoil how bytes travel, without an end or one by one, are for the tests of the gateway.
"""

import re
from collections.abc import Iterator
from itertools import islice

import pytest

from generator import pictures
from generator.errors import (
    BadPicture,
    ContentRefused,
    LinkRefused,
    LinkSilent,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
    TaskUnknown,
)
from generator.families import FAMILIES
from generator.providers import POLLING_ADAPTERS
from generator.sandbox import trouble
from tests.providers.asking import PROMPT, Case, brief_for, protocol_of, smallest
from tests.providers.carrying import Carried, Carrier, NotOver, carrying


def _cases() -> dict[str, Case]:
    """Of each protocol two actions that take a prompt of their own: the first are unlike enough."""
    found: dict[str, dict[str, Case]] = {}
    for family in FAMILIES.values():
        for rule in family.actions.values():
            if rule.prompt != "none" and rule.starts_from != "button":
                model = next(one.wire_model for one in family.models if rule.is_for(one.wire_model))
                own = found.setdefault(rule.protocol, {})
                own.setdefault(f"{rule.protocol} {rule.action}", (family, model, rule.action))
    return {name: case for own in found.values() for name, case in islice(own.items(), 2)}


CASES = _cases()
SILENCE = (ProviderSilent,)
LINK = (LinkRefused,)
WORKS = (Carried,)
SPOILT = (BadPicture,)
# What each word may come to: at once, and where there is a task to come back for.
AT_ONCE: dict[str, tuple[type, ...]] = {
    "busy": (ProviderBusy,),
    "refuse": (ContentRefused,),
    "withheld": (ContentRefused,),
    "broken": SILENCE,
    "money": (RequestRefused,),
    "error": (RequestRefused, ProviderSilent, ProviderBusy),
    "html": SILENCE,
    "empty": (RequestRefused, ContentRefused),
    "slow": WORKS,
    "silent": SILENCE,
    "524": SILENCE,
    "garbage": SPOILT,
    "lies": WORKS,
    "bomb": SPOILT,
    "half": (LinkSilent, ProviderSilent),
    "fail": (ProviderSilent, RequestRefused, ProviderBusy),
    "stuck": WORKS,
    "odd": WORKS,
    "gone": WORKS,
    "lag": WORKS,
    "partly": WORKS,
    "queue": WORKS,
    "full": (*WORKS, ProviderBusy),
    "script": WORKS,
    "expired": LINK,
    "private": LINK,
    "redirect": LINK,
}
OF_A_TASK: dict[str, tuple[type, ...]] = {
    **AT_ONCE,
    "fail": (RequestRefused,),
    "stuck": (NotOver,),
    "odd": (NotOver,),
    "gone": (TaskUnknown,),
}
# Without waiting they are two gigabytes, or a byte at a time.
LEFT_OUT = {"endless", "drip"}
# What strikes tasks only is nothing to a protocol that has none.
STRIKES = [
    (name, word)
    for name, case in CASES.items()
    for word in sorted(trouble.WORDS - LEFT_OUT)
    if protocol_of(case) in POLLING_ADAPTERS or word not in trouble.TASKS or word == "fail"
]
# From the table that people read: `| `[word]` | what happens | yes |`.
PAID = {
    word: paid == "yes"
    for word, paid in re.findall(
        r"^\| `\[(\w+)\]` \|.*\| (yes|no) \|$", trouble.__doc__ or "", re.M
    )
}


@pytest.fixture(scope="module")
def carrier() -> Iterator[Carrier]:
    with carrying(delay=8) as carrier:
        yield carrier


@pytest.fixture(scope="module")
def tasks(carrier: Carrier) -> set[str]:
    """The cases whose answer is a task to come back for."""
    return {name for name, case in CASES.items() if _carry(carrier, case, PROMPT).task_id}


def _carry(carrier: Carrier, case: Case, prompt: str) -> Carried:
    made = carrier.carry(case[0], brief_for(carrier, case, prompt, fields=smallest(case)), looks=12)
    for file in made.files:
        pictures.inspect(file)
    return made


def _what_comes(carrier: Carrier, case: Case, prompt: str) -> Carried | Exception:
    try:
        return _carry(carrier, case, prompt)
    except (ProviderError, BadPicture, NotOver) as error:
        return error


@pytest.mark.parametrize(("name", "word"), STRIKES)
def test_every_trouble_comes_to_its_kind_and_its_cost(
    carrier: Carrier, tasks: set[str], name: str, word: str
) -> None:
    before = carrier.log.paid_calls
    came = _what_comes(carrier, CASES[name], f"{PROMPT} [{word}]")
    expected = (OF_A_TASK if name in tasks else AT_ONCE)[word]
    if word == "lag" and name in tasks and not CASES[name][0].grace:
        expected = (TaskUnknown,)  # a family that bears no delay
    assert type(came) in expected, came
    if type(came) is not Carried:
        assert "teapot" not in str(came)
    # A word of one system is nothing to the others: there it works, and is paid.
    paid = PAID[word] or type(came) is Carried
    assert carrier.log.paid_calls - before == int(paid), came


@pytest.mark.parametrize("name", CASES)
def test_what_is_busy_twice_works_the_third_time_and_is_paid_once(
    carrier: Carrier, name: str
) -> None:
    before = carrier.log.paid_calls
    # The sandbox counts by the prompt, so that each case needs one of its own.
    prompt = f"{PROMPT} to {name.replace('_', ' ')} [busy 2]"
    came = [_what_comes(carrier, CASES[name], prompt) for _ in range(3)]
    assert [type(one) for one in came] == [ProviderBusy, ProviderBusy, Carried]
    assert carrier.log.paid_calls - before == 1


@pytest.mark.parametrize("name", CASES)
def test_the_pause_that_is_asked_for_is_heard(carrier: Carrier, name: str) -> None:
    came = _what_comes(carrier, CASES[name], f"{PROMPT} [busy]")
    assert isinstance(came, ProviderBusy)
    assert came.retry_after == 1


@pytest.mark.parametrize("name", CASES)
def test_the_studio_says_who_must_pay(carrier: Carrier, name: str) -> None:
    came = _what_comes(carrier, CASES[name], f"{PROMPT} [money]")
    assert "out of money" in str(came)


def test_a_status_that_no_document_names_is_shown(carrier: Carrier, tasks: set[str]) -> None:
    for name in tasks:
        came = _what_comes(carrier, CASES[name], f"{PROMPT} [odd]")
        assert isinstance(came, NotOver)
        assert came.last.note, name
        assert len(came.last.note) <= 100


def test_every_protocol_with_tasks_has_one_here(tasks: set[str]) -> None:
    assert {name.split()[0] for name in tasks} == set(POLLING_ADAPTERS)


def test_every_word_is_in_the_table_that_people_read() -> None:
    assert not trouble.WORDS - PAID.keys()
