"""The library of a team: finding its images, keeping order among them, the trash."""


def read_place(text: str) -> int | None:
    """The place that an address names; None if it names none."""
    place = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return place if 0 < place < 2**63 else None
