"""A stand-in for the gateway, for the demo and for tests. Imports nothing of the studio.

`application` is a WSGI callable with a log of its own; tests make their own `Sandbox`, hand
in a `Log` and read it. `sandbox.images` is the WSGI callable of its image host.
`trouble` lists the words in a prompt that make it fail.
"""

from generator.sandbox.log import Log, Request
from generator.sandbox.server import Sandbox

__all__ = ["Log", "Request", "Sandbox", "application"]

application = Sandbox()
