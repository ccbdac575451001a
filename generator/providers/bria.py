"""Bria: pictures and vectors at once, and edits as tasks (H).

`POST /bria/text-to-image` and `/bria/text-to-vector` answer with links, `/bria/image/edit/{action}`
with a task. The links of vectors are given before there is anything behind them, and whether those
of pictures are not is a hint that the provider may pass over: none of them is taken for dead as
long as the task could still be going on. Masks are as ours, white where the image is to change.
"""

from collections.abc import Mapping
from dataclasses import replace

from generator import pictures
from generator.errors import ContentRefused, RequestRefused, TaskUnknown
from generator.providers.base import (
    JSON,
    Brief,
    Call,
    Finished,
    InlineImage,
    LinkedImage,
    Outcome,
    Pending,
    Reference,
    Reply,
)
from generator.providers.cleaning import is_whole
from generator.providers.failed_tasks import failure, no_image, speaks_of_safety, unknown_task
from generator.providers.fault_bodies import read_fault
from generator.providers.faults import SAFETY, SAFETY_OF_IMAGE
from generator.providers.reading import (
    LONGEST_NOTE,
    is_task_id,
    json_or_none,
    raise_for_error,
    read_image,
    unreadable,
)
from generator.providers.saying import said_fields

ROOT = "/bria"
# The studio's actions, and what Bria calls them.
EDITS = {
    "enhance": "enhance",
    "erase": "erase",
    "expand": "expand",
    "fill": "gen_fill",
    "replace_background": "replace_background",
    "upscale": "increase_resolution",
}
ACTIONS = frozenset({"create", *EDITS})
FIELDS = frozenset(
    {
        "aspect_ratio",
        "content_moderation",
        "desired_increase",
        "enhance_image",
        "guidance",
        "ip_signal",
        "mask_type",
        "medium",
        "mode",
        "negative_prompt",
        "original_quality",
        "preserve_alpha",
        "prompt_content_moderation",
        "prompt_enhancement",
        "refine_prompt",
        "resolution",
        "seed",
        "steps",
        "visual_input_content_moderation",
        "visual_output_content_moderation",
    }
)
# What families.toml shows where no shape is chosen to expand to.
USUAL_SHAPE = "1:1"
AUTO = "auto"  # the model chooses: nothing is said
LOST = "Something broke at the provider while it worked on this. Try once more."
WRONG_KIND = "The provider could not use this image: it takes JPEG, PNG and WebP."
_WORDS = {"guidance": "text_guidance_scale", "steps": "steps_num"}
_LONGEST_WARNING = 500


def build_submit(brief: Brief) -> Call:
    """The paid call (H1, H2, H3). Raises RequestRefused for what the routes have no words for."""
    if brief.button or brief.styles or (brief.parent and not brief.references):
        raise RequestRefused("This model takes a prompt, an image and a mask, and nothing else.")
    if brief.action == "create":
        return _creation(brief)
    if brief.action in EDITS:
        return _edit(brief)
    raise RequestRefused("This model cannot do that.")


def parse_submit(reply: Reply) -> Outcome:
    """The images (H1, H2), or the task (H3), or an edit that was done at once.

    Raises ContentRefused where every image was blocked, and what `raise_for_error` does.
    """
    answer = _read(reply)
    match answer.get("result"), answer.get("status"):
        case list() as members, _:
            return _made(members, answer, reply)
        case None, (None | "IN_PROGRESS"):
            return Pending(_task_id(answer), request_id=reply.request_id)
        case (dict(), None) | (_, "COMPLETED" | "ERROR" | "FAILED"):
            return _state(answer, reply)
        case _:
            raise ValueError("neither images nor a task")


def build_poll(task_id: str) -> Call:
    """The free look, at the gateway and nowhere else (H4, K10)."""
    return Call("GET", f"{ROOT}/{task_id}", deadline=60)


def parse_poll(reply: Reply) -> Outcome:
    """What there is so far (H4).

    The `request_id` of an answer may be another one at every look, and is not read. Raises
    ContentRefused, RequestRefused (it failed), TaskUnknown (also for the status UNKNOWN, which is
    looked at once more), and what `raise_for_error` does.
    """
    if reply.status == 404 and not reply.is_page:
        raise unknown_task(reply.request_id)
    return _state(_read(reply), reply)


# ── Building ──


def _creation(brief: Brief) -> Call:
    if brief.references or brief.mask:
        raise RequestRefused("This model makes images from a prompt alone.")
    body = {"prompt": brief.prompt, "num_results": brief.count, **_settings(brief.fields)}
    if "vector" in brief.wire_model:
        return Call("POST", f"{ROOT}/text-to-vector", json=body)
    return Call("POST", f"{ROOT}/text-to-image", json={**body, "sync": True})


def _edit(brief: Brief) -> Call:
    if len(brief.references) != 1:
        raise RequestRefused("This model changes one image at a time: add just one.")
    if brief.count != 1:
        raise RequestRefused("This model makes one image of each that it changes.")
    body = {"image": brief.references[0].base64, **_settings(brief.fields), **_mask(brief)}
    if brief.action == "expand" and brief.mask is None:
        body.setdefault("aspect_ratio", USUAL_SHAPE)
    if brief.prompt:
        body["prompt"] = brief.prompt
    return Call("POST", f"{ROOT}/image/edit/{EDITS[brief.action]}", json=body)


