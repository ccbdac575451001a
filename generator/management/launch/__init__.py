"""What `./studio` does: look that all is well, prepare, run, say when it is ready."""


class CannotStart(Exception):
    """The studio cannot start; the text is one line that says what to do."""
