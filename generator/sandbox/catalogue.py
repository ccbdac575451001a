"""The sandbox's list of models in the form of A6, quirks and all, and what a call costs.

`endpoints` is JSON inside a string (or an object, or null), `code` is not always `id`, a price that
does not apply is null, `pricing.ratio` is there for some rows only, and one model is yet to come.
"""

import json
from collections.abc import Collection
from decimal import Decimal
from fnmatch import fnmatchcase

from generator.sandbox import price_rows
from generator.sandbox.canvas import Size
from generator.sandbox.wire import Fields, Refused

IMAGES = {"openai-image": {"path": "/v1/images/generations", "method": "POST"}}
EDITS = {"openai-image-edit": {"path": "/v1/images/edits", "method": "POST"}}
GEMINI = {"gemini": {"path": "/v1beta/models/{model}:generateContent", "method": "POST"}}
FLUX = {"flux": {"path": "/flux/v1/{model}", "method": "POST"}}
REPLICATE = {"replicate": {"path": "/replicate/v1/models/{model}/predictions", "method": "POST"}}
CHAT = {"openai": {"path": "/v1/chat/completions", "method": "POST"}}
KLING = {"kling-image": {"path": "/kling/v1/images/generations", "method": "POST"}}
BRIA = {
    "bria": {"path": "/bria/text-to-image", "method": "POST"},
    "bria-edit": {"path": "/bria/image/edit/{action}", "method": "POST"},
}
BRIA_VECTOR = {"bria-vector": {"path": "/bria/text-to-vector", "method": "POST"}}
_CREATED = 1_776_391_310


def _row(
    model: str,
    provider: str,
    name: str,
    pricing: Fields,
    *,
    endpoints: object = IMAGES,
    kind: str = "image",
    features: list[str] | None = None,
    **more: object,
) -> Fields:
    prices = {"currency": "USD / M Tokens", "input": None, "output": None}
    return {
        "created": _CREATED,
        "id": model,
        "code": model.replace(".", "-"),
        "provider": provider,
        "provider_code": provider.lower(),
        "name": name,
        "description": f"{name}, as the sandbox plays it.",
        "model_type": kind,
        "features": features if features is not None else ["text-to-image"],
        "endpoints": json.dumps(endpoints, indent=2),
        "pricing": {**prices, "per_request": None, "per_second": None, **pricing},
        "api_doc_url": None,
        **more,
    }


