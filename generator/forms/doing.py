"""What pages call the actions, and how they say that a model cannot do one."""

from generator.models import Action

# What a page calls the actions that a person may pick.
ACTION_WORDS: dict[str, str] = {
    Action.CREATE: "From text",
    Action.EDIT: "Edit",
    Action.VARY: "Vary",
    Action.UPSCALE: "Upscale",
    Action.BLEND: "Blend",
    Action.DESCRIBE: "Describe",
    Action.EXPAND: "Expand",
    Action.ERASE: "Erase",
    Action.FILL: "Fill in",
    Action.ENHANCE: "Enhance",
    Action.REPLACE_BACKGROUND: "Replace background",
    Action.REROLL: "Make again",
    Action.ZOOM: "Zoom out",
    Action.PAN: "Extend",
}
# What was done, as the pages of usage say it.
DONE_WORDS: dict[str, str] = {
    Action.CREATE: "Made from text",
    Action.EDIT: "Edited",
    Action.VARY: "Varied",
    Action.UPSCALE: "Upscaled",
    Action.BLEND: "Blended",
    Action.DESCRIBE: "Described",
    Action.EXPAND: "Expanded",
    Action.ERASE: "Erased",
    Action.FILL: "Filled in",
    Action.ENHANCE: "Enhanced",
    Action.REPLACE_BACKGROUND: "Background replaced",
    Action.REROLL: "Made again",
    Action.ZOOM: "Zoomed out",
    Action.PAN: "Extended",
}
# Where the words of ACTION_WORDS make no sentence after "cannot".
_AFTER_CANNOT: dict[str, str] = {
    Action.CREATE: "make images from text alone",
    Action.REPLACE_BACKGROUND: "replace the background",
    Action.REROLL: "make an image again",
}


def cannot(label: str, action: str) -> str:
    """That a model cannot do this; an action of no name is no word of ours, and is not repeated."""
    words = _AFTER_CANNOT.get(action) or ACTION_WORDS.get(action, "do that").lower()
    return f"{label} cannot {words}. Pick another model."
