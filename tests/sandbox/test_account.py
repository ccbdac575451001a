"""The log, the balance that moves with it, and the list of models."""

import json
import time

import httpx
import pytest

from generator.sandbox import Log, Sandbox, catalogue
from tests.sandbox.conftest import KEY, Generate

BEARER = {"Authorization": f"Bearer {KEY}"}


def test_requests_are_recorded_without_their_key(generate: Generate, log: Log) -> None:
    generate(prompt="a teapot")
    [request] = log.requests
    assert (request.host, request.method) == ("gateway", "POST")
    assert request.path == "/v1/images/generations"
    assert request.json is not None
    assert request.json["prompt"] == "a teapot"
    assert KEY not in str(request)


def test_paid_calls_are_counted_by_prompt(generate: Generate, log: Log) -> None:
    generate(prompt="a teapot")
    generate(prompt="a teapot", seed=1)  # refused
    generate(prompt="a cup")
    counts = log.posts("a teapot"), log.paid("a teapot"), log.paid("a cup"), log.paid_calls
    assert counts == (2, 1, 1, 2)


@pytest.mark.parametrize(
    ("model", "fields", "dollars"),
    [
        ("dall-e-2", {"size": "256x256", "n": 3}, 0.02 * 0.4 * 3),
        ("dall-e-3", {"size": "1792x1024", "quality": "hd"}, 0.12),
        ("qwen-image", {}, 0.04),
        ("gpt-image-1", {"quality": "medium"}, (10 * 5 + 1056 * 40) * 0.8 / 1e6),
        ("gpt-image-2", {"quality": "low"}, (10 * 4 + 196 * 24) / 1e6),
        ("gpt-image-2-2026-04-21", {"quality": "low"}, (10 * 4 + 196 * 24) / 1e6),
    ],
)
def test_every_balance_moves_by_the_price_of_the_call(
    generate: Generate, client: httpx.Client, model, fields, dollars
) -> None:
    generate(model, prompt="a teapot", **fields)
    quota = client.get("/user/quota", params={"key": KEY}).json()
    limit = client.get("/v1/dashboard/billing/subscription", headers=BEARER).json()
    usage = client.get("/v1/dashboard/billing/usage", headers=BEARER).json()
    assert quota["total_used_quota"] == pytest.approx(dollars)
    assert quota["total_quota"] == pytest.approx(500 - dollars)
    assert usage["total_usage"] == pytest.approx(dollars * 100)
    left = limit["hard_limit_usd"] - usage["total_usage"] / 100
    assert left == pytest.approx(quota["total_quota"])


def test_days_are_told_only_when_both_dates_are_given(
    generate: Generate, client: httpx.Client
) -> None:
    generate()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    dates = {"start_date": today, "end_date": today}
    asked = client.get("/user/quota", params={"key": KEY, **dates}).json()
    assert asked["daily_quota"][today][0]["request_count"] == 1
    assert "daily_quota" not in client.get("/user/quota", params={"key": KEY}).json()


def test_an_empty_account_is_refused() -> None:
    transport = httpx.WSGITransport(app=Sandbox(log=Log(balance="0.01")))
    with httpx.Client(base_url="http://gateway", transport=transport) as client:
        body = {"model": "qwen-image", "prompt": "a teapot"}
        reply = client.post("/v1/images/generations", json=body, headers=BEARER)
    assert reply.status_code == 403
    assert reply.json()["error"]["code"] == "insufficient_user_quota"


def test_the_list_of_models_is_public_whole_and_full_of_quirks(client: httpx.Client) -> None:
    answer = client.get("/api/models").json()
    rows = {row["id"]: row for row in answer["data"]}
    assert (answer["page"], answer["page_size"], answer["total"]) == (0, 0, len(rows))
    assert rows["gpt-image-1.5"]["code"] == "gpt-image-1-5"
    assert rows["gpt-image-2"]["pricing"]["per_request"] is None
    endpoints = json.loads(rows["gpt-image-2"]["endpoints"])
    assert endpoints["openai-image"]["path"] == "/v1/images/generations"
    assert any(row.get("upcoming") for row in rows.values())


def test_pages_of_models_cover_all_of_them_once(client: httpx.Client) -> None:
    ids: list[str] = []
    for page in range(1, len(catalogue.MODELS) // 5 + 3):
        rows = client.get("/api/models", params={"page": page, "page_size": 5}).json()["data"]
        ids += [row["id"] for row in rows]
    assert ids == [row["id"] for row in catalogue.MODELS]


def test_the_list_has_every_odd_form_of_a_row(client: httpx.Client) -> None:
    rows = {row["id"]: row for row in client.get("/api/models").json()["data"]}
    forms = {type(row["endpoints"]) for row in rows.values()}
    assert forms == {str, dict, type(None)}
    assert rows["recraftv3"]["pricing"]["per_request"] == "0.04"
    assert rows["mj-fast-imagine"]["features"] is None


def test_a_model_that_was_withdrawn_is_not_listed(sandbox: Sandbox, client: httpx.Client) -> None:
    before = client.get("/api/models").json()
    sandbox.withdrawn.add("qwen-image")
    after = client.get("/api/models").json()
    assert after["total"] == len(after["data"]) == before["total"] - 1
    assert "qwen-image" not in {row["id"] for row in after["data"]}


def test_a_price_row_is_no_model_to_call(generate: Generate) -> None:
    reply = generate("mj-fast-imagine")
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "model_not_found")


def test_one_model_is_found_by_its_code_and_not_by_its_id(client: httpx.Client) -> None:
    found = client.get("/api/model/gpt-image-1-5").json()
    assert found["data"]["id"] == "gpt-image-1.5"
    assert found["data"]["overview"]
    assert client.get("/api/model/gpt-image-1.5").json()["success"] is False


def test_the_openai_list_needs_a_key_and_names_what_can_be_called(client: httpx.Client) -> None:
    assert client.get("/v1/models").status_code == 401
    ids = [row["id"] for row in client.get("/v1/models", headers=BEARER).json()["data"]]
    assert "dall-e-2" in ids
    assert "gpt-image-3" not in ids


def test_a_wrong_path_is_a_web_page_with_status_200_or_404() -> None:
    for choice, status in (("html", 200), ("404", 404)):
        transport = httpx.WSGITransport(app=Sandbox(unknown_path=choice))
        with httpx.Client(base_url="http://gateway", transport=transport) as client:
            reply = client.post("/v1/image/generations", json={})
        assert reply.status_code == status
        assert reply.text.startswith("<!doctype html>")


def test_variations_are_known_and_not_there(client: httpx.Client) -> None:
    reply = client.post("/v1/images/variations", headers=BEARER)
    assert (reply.status_code, reply.json()["error"]["code"]) == (501, "api_not_implemented")


def test_the_front_page_says_what_this_is_and_lists_the_words(client: httpx.Client) -> None:
    page = client.get("/").text
    assert "This is a sandbox" in page
    assert "[redirect]" in page
