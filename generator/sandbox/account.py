"""The balance routes (A7), all three reading the same log."""

from generator.sandbox.log import Log
from generator.sandbox.wire import Fields


def quota(log: Log, asked: dict[str, str]) -> Fields:
    """`GET /user/quota?key=`: dollars left and used; per day only if both dates are given."""
    left, used = float(log.left), float(log.used)
    answer: Fields = {
        "username": "sandbox",
        "total_quota": left,
        "total_used_quota": used,
        "request_count": log.paid_calls,
        "keys": [{"name": "sandbox", "remain_quota": left, "used_quota": used}],
    }
    first, last = asked.get("start_date"), asked.get("end_date")
    if first and last:
        answer["daily_quota"] = {
            day: [{"token_name": "sandbox", "quota_used": float(spent), "request_count": calls}]
            for day, (spent, calls) in log.days(first, last).items()
        }
    return answer


def subscription(log: Log) -> Fields:
    """`GET /v1/dashboard/billing/subscription`: dollars granted in all."""
    limit = float(log.granted)
    return {
        "object": "billing_subscription",
        "has_payment_method": True,
        "soft_limit_usd": limit,
        "hard_limit_usd": limit,
        "system_hard_limit_usd": limit,
        "access_until": 0,
    }


def usage(log: Log) -> Fields:
    """`GET /v1/dashboard/billing/usage`: US cents spent."""
    return {"object": "list", "total_usage": float(log.used * 100)}