# Where a ratio stands, input and output are list prices; else they are what is charged.
MODELS: list[Fields] = [
    _row("gpt-image-2", "OpenAI", "GPT Image 2", {"input": 4, "output": 24}),
    _row("gpt-image-2.6-flare", "OpenAI", "GPT Image 2.6 Flare", {"input": 3, "output": 14.4}),
    _row(
        "gpt-image-2.6-sunburst", "OpenAI", "GPT Image 2.6 Sunburst", {"input": 6, "output": 38.4}
    ),
    _row("gpt-image-1.5", "OpenAI", "GPT Image 1.5", {"input": 5, "output": 32, "ratio": 0.8}),
    _row("gpt-image-1", "OpenAI", "GPT Image 1", {"input": 5, "output": 40, "ratio": 0.8}),
    _row("gpt-image-1-mini", "OpenAI", "", {"input": 2, "output": 8, "ratio": 1}),
    _row("dall-e-3", "OpenAI", "DALL·E 3", {"currency": "USD", "per_request": 0.04}),
    _row("dall-e-2", "OpenAI", "DALL·E 2", {"currency": "USD", "per_request": 0.02}),
    _row("qwen-image", "Qwen", "Qwen Image", {"currency": "USD", "per_request": 0.04}),
    *(
        _row(
            model,
            "Google",
            name,
            {"input": given, "output": output},
            endpoints=GEMINI,
            features=["text-to-image", "image-editing"],
        )
        for model, name, given, output in (
            ("gemini-3.1-flash-image-preview", "Gemini 3.1 Flash Image", 0.5, 60),
            ("gemini-3.1-flash-image", "", 0.5, 60),
            ("gemini-3-pro-image-preview", "Gemini 3 Pro Image", 2, 120),
            ("gemini-3-pro-image", "Gemini 3 Pro Image", 2, 120),
            ("gemini-3.1-flash-lite-image", "Gemini 3.1 Flash Lite Image", 0.5, 30),
        )
    ),
    _row(
        "gpt-5.5",
        "OpenAI",
        "GPT 5.5",
        {"input": 2.5, "output": 20},
        endpoints=CHAT,
        kind="text",
        features=["text-to-text", "image-to-text"],
        context_length="400K",
    ),
    _row("gpt-image-3", "OpenAI", "GPT Image 3", {}, upcoming=True),
    _row(
        "qwen-image-edit",
        "Qwen",
        "Qwen Image Edit",
        {"currency": "USD", "per_request": 0.045},
        endpoints=EDITS,
        features=["image-editing"],
    ),
    _row(
        "grok-imagine-image",
        "xAI",
        "Grok Imagine",
        {"currency": "USD", "per_request": 0.02},
        endpoints=IMAGES | EDITS,
        features=["text-to-image", "image-editing"],
    ),
    _row(
        "grok-imagine-image-quality",
        "xAI",
        "Grok Imagine Quality",
        {"currency": "USD", "per_request": 0.05},
        endpoints=IMAGES | EDITS,
        features=["text-to-image", "image-editing"],
    ),
    *(
        _row(
            model,
            "Black Forest Labs",
            name,
            {"currency": "USD", "per_request": price},
            endpoints=FLUX,
            features=["text-to-image", "image-to-image"],
        )
        for model, name, price in (
            ("flux-2-pro", "FLUX.2 pro", 0.03),
            ("flux-2-max", "FLUX.2 max", 0.07),
            ("flux-2-flex", "FLUX.2 flex", 0.06),
            ("flux-pro-1.1", "FLUX 1.1 pro", 0.04),
            ("flux-pro", "FLUX.1 pro", 0.05),
            ("flux-dev", "FLUX.1 dev", 0.025),
            ("flux-pro-1.1-ultra", "FLUX 1.1 pro ultra", 0.06),
            ("flux-kontext-pro", "FLUX.1 Kontext pro", 0.04),
            ("flux-kontext-max", "FLUX.1 Kontext max", 0.08),
        )
    ),
    *(
        _row(
            model,
            "Replicate",
            name,
            {"currency": "USD", "per_request": price},
            endpoints=REPLICATE,
            features=["text-to-image"],
            code=model.replace("/", "-").replace(".", "-"),
        )
        for model, name, price in (
            ("black-forest-labs/flux-schnell", "FLUX.1 schnell", 0.003),
            ("black-forest-labs/flux-dev", "FLUX.1 dev", 0.025),
            ("black-forest-labs/flux-pro", "FLUX.1 pro", 0.04),
            ("black-forest-labs/flux-1.1-pro", "FLUX 1.1 pro", 0.04),
            ("black-forest-labs/flux-1.1-pro-ultra", "FLUX 1.1 pro ultra", 0.06),
            ("black-forest-labs/flux-kontext-pro", "FLUX.1 Kontext pro", 0.04),
            ("black-forest-labs/flux-kontext-max", "FLUX.1 Kontext max", 0.08),
            ("black-forest-labs/flux-2-pro", "FLUX.2 pro", 0.03),
            ("black-forest-labs/flux-2-flex", "FLUX.2 flex", 0.06),
            ("black-forest-labs/flux-2-max", "FLUX.2 max", 0.07),
            ("black-forest-labs/flux-2-dev", "FLUX.2 dev", 0.015),
            ("stability-ai/sdxl", "SDXL", 0.005),
            ("stability-ai/stable-diffusion-3.5-medium", "Stable Diffusion 3.5 medium", 0.035),
        )
    ),
    *(
        _row(
            model,
            "ByteDance",
            name,
            {"currency": "USD", "per_request": dollars},
            features=["text-to-image", *extra],
        )
        for model, name, dollars, *extra in (
            ("doubao-seedream-5-0-260128", "Seedream 5.0", 0.035, "image-editing"),
            ("doubao-seedream-4-5-251128", "Seedream 4.5", 0.04, "image-editing"),
            ("doubao-seedream-4-0-250828", "Seedream 4.0", 0.03, "image-editing"),
            ("doubao-seedream-3-0-t2i-250415", "Seedream 3.0", 0.03),
        )
    ),
    *(
        _row(
            model,
            "Kling",
            name,
            {"currency": "USD", "per_request": dollars},
            endpoints=KLING,
            features=["text-to-image", "image-editing"],
        )
        for model, name, dollars in (
            ("kling-v1", "Kling 1.0", 0.004),
            ("kling-v1-5", "Kling 1.5", 0.014),
            ("kling-v2", "Kling 2.0", 0.014),
        )
    ),
    # Listed, and not to be built on; its facts in the odd forms that a client has to bear.
    {
        **_row("recraftv3", "Recraft", "Recraft V3", {"currency": "USD", "per_request": "0.04"}),
        "endpoints": {"openai-image": "/v1/images/generations"},
        "context_length": 1024,
    },
    # Prices of actions, and no models.
    *(
        {
            **_row(name, "Midjourney", "", {"currency": "USD", "per_request": price}),
            "features": None,
            "endpoints": None,
        }
        for name, price in price_rows.rows()
    ),
    _row(
        "bria",
        "Bria",
        "Bria",
        {"currency": "USD", "per_request": 0.04},
        endpoints=BRIA,
        features=["text-to-image", "image-editing"],
    ),
    _row(
        "bria-vector",
        "Bria",
        "Bria Vector",
        {"currency": "USD", "per_request": 0.06},
        endpoints=BRIA_VECTOR,
    ),
]

