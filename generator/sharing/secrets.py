"""The secret of a sharing link, and its password.

The secret is made of the row's `nonce` and the server's key, so that its owner can copy the
address again, and whoever has stolen the database cannot: the row itself keeps a digest.
"""

import base64
import hashlib
import hmac
import os

from django.conf import settings
from django.contrib.auth.hashers import check_password as matches
from django.contrib.auth.hashers import make_password
from django.utils.crypto import salted_hmac

from generator.errors import SecretLost
from generator.models import ShareLink

NONCE_BYTES = 16
LENGTH = 32  # characters of a secret: 192 bits
_SALT = "generator.sharing.secrets"
_NOBODYS = "!"  # no hash: the hasher does its work for it all the same, and says no


def new_nonce() -> bytes:
    """What a new link's secret is made of."""
    return os.urandom(NONCE_BYTES)


def secret_of(link: ShareLink) -> str:
    """The secret in a link's address; of one without a digest yet, what its secret will be.

    A key of `SECRET_KEY_FALLBACKS` does as well. Raises `SecretLost` where no key makes a secret
    that the row's digest knows: the link still opens, but nobody can copy it again.
    """
    made = (_derived(bytes(link.nonce), key) for key in _keys())
    for secret in made:
        if not link.digest or hmac.compare_digest(digest_of(secret), link.digest):
            return secret
    raise SecretLost(
        "The address of this link cannot be shown again, as the server's key has changed. "
        "Whoever has it can still open it; make another link to share it anew."
    )


def digest_of(secret: str) -> str:
    """What the row keeps of a secret: its SHA-256, in 64 characters; of any text there is one."""
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def hashed(text: str) -> str:
    """What a link's row keeps of a password; nothing if it is empty. Slow on purpose: hold no row
    meanwhile.

    Whoever got in by an earlier one is out, as what lets them in is of that one's hash.
    """
    return make_password(text) if text else ""


def check_password(link: ShareLink, text: str) -> bool:
    """Whether this is the link's password. As much work where the link has none."""
    return matches(text, link.password or _NOBODYS)


def _derived(nonce: bytes, key: str | bytes) -> str:
    made = salted_hmac(_SALT, nonce, secret=key, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(made).decode()[:LENGTH]


def _keys() -> list[str | bytes]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
