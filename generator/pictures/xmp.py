"""The XMP packet that says what made an image."""

import json
import re
from collections.abc import Mapping
from itertools import accumulate, takewhile
from xml.sax.saxutils import escape

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
NAMESPACE = "https://comet-studio.example/ns/1.0/"
# A JPEG segment ends at 64 KiB, and one packet must fit into one segment.
MAX_PACKET_BYTES = 60_000
MAX_SETTINGS_BYTES = 16_000

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ELLIPSIS = "…"
_PACKET = """\
<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about=""
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:comet="{namespace}">
{properties}
</rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>"""


def packet(prompt: str | None, settings: Mapping[str, object] | None) -> bytes:
    """The packet in UTF-8, at most `MAX_PACKET_BYTES` long.

    Without prompt and settings it holds the IPTC digital source type alone. A prompt is written
    twice, for programs of today (`dc:description`) and for those that know IPTC 2025.1
    (`AIPromptInformation`); a long one once, and one that is still too long is cut.
    """
    lines = [_property("Iptc4xmpExt:DigitalSourceType", SOURCE_TYPE)]
    if prompt or settings:
        lines.append(_property("xmp:CreatorTool", "Comet Studio"))
    if settings:
        lines.append(_settings(settings))
    return _with_prompt(lines, _clean(prompt)) if prompt else _join(lines)


def _with_prompt(lines: list[str], prompt: str) -> bytes:
    once = [*lines, _description(prompt)]
    for attempt in ([*once, _property("Iptc4xmpExt:AIPromptInformation", prompt)], once):
        if len(whole := _join(attempt)) <= MAX_PACKET_BYTES:
            return whole
    lines = [*lines, _property("comet:promptCut", "true")]
    room = MAX_PACKET_BYTES - len(_join([*lines, _description(_ELLIPSIS)]))
    return _join([*lines, _description(_cut(prompt, room) + _ELLIPSIS)])


def _cut(text: str, room: int) -> str:
    """As many whole characters as `room` bytes hold once they are escaped."""
    widths = accumulate(len(escape(character).encode()) for character in text)
    return text[: sum(1 for _ in takewhile(lambda width: width <= room, widths))]


def _settings(settings: Mapping[str, object]) -> str:
    written = json.dumps(dict(settings), ensure_ascii=False, sort_keys=True, default=str)
    line = _property("comet:settings", _clean(written))
    # Half of a JSON text is of no use to anyone.
    if len(line.encode()) > MAX_SETTINGS_BYTES:
        return _property("comet:settingsCut", "true")
    return line


def _description(prompt: str) -> str:
    return (
        '<dc:description><rdf:Alt><rdf:li xml:lang="x-default">'
        f"{escape(prompt)}</rdf:li></rdf:Alt></dc:description>"
    )


def _property(name: str, text: str) -> str:
    return f"<{name}>{escape(text)}</{name}>"


def _clean(text: str) -> str:
    """Without the characters that XML forbids; line ends as an XML reader would give them."""
    return _NOT_XML.sub("", text).replace("\r\n", "\n").replace("\r", "\n")


def _join(lines: list[str]) -> bytes:
    return _PACKET.format(namespace=NAMESPACE, properties="\n".join(lines)).encode()
