"""What an error of the gateway means for us: one table for every adapter (A2, A4, B6, M2).

A fault is judged by its codes before its status: status classes lie (K3). Of what the other side
wrote only words of ours reach a person, for its own may repeat the prompt or the key.
"""

from collections.abc import Container
from dataclasses import dataclass, field

from generator.errors import (
    ContentRefused,
    ProviderBusy,
    ProviderError,
    ProviderSilent,
    RequestRefused,
)

MODERATION = frozenset(
    {
        "content_filter",
        "content_policy_violation",
        "moderation_blocked",
        "prompt_blocked",
        "sensitive_words_detected",
        # Ark, which makes Seedream (D5).
        "inputimageriskdetection",
        "inputimagesensitivecontentdetected",
        "inputtextriskdetection",
        "inputtextsensitivecontentdetected",
        "outputimageriskdetection",
        "outputimagesensitivecontentdetected",
        "sensitivecontentdetected",
    }
)
# Which image it was that the rules objected to, where the code says so.
OF_THE_RESULT = frozenset({"outputimageriskdetection", "outputimagesensitivecontentdetected"})
OF_A_REFERENCE = frozenset({"inputimageriskdetection", "inputimagesensitivecontentdetected"})
MODERATION_WORDS = ("safety system", "rejected by content moderation")
MONEY = frozenset(
    {
        "accountoverdueerror",
        "billing_hard_limit_reached",
        "insufficient_quota",
        "insufficient_user_quota",
        "pre_consume_token_quota_failed",
    }
)
_TELL = "Please tell your administrator."
_NOT_ALLOWED = f"The gateway does not let this studio use this model. {_TELL}"
_BAD_KEY = f"The gateway did not accept the studio's key. {_TELL}"
_NO_MONEY = f"The studio's account at the gateway is out of money. {_TELL}"
_NOWHERE = f"The gateway knows no such address or model. {_TELL}"
_NOT_OFFERED = "The gateway does not offer this model at the moment. Try another one."
REFUSED = "The provider refused this request as it stands."
_NOT_HERE = f"The provider does not serve this account, or the place it asks from. {_TELL}"
# Whatever the status: fault was found with the request before anybody worked on it.
NEVER = {
    "access_denied": _NOT_ALLOWED,
    "api_key_invalid": _BAD_KEY,
    "api_not_implemented": "The gateway cannot do this with this model.",
    "bad_request_body": "The gateway could not read this request.",
    "convert_request_failed": "The gateway cannot make images with this model in this way.",
    "failed_precondition": _NOT_HERE,  # Google, with status 400 (M2)
    "invalid_image_file": "The provider could not use an image that was sent along. Try it as PNG.",
    "invalid_request": "The gateway refused this request as it stands.",
    "invalidendpointormodel": _NOT_OFFERED,
    "invalidparameter": REFUSED,
    "missing_thought_signature": (
        "The provider does not accept the conversation so far any more. Start from the image alone."
    ),
    "missingparameter": REFUSED,
    "model_not_found": _NOT_OFFERED,
    "modelnotopen": _NOT_OFFERED,
    "permission_denied": _NOT_ALLOWED,
}
# Google's word for a request that is wrong stands outside, and what is wrong within: it counts
# only where nothing else does.
VAGUE = frozenset({"invalid_argument"})
# The provider had been reached: nobody knows what it did.
REACHED = frozenset(
    {
        "bad_response",
        "bad_response_body",
        "channel:response_time_exceeded",
        "do_request_failed",
        "empty_response",
        "internalserviceerror",
    }
)
# Too many at once: turned away before the work began, whatever the status.
TURNED_AWAY = frozenset(
    {
        "accountratelimitexceeded",
        "ratelimitexceeded",
        "requestbursttoofast",
        "resource_exhausted",  # Google
        "serveroverloaded",
        "token_concurrency_limit_reached",
    }
)
# An error object is the gateway's own by its type, or by a code that only the gateway uses.
# Any other one with a 5xx came from further behind, and so the provider had been reached.
OWN_TYPES = frozenset({"comet_api_error", "new_api_error", "one_api_error", "shell_api_error"})
OWN_CODES = frozenset({"bad_response_status_code", "channel:no_available_key"})
STATUSES = {
    401: _BAD_KEY,
    402: _NO_MONEY,
    403: _NOT_ALLOWED,
    404: _NOWHERE,
    405: _NOWHERE,
    413: "The request is too large for the gateway. Send fewer or smaller images.",
}
FIELDS = {
    "aspect_ratio": "shape",
    "background": "background",
    "guidance": "guidance",
    "guidance_scale": "guidance",
    "height": "size",
    "input_fidelity": "likeness",
    "model": "model",
    "megapixels": "size",
    "moderation": "safety rules",
    "n": "number of images",
    "negative_prompt": "negative prompt",
    "num_inference_steps": "number of steps",
    "num_outputs": "number of images",
    "output_compression": "compression",
    "output_format": "file format",
    "prompt": "prompt",
    "quality": "quality",
    "resolution": "resolution",
    "safety_tolerance": "tolerance",
    "seed": "seed",
    "size": "size",
    "steps": "number of steps",
    "style": "style",
    "width": "size",
}
_MAY_NAME_A_FIELD = frozenset({"invalid_request", "invalidparameter", "missingparameter"})
WRONG_ADDRESS = (
    "The gateway answered as if its address were wrong. "
    "Please tell your administrator: COMETAPI_BASE_URL says where it is."
)
SAFETY = "The provider's safety rules refused this prompt. Reword it, or try another model."
SAFETY_OF_IMAGE = (
    "The provider's safety rules withheld the image that was made. "
    "Reword the prompt, or try another model."
)
SAFETY_OF_REFERENCE = (
    "The provider's safety rules refused an image that was sent along. "
    "Use another one, or try another model."
)
EMPTY = (
    "The provider answered without an image, as it does when its safety rules object. "
    "Reword the prompt, or try another model."
)
BUSY = "The model is too busy at the moment."
SILENT = (
    "No answer came that can be trusted. The image may have been made all the same, "
    "so the studio does not ask again by itself."
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error body says. Codes, types and text are in lower case, outermost level first."""

    codes: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    param: str = ""
    categories: tuple[str, ...] = ()
    stage: str = ""

    @property
    def code(self) -> str:
        """The gateway's own word for it; empty where it has none."""
        return self.codes[0] if self.codes else ""

    @property
    def is_own(self) -> bool:
        """Whether the gateway itself wrote it, and not somebody behind it."""
        return not OWN_TYPES.isdisjoint(self.types) or bool(self.code_among(OWN_CODES))

    def code_among(self, table: Container[str]) -> str:
        """The first of its codes that stands in a table; empty if none does.

        Ark puts what it is about behind a point (`InvalidParameter.OversizedImage`).
        """
        heads = (part for code in self.codes for part in (code, code.partition(".")[0]))
        return next((head for head in heads if head in table), "")


def judge(status: int, fault: Fault, *, is_page: bool = False) -> ProviderError:
    """The error to raise for a status and what the body says; `is_page`: HTML came instead.

    RequestRefused (or ContentRefused): it will never work so. ProviderBusy: it came to nothing
    for sure. ProviderSilent: it may be going on behind our back.
    """
    if _is_moderation(fault):
        return ContentRefused(
            _safety(fault), code=fault.code_among(MODERATION) or "content_policy_violation"
        )
    if fault.code_among(MONEY) or "quota is not enough" in fault.text:
        return RequestRefused(_NO_MONEY, code=fault.code_among(MONEY) or fault.code)
    if never := fault.code_among(NEVER):
        return RequestRefused(_refusal(status, fault, never), code=never)
    if status == 429 or fault.code_among(TURNED_AWAY):
        return ProviderBusy(BUSY, code=fault.code, is_limit=True)
    if status == 408 or (is_page and status < 300):
        return ProviderSilent(SILENT, code=fault.code)
    if status < 500 or fault.code_among(VAGUE):
        nowhere = is_page or 300 <= status < 400
        return RequestRefused(_refusal(status, fault, nowhere=nowhere), code=fault.code)
    if status in {500, 502, 503} and fault.is_own and not fault.code_among(REACHED):
        return ProviderBusy(BUSY, code=fault.code)
    return ProviderSilent(SILENT, code=fault.code)


def _is_moderation(fault: Fault) -> bool:
    # Some gateways drop the code on the way and leave only OpenAI's sentence; xAI has no code.
    return bool(fault.code_among(MODERATION)) or (
        not fault.code_among(NEVER) and any(words in fault.text for words in MODERATION_WORDS)
    )


def _safety(fault: Fault) -> str:
    said = SAFETY
    if fault.stage == "output" or fault.code_among(OF_THE_RESULT):
        said = SAFETY_OF_IMAGE
    elif fault.code_among(OF_A_REFERENCE):
        said = SAFETY_OF_REFERENCE
    return f"{said} What it named: {', '.join(fault.categories)}." if fault.categories else said


def _refusal(status: int, fault: Fault, never: str = "", *, nowhere: bool = False) -> str:
    label = FIELDS.get(fault.param)
    if never and not (never in _MAY_NAME_A_FIELD and label):
        return NEVER[never]
    if status in STATUSES:
        return STATUSES[status]
    if nowhere:
        return WRONG_ADDRESS
    return f"The provider did not accept the {label} that was asked for." if label else REFUSED
