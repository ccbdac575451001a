"""What an image was made from, and what was made from it: generations as a tree."""

import uuid
from dataclasses import dataclass, field

from generator.models import Generation, ImageAsset

HIGHEST = 20  # steps up
DEEPEST = 8  # steps down
MOST = 80  # generations in one tree


@dataclass(slots=True)
class Branch:
    """A generation of the tree, the images it made, and what was made from it."""

    generation: Generation
    images: list[ImageAsset]
    trashed: int = 0  # images in the trash, which are not shown
    branches: list["Branch"] = field(default_factory=list)


def tree_of(generation: Generation) -> Branch | None:
    """The whole family of a generation from its oldest ancestor down; None if it has none.

    One query a level: at most HIGHEST up and DEEPEST down, and MOST generations.
    """
    root = _oldest(generation)
    rows = _descendants(root)
    if len(rows) == 1:
        return None
    branches = {pk: Branch(row, []) for pk, row in rows.items()}
    for asset in ImageAsset.objects.filter(generation__in=rows).order_by("position"):
        branch = branches[asset.generation_id]
        if asset.trashed_at:
            branch.trashed += 1
        else:
            branch.images.append(asset)
    for pk, row in rows.items():
        if pk != root.pk and row.parent_id:
            branches[row.parent_id].branches.append(branches[pk])
    return branches[root.pk]


def _oldest(generation: Generation) -> Generation:
    for _ in range(HIGHEST):
        parent = generation.parent
        # `begin` refuses a parent of another team; should there be one, it is not shown.
        if parent is None or parent.team_id != generation.team_id:
            return generation
        generation = parent
    return generation


def _descendants(root: Generation) -> dict[uuid.UUID, Generation]:
    rows, level = {root.pk: root}, [root.pk]
    for _ in range(DEEPEST):
        children = Generation.objects.filter(team=root.team_id, parent__in=level).order_by(
            "created_at", "id"
        )
        fresh = [row for row in children[: MOST - len(rows)] if row.pk not in rows]
        rows.update({row.pk: row for row in fresh})
        if not (level := [row.pk for row in fresh]) or len(rows) >= MOST:
            break
    return rows
