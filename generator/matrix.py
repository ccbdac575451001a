"""The capability matrix of README, made from families.toml: what each family can be asked."""

from collections.abc import Iterable, Mapping

from generator.families import FAMILIES, Family, Field, ReferenceRule, SizeRule
from generator.providers import POLLING_ADAPTERS

NONE = "–"
HEADINGS = (
    "family",
    "models",
    "does",
    "images",
    "sizes or ratios",
    "quality",
    "file",
    "background",
    "seed",
    "negative prompt",
    "reference images",
    "mask",
    "answers with",
    "streams",
    "mode",
    "tried live",
    "in doubt",
)


def table(families: Iterable[Family] = FAMILIES.values()) -> str:
    """The matrix in Markdown, one row a family, as section J has it, with our own marks."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *(_row(family) for family in families)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def doubts(families: Iterable[Family] = FAMILIES.values()) -> str:
    """Everything that the documents leave open and that the file decides, as a Markdown list."""
    return "\n".join(f"- *{family.name}*: {text}" for family in families for text in family.unsure)


def _row(family: Family) -> tuple[str, ...]:
    fields = family.fields
    return (
        f"**{family.name}** ({family.provider})",
        ", ".join(f"`{model.wire_model}`" for model in family.models),
        ", ".join(action.replace("_", " ") for action in family.actions),
        _images(fields.get("count")),
        _shapes(fields),
        _choices(fields.get("quality")),
        _choices(fields.get("output_format")),
        _choices(fields.get("background")),
        _yes("seed" in fields),
        _yes("negative_prompt" in fields),
        _references(family),
        _masks(family),
        family.result or NONE,
        family.streams or NONE,
        _mode(family),
        "yes" if family.tried else "never",
        str(len(family.unsure)) if family.unsure else NONE,
    )


def _images(count: Field | None) -> str:
    return "1" if count is None else f"{count.least:g}–{count.most:g}"


def _shapes(fields: Mapping[str, Field]) -> str:
    size, ratio = fields.get("size"), fields.get("aspect_ratio")
    said = []
    if size:
        said.append(_some([choice.replace("x", "×") for choice in size.choices]))
        if size.own:
            said.append(_own(size.own))
    if ratio:
        said.append(_some(list(ratio.choices)))
    return "; ".join(said) or NONE


def _own(rule: SizeRule) -> str:
    step = "" if rule.multiple_of == 1 else f"÷{rule.multiple_of}, "
    least, most = (pixels / 1_000_000 for pixels in (rule.least_pixels, rule.most_pixels))
    return f"own: {step}{least:.2g}–{most:.2g} MP"


def _some(words: list[str]) -> str:
    return " ".join(words) if len(words) <= 5 else f"{' '.join(words[:4])} … ({len(words)})"


def _choices(field: Field | None) -> str:
    return " ".join(field.choices) if field and field.choices else NONE


def _yes(there: bool) -> str:
    return "yes" if there else NONE


def _references(family: Family) -> str:
    said = [
        f"{_range(rule.references)} ({action.replace('_', ' ')})"
        for action, rule in family.actions.items()
        if rule.references
    ]
    return ", ".join(said) or NONE


def _range(rule: ReferenceRule) -> str:
    return str(rule.most) if rule.least == rule.most else f"{rule.least}–{rule.most}"


def _masks(family: Family) -> str:
    masks = {action: rule.mask for action, rule in family.actions.items() if rule.mask != "none"}
    return ", ".join(f"{mask} ({action})" for action, mask in masks.items()) or NONE


def _mode(family: Family) -> str:
    polled = {rule.protocol in POLLING_ADAPTERS for rule in family.actions.values()}
    return "task" if polled == {True} else "at once" if polled == {False} else "both"