def _mask(brief: Brief) -> dict[str, str]:
    match brief.action, brief.mask:
        case (("erase" | "expand" | "fill"), Reference() as mask):
            return {"mask": mask.base64}
        case "expand", None:
            # The page wants a mask here too (H3): this one says that all of the image stays.
            blank = pictures.blank_mask(brief.references[0].data)
            return {"mask": replace(brief.references[0], data=blank).base64}
        case (("erase" | "fill"), None):
            raise RequestRefused("Paint over what is to change.")
        case _, None:
            return {}
        case _:
            raise RequestRefused("This model takes no mask for that.")


def _settings(fields: Mapping[str, JSON]) -> dict[str, JSON]:
    said = {name: value for name, value in said_fields(fields, FIELDS).items() if value != AUTO}
    if "desired_increase" in said:
        said["desired_increase"] = _whole(said["desired_increase"])
    return {_WORDS.get(name, name): value for name, value in said.items()}


def _whole(said: JSON) -> JSON:
    """A choice as the number that it is on the wire; what is none goes as it is, to be refused."""
    return int(said) if isinstance(said, str) and said.isdecimal() else said


# ── Reading ──


def _read(reply: Reply) -> Mapping[str, JSON]:
    """The answer. One with a status may carry an `error` and be no error of the call (H4)."""
    answer = json_or_none(reply)
    if not isinstance(answer, dict):
        answer = {}
    if 200 <= reply.status < 300 and isinstance(answer.get("status"), str):
        return answer
    if reply.status in {200, 400, 422} and speaks_of_safety(read_fault(answer.get("error")).text):
        raise ContentRefused(SAFETY, code="content_moderated", request_id=reply.request_id)
    if reply.status == 415:
        raise RequestRefused(WRONG_KIND, code="media_type", request_id=reply.request_id)
    said: Mapping[str, JSON] = raise_for_error(reply)
    return said


def _task_id(answer: Mapping[str, JSON]) -> str:
    task_id = answer["request_id"]
    if not is_task_id(task_id):
        raise ValueError("no id that a task can have")
    return task_id


def _made(members: list[JSON], answer: Mapping[str, JSON], reply: Reply) -> Finished:
    found = [_images(member) for member in members]
    images = tuple(image for some in found if some for image in some)
    blocked = sum(isinstance(member, dict) and bool(member.get("blocked")) for member in members)
    if not images and blocked:
        raise ContentRefused(SAFETY_OF_IMAGE, code="blocked", request_id=reply.request_id)
    if not images and None in found:
        raise unreadable(reply)
    if not images:
        raise no_image(reply.request_id)
    return Finished(
        images=images,
        texts=_warning(answer),
        used=_used(next(one for one, some in zip(members, found, strict=True) if some)),
        request_id=reply.request_id,
        failed_members=sum(not some for some in found),
        problem=f"The provider's safety rules withheld {blocked} of them." if blocked else "",
    )


def _images(member: JSON) -> list[InlineImage | LinkedImage] | None:
    """The images of one member of a list; None where they cannot be read."""
    try:
        if member.get("blocked"):
            return []
        found = [read_image({"url": url}) for url in member["urls"]]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return [_later(image) for image in found if image is not None]


def _later(image: InlineImage | LinkedImage) -> InlineImage | LinkedImage:
    return replace(image, comes_later=True) if isinstance(image, LinkedImage) else image


def _state(answer: Mapping[str, JSON], reply: Reply) -> Outcome:
    match answer.get("status"):
        case "COMPLETED":
            return _edited(answer, reply)
        case None if isinstance(answer.get("result"), dict):
            return _edited(answer, reply)
        case "IN_PROGRESS":
            return Pending("", request_id=reply.request_id)
        case "ERROR" | "FAILED":
            raise failure(answer.get("error"), reply.request_id)
        case "UNKNOWN":
            raise TaskUnknown(LOST, code="unknown", request_id=reply.request_id)
        case str() as word if word:
            return Pending("", note=word[:LONGEST_NOTE], request_id=reply.request_id)
        case _:
            raise ValueError("no status")


def _edited(answer: Mapping[str, JSON], reply: Reply) -> Finished:
    result = answer["result"] or {}
    if result.get("blocked"):
        raise ContentRefused(SAFETY_OF_IMAGE, code="blocked", request_id=reply.request_id)
    said = {"url": result.get("image_url"), "revised_prompt": result.get("refined_prompt")}
    image = read_image(said)
    if image is None:
        raise no_image(reply.request_id)
    return Finished(
        images=(image,),
        texts=_warning(answer),
        used=_used(result),
        request_id=reply.request_id,
    )


def _used(member: Mapping[str, JSON]) -> dict[str, JSON]:
    seed = member.get("seed")
    return {"seed": seed} if is_whole(seed) else {}


def _warning(answer: Mapping[str, JSON]) -> tuple[str, ...]:
    """What the provider says beside the images, such as that a name may belong to somebody."""
    said = answer.get("warning")
    return (said[:_LONGEST_WARNING],) if isinstance(said, str) and said else ()
