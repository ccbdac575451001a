"""Trouble on request: a word in square brackets in the prompt.

The same words work in tests and in the demo, so that anyone can see how the studio fails.

| word | what happens | paid |
|---|---|---|
| `[busy]` | 429 `bad_response_status_code`, `Retry-After: 1`, always | no |
| `[busy 2]` | the same the first two times for that prompt, then it works | no |
| `[refuse]` | the safety refusal of the model's family (B6) | no |
| `[withheld]` | the image is refused after it was made; elsewhere like `[refuse]` | no |
| `[broken]` | 500 with a plain gateway error | no |
| `[money]` | 403 `insufficient_user_quota` | no |
| `[error]` | 200 with an `error` object (K4) | no |
| `[html]` | 200 with an HTML page | no |
| `[empty]` | 200 with `data: []` | no |
| `[slow]` | takes 20 s, then works | yes |
| `[silent]` | the connection is cut after a moment, without an answer | yes |
| `[524]` | the delivery network's HTML page after 1 s, the job done anyway | yes |
| `[garbage]` | an image that is no image | yes |
| `[lies]` | PNG by name and type, JPEG by its bytes (and the other way round) | yes |
| `[bomb]` | a small PNG of 30000 by 30000 pixels | yes |
| `[half]` | a body that ends before its Content-Length | yes |
| `[endless]` | a body without end (2 GB, or 10 minutes) | yes |
| `[drip]` | a body that comes a byte at a time, every half second | yes |
| `[fail]` | a task that fails in the provider's own words; elsewhere like `[broken]` | no |
| `[stuck]` | a task that is never over | yes |
| `[odd]` | a task with a status that no document names, and never over | yes |
| `[gone]` | a task that nobody knows when it is looked for | yes |
| `[lag]` | a task that is not known yet when it is first looked for | yes |
| `[partly]` | of a series every second image is missing, unpaid (Seedream, Bria, Replicate) | yes |
| `[full]` | the queue is full, code 23 (Midjourney) | no |
| `[queue]` | taken, but in the queue, code 22 (Midjourney) | yes |
| `[script]` | a drawing (SVG) with scripts and links to strangers in it; elsewhere nothing | yes |
| `[expired]` | a link that has expired | yes |
| `[private]` | a link to http://169.254.169.254/ | yes |
| `[redirect]` | a link that is redirected to a private address | yes |

Gemini has two words more, for each of its own reasons: `[block SAFETY]` and `[finish NO_IMAGE]`
(see `gemini`).

Where images are links, the words from `[garbage]` to `[drip]` spoil what the link gives; where
they are base64, the answer itself. The last three make any model answer with a link. Without
real sockets nothing can be cut: `[silent]` is then a 524.
"""

import re

ENDS_AT_ONCE = frozenset({"busy", "refuse", "broken", "money", "error"})
LINKS = frozenset({"expired", "private", "redirect"})  # any model answers with a link
TASKS = frozenset({"fail", "stuck", "odd", "gone", "lag"})  # strike where there is a task
# Tasks that end without an image, and cost nothing.
FOR_NOTHING = frozenset({"empty", "fail", "refuse", "withheld"})
SPOILED_FILE = frozenset({"garbage", "lies", "bomb", "script"})
SPOILED_BODY = frozenset({"half", "endless", "drip"})
WORDS = (
    ENDS_AT_ONCE
    | TASKS
    | LINKS
    | SPOILED_FILE
    | SPOILED_BODY
    | {"html", "empty", "slow", "silent", "524", "withheld", "partly", "full", "queue"}
)

_WORD = re.compile(r"\[([a-z0-9]+)(?: (\d{1,4}))?\]", re.IGNORECASE)


def asked_for(prompt: str, turn: int) -> str:
    """The word of the first trouble in a prompt that strikes on this turn (1 is the first).

    Empty if there is none.
    """
    for word, times in _WORD.findall(prompt):
        if word.lower() in WORDS and (not times or turn <= int(times)):
            return str(word.lower())
    return ""
