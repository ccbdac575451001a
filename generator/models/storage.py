"""Where image bytes lie, and links of short life to them."""

from typing import Any

from django.conf import settings
from django.core import signing
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.urls import reverse

from generator.spool import Spool

SALT = "image file"
PROVIDER_SALT = "image file for a provider"
PROVIDER_LINK_LIFE = 3600  # seconds


def image_storage() -> Storage:
    """The storage of images: S3 when a bucket is set, the file system otherwise."""
    return storages["images"]


def link_to(key: str) -> str:
    """A signed link to a stored file, made now and kept nowhere; it lives for minutes.

    An SVG is offered as a file to save, never shown as a page of the storage's origin.
    """
    storage: Any = image_storage()
    # Asked by what it has: importing S3's class would cost a studio on disk 20 MB.
    if key.endswith(".svg") and hasattr(storage, "bucket_name"):
        return str(storage.url(key, parameters={"ResponseContentDisposition": "attachment"}))
    return str(storage.url(key))


def is_reachable() -> bool:
    """Whether the deployment says that providers can fetch from its storage by a signed link."""
    return bool(settings.STORAGE_IS_REACHABLE)


def link_for_provider(key: str) -> str:
    """A whole address from which a provider can fetch a stored file, for as long as it may wait.

    Only where the deployment says that its storage can be reached from outside.
    """
    storage: Any = image_storage()
    if hasattr(storage, "bucket_name"):
        return str(storage.url(key, expire=PROVIDER_LINK_LIFE))
    return f"{settings.ADDRESS}{storage.url(key, salt=PROVIDER_SALT)}"


def spool() -> Spool:
    """Where paid images wait for their storage."""
    return Spool(settings.SPOOL)


class SignedFileStorage(FileSystemStorage):
    """Files on disk behind links that expire, as a bucket's signed links do."""

    def url(self, name: str | None, *args: Any, salt: str = SALT, **kwargs: Any) -> str:
        """A link to the file that works for `settings.IMAGE_LINK_LIFE` seconds; one that was
        signed for a provider for `PROVIDER_LINK_LIFE`."""
        return reverse("file", args=[signing.dumps(name, salt=salt)])

    def name_in(self, token: str) -> str:
        """The file's name behind a link. Raises `signing.BadSignature`, also when it is over."""
        try:
            return str(signing.loads(token, salt=SALT, max_age=settings.IMAGE_LINK_LIFE))
        except signing.BadSignature:
            return str(signing.loads(token, salt=PROVIDER_SALT, max_age=PROVIDER_LINK_LIFE))
