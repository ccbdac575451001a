"""README's capability matrix is the families file, and nothing else."""

from pathlib import Path

from generator import matrix
from generator.families import FAMILIES, Field

README = Path(__file__).parent.parent / "README.md"


def test_the_matrix_in_readme_is_made_from_the_file() -> None:
    text = README.read_text(encoding="utf-8")
    _, _, rest = text.partition("<!-- families -->\n")
    shown, _, _ = rest.partition("\n<!-- /families -->")
    assert shown == matrix.table(), "run `./studio manage families` and put it into README"


def test_every_family_has_a_row_that_says_whether_it_was_ever_tried() -> None:
    rows = matrix.table().splitlines()[2:]
    assert len(rows) == len(FAMILIES)
    for row, family in zip(rows, FAMILIES.values(), strict=True):
        assert f"**{family.name}**" in row
        assert f"| {'yes' if family.tried else 'never'} |" in row


def test_what_is_in_doubt_is_told_point_by_point() -> None:
    told = matrix.doubts()
    for family in FAMILIES.values():
        for point in family.unsure:
            assert f"- *{family.name}*: {point}" in told


def test_a_size_without_a_name_is_called_by_its_shape() -> None:
    field = Field("size", "size", "Size", labels={"1024x1536": "Tall"})
    sizes = ("1024x1024", "1024x1536", "1344x768", "768x1344", "auto")
    assert [field.choice_label(size) for size in sizes] == ["Square", "Tall", "7:4", "4:7", "Auto"]
