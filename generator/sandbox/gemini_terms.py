"""What Gemini's image models take, and how Google says that it is something else (G1, A2)."""

from fnmatch import fnmatchcase

from generator.sandbox.canvas import Size
from generator.sandbox.wire import Answer, Fields, Refused, as_json

MOST_IMAGES = 14
LARGEST_REQUEST = 20_971_520  # bytes, as they come
MODELS = (
    "gemini-3.1-flash-image*",
    "gemini-3-pro-image*",
    "gemini-3.1-flash-lite-image*",
)
# Width and height at 1K; 2K and 4K are twice and four times as much.
SHAPES: dict[str, Size] = {
    "1:1": (1024, 1024),
    "2:3": (848, 1264),
    "3:2": (1264, 848),
    "3:4": (896, 1200),
    "4:3": (1200, 896),
    "4:5": (928, 1152),
    "5:4": (1152, 928),
    "9:16": (768, 1376),
    "16:9": (1376, 768),
    "21:9": (1584, 672),
}
EXTREMES: dict[str, Size] = {
    "1:4": (512, 2048),
    "4:1": (2048, 512),
    "1:8": (384, 3072),
    "8:1": (3072, 384),
}
SCALES = {"1K": 1, "2K": 2, "4K": 4}
PEOPLE = ("ALLOW_ALL", "ALLOW_ADULT", "ALLOW_NONE")
HARMS = frozenset(
    f"HARM_CATEGORY_{name}"
    for name in (
        "HARASSMENT",
        "HATE_SPEECH",
        "SEXUALLY_EXPLICIT",
        "DANGEROUS_CONTENT",
        "CIVIC_INTEGRITY",
    )
)
THRESHOLDS = frozenset(
    {"BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE", "BLOCK_LOW_AND_ABOVE", "OFF"}
)
TYPES = ("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif")
# What a number may be: the whole ones by `int`.
NUMBERS: dict[str, tuple[type, float, float]] = {
    "temperature": (float, 0, 2),
    "topP": (float, 0, 1),
    "maxOutputTokens": (int, 1, 65_536),
    "candidateCount": (int, 1, 1),
    "seed": (int, 0, 2**31 - 1),
}


class Wrong(Refused):
    """A refusal in Google's form: a number as `code`, words as `status` and `reason` (A2, M2)."""

    def __init__(
        self, message: str, *, status: int = 400, word: str = "", reason: str = ""
    ) -> None:
        super().__init__(status, message)
        self.word = word or "INVALID_ARGUMENT"
        self.reason = reason

    def answer(self, request_id: str) -> Answer:
        """`{"error": {"code": 400, "message": …, "status": "INVALID_ARGUMENT"}}`."""
        error: Fields = {"code": self.status, "message": self.message, "status": self.word}
        if self.reason:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [{"@type": kind, "reason": self.reason}]
        return as_json({"error": error}, self.status)


def shapes_of(model: str) -> dict[str, Size]:
    """What a model takes as a shape, with its size at 1K."""
    return SHAPES | EXTREMES if fnmatchcase(model, MODELS[0]) else SHAPES