_DATED = "gpt-image-2-20??-??-??"  # answers like gpt-image-2, and is not listed
_QUALITY_TOKENS = {"low": 272, "medium": 1056, "high": 4160}


def known(model: str) -> bool:
    """Whether a channel answers for this id, on whatever route."""
    listed = any(
        row["id"] == model and not row.get("upcoming") and row["endpoints"] for row in MODELS
    )
    return listed or fnmatchcase(model, _DATED)


def page(asked: dict[str, str], without: Collection[str] = ()) -> Fields:
    """`GET /api/models`: everything as page 0 of 0, unless pages are asked for (A6).

    `without`: ids that are listed no more. They can still be called, as some can.
    """
    there = [row for row in MODELS if row["id"] not in without]
    rows, number, size = there, 0, 0
    if "page" in asked or "page_size" in asked:
        number, size = max(1, _whole(asked, "page", 1)), max(1, _whole(asked, "page_size", 20))
        rows = there[(number - 1) * size : number * size]
    return {
        "success": True,
        "page": number,
        "page_size": size,
        "total": len(there),
        "data": rows,
    }


def one(code: str) -> Fields:
    """`GET /api/model/{code}`: the same fields and an overview in Markdown."""
    for row in MODELS:
        if row["code"] == code:
            overview = f"## {row['name'] or row['id']}\n\nA model of the **sandbox**."
            return {"success": True, "data": {**row, "overview": overview}}
    return {"success": False, "message": "model not found"}


def as_openai_list() -> Fields:
    """`GET /v1/models`."""
    rows = [
        {"id": row["id"], "object": "model", "created": _CREATED, "owned_by": row["provider_code"]}
        for row in MODELS
        if not row.get("upcoming")
    ]
    return {"object": "list", "data": rows}


def output_tokens(model: str, quality: str, size: Size) -> int:
    """The tokens of one GPT image: more for better and for larger ones."""
    square = 196 if quality == "low" and _listed(model) == "gpt-image-2" else None
    tokens = square or _QUALITY_TOKENS[quality]
    return round(tokens * size[0] * size[1] / 1024**2)


def cost(model: str, quality: str, size: Size, count: int, tokens: tuple[int, int]) -> Decimal:
    """US dollars of a call that made `count` images; tokens are (input, output) of all."""
    pricing = next(row["pricing"] for row in MODELS if row["id"] == _listed(model))
    if pricing["per_request"] is not None:
        return Decimal(str(pricing["per_request"])) * count * _dall_e_factor(model, quality, size)
    ratio = Decimal(str(pricing.get("ratio", 1)))
    spent = tokens[0] * Decimal(str(pricing["input"])) + tokens[1] * Decimal(str(pricing["output"]))
    return spent * ratio / 1_000_000


def _dall_e_factor(model: str, quality: str, size: Size) -> Decimal:
    """What a DALL·E image costs beside the smallest dear one (B5)."""
    if model == "dall-e-2":
        return {256: Decimal("0.4"), 512: Decimal("0.45")}.get(size[0], Decimal(1))
    if model != "dall-e-3":
        return Decimal(1)
    wide = max(size) > 1024
    if quality == "hd":
        return Decimal(3) if wide else Decimal(2)
    return Decimal(2) if wide else Decimal(1)


def _listed(model: str) -> str:
    return "gpt-image-2" if fnmatchcase(model, _DATED) else model


def _whole(asked: dict[str, str], name: str, default: int) -> int:
    try:
        return int(asked.get(name, default))
    except ValueError as error:
        raise Refused(400, f"{name} must be a number", code="bad_request_body") from error
