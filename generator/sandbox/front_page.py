"""The page that says, to anyone who opens the sandbox in a browser, what it is."""

import re
from html import escape

from generator.sandbox import trouble
from generator.sandbox.log import Log
from generator.sandbox.wire import Answer, as_html


def page(log: Log) -> Answer:
    """`GET /`."""
    rows = re.findall(r"^\| (`\[.+) \| (.+) \| (yes|no) \|$", trouble.__doc__ or "", re.MULTILINE)
    table = "".join(
        f"<tr><td>{_code(word)}<td>{_code(what)}<td>{paid}" for word, what, paid in rows
    )
    return as_html(
        "This is a sandbox",
        "<p>It stands in for the image gateway, and is not it: pictures are painted by a small "
        "program on this machine, prices are made up, and nothing leaves this machine.</p>"
        f"<p>Charged calls so far: {log.paid_calls}; left of the made-up balance: "
        f"{log.left:.2f} US dollars.</p>"
        "<p>Words in a prompt that ask for trouble:</p>"
        f"<table><tr><th align=left>word<th align=left>what happens<th align=left>paid{table}"
        "</table>",
    )


def _code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))
