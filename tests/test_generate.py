"""`manage.py generate`: what a shell is told, and what it is refused, on one line."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from PIL import Image

from generator import jobs, pictures
from generator.errors import ContentRefused
from generator.models import Generation, ImageAsset, Role, Status, Team, User, Window
from generator.providers.base import Finished
from tests.make import make_asset, make_entry, make_generation, make_mask, make_picture, set_cap
from tests.pictures.make import SVG, raw_png
from tests.scripted import ScriptedGateway, images

pytestmark = pytest.mark.django_db(transaction=True)


class DoingQueue:
    """Does each job at once, as a worker with nothing else to do would."""

    count = 0

    def enqueue(self, job: Callable[..., None], *args: str) -> None:
        """Do it."""
        job(*args)

    @property
    def connection(self) -> "DoingQueue":
        """What is asked whether the queue is there."""
        return self

    def ping(self) -> bool:
        """It is."""
        return True


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Callable[[ScriptedGateway], None]:
    """A worker that calls this gateway."""

    def works(gateway: ScriptedGateway) -> None:
        monkeypatch.setattr(jobs, "_queue", lambda name: DoingQueue())
        monkeypatch.setattr(jobs, "open_gateway", lambda: gateway)

    return works


def generate(prompt: str = "a teapot", **options: Any) -> list[str]:
    """The lines that the command prints."""
    said = io.StringIO()
    call_command(
        "generate",
        prompt,
        stdout=said,
        **{"model": "gpt-image-2", "person": "member", "field": [], **options},
    )
    return said.getvalue().splitlines()


def refusal(prompt: str = "a teapot", **options: Any) -> str:
    """Why it ends with an error: its one line."""
    with pytest.raises(CommandError) as caught:
        generate(prompt, **options)
    assert caught.value.returncode == 1
    assert "__all__" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_an_image_is_made_and_its_address_opens(
    team: Team, member: User, settings: Any, work: Any
) -> None:
    work(ScriptedGateway(images()))
    (line,) = generate(wait=True)
    asset = ImageAsset.objects.get()
    assert line == f"{settings.ADDRESS}/t/northlight/images/{asset.pk}/"
    browser = Client()
    browser.force_login(member)
    assert browser.get(line.removeprefix(settings.ADDRESS)).status_code == 200


def test_what_was_set_reaches_the_provider(team: Team, work: Any) -> None:
    gateway = ScriptedGateway(images(2))
    work(gateway)
    assert len(generate(field=["size=1024x1536", "count=2"], wait=True)) == 2
    (brief,) = gateway.submitted
    assert (brief.prompt, brief.fields["size"], brief.count) == ("a teapot", "1024x1536", 2)


def test_without_waiting_it_prints_which_generation_it_is(team: Team) -> None:
    assert generate() == [str(Generation.objects.get().pk)]


def test_whoever_waits_too_short_is_told_that_it_goes_on(team: Team) -> None:
    assert "It is not done yet" in refusal(wait=True, timeout=0)
    assert Generation.objects.get().status == Status.QUEUED


def test_a_prompt_that_the_provider_refuses_ends_with_its_reason(team: Team, work: Any) -> None:
    work(ScriptedGateway(ContentRefused("The provider's safety\nrules refused it.")))
    said = refusal(wait=True)
    assert said == " ".join(Generation.objects.get().reason.split())
    assert said


def test_a_cap_refuses_with_what_is_missing(team: Team, member: User) -> None:
    set_cap(team, member, window=Window.EVER, credits=30)
    said = refusal()
    assert said.startswith("You have 30 credits left in all, and this needs 40: 10 are missing.")
    assert not Generation.objects.exists()


def test_a_prompt_of_nothing_is_refused(team: Team) -> None:
    assert refusal("  ") == "prompt: Write what the image should show."


def test_a_person_nobody_knows_is_refused(team: Team) -> None:
    assert refusal(person="nobody") == "Nobody here is called nobody."


def test_a_team_the_person_is_not_in_is_refused(team: Team) -> None:
    assert refusal(team="southlight") == "member is in no team called southlight."


def test_a_viewer_is_refused(team: Team, member: User) -> None:
    member.memberships.update(role=Role.VIEWER)
    assert refusal()
    assert not Generation.objects.exists()


def test_a_model_nobody_offers_is_refused(team: Team) -> None:
    assert refusal(model="crayon-9") == "crayon-9 is not offered. Pick another model."


@pytest.mark.parametrize(
    ("pair", "reason"),
    [
        ("sparkle=1", "No model takes the field “sparkle”."),
        ("model=dall-e-2", "No model takes the field “model”."),
        ("size", "--field takes NAME=VALUE, and not “size”."),
        ("style=vivid", "does not take the field “style” here."),
        ("size=huge", "size: "),
    ],
)
def test_a_wrong_field_is_refused_by_name(team: Team, pair: str, reason: str) -> None:
    assert reason in refusal(field=[pair])
    assert not Generation.objects.exists()


def test_whoever_createsuperuser_made_has_a_team_and_can_do_it_all(
    db: None, settings: Any, work: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_entry()
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")
    call_command("createsuperuser", username="root", email="", interactive=False, verbosity=0)
    work(ScriptedGateway(images()))
    (line,) = generate(person="root", wait=True)
    person = User.objects.get(username="root")
    browser = Client()
    assert browser.login(username="root", password="correct horse battery")
    assert line.startswith(f"{settings.ADDRESS}/t/{person.personal_team.slug}/")
    for path in (
        "/admin/",
        f"/t/{person.personal_team.slug}/",
        line.removeprefix(settings.ADDRESS),
    ):
        assert browser.get(path, follow=True).status_code == 200


# ── What goes along ──


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a reference, and a mask whose left third is white."""
    (tmp_path / "bowl.png").write_bytes(make_picture(64, 48))
    (tmp_path / "mask.png").write_bytes(make_mask(64, 48))
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_a_reference_and_a_mask_reach_the_provider(team: Team, folder: Path, work: Any) -> None:
    gateway = ScriptedGateway(images())
    work(gateway)
    generate("a cup", reference=[folder / "bowl.png"], mask=folder / "mask.png", wait=True)
    (brief,) = gateway.submitted
    assert brief.action == "edit"
    assert pictures.inspect(brief.references[0].data).width == 64
    assert brief.mask
    mask = Image.open(io.BytesIO(brief.mask.data))
    assert (mask.mode, mask.getpixel((2, 2)), mask.getpixel((60, 2))) == ("L", 255, 0)


def test_a_file_that_is_no_image_is_refused(team: Team, folder: Path) -> None:
    assert "no image" in refusal(reference=[folder / "notes.txt"])
    assert "cannot be read" in refusal(reference=[folder / "gone.png"])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (SVG, "Export it as PNG"),
        (raw_png(30_000, 30_000, packed=b""), "too large"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "no image"),
    ],
)
def test_a_shell_s_files_are_checked_by_their_bytes_as_a_page_s_are(
    team: Team, folder: Path, data: bytes, reason: str
) -> None:
    (folder / "odd.png").write_bytes(data)
    assert reason in refusal(reference=[folder / "odd.png"])
    assert not Generation.objects.exists()


def test_a_file_without_an_end_is_not_read_to_its_end(team: Team) -> None:
    assert "too large" in refusal(reference=[Path("/dev/zero")])


def test_bytes_of_a_shell_that_are_no_text_begin_all_the_same(team: Team) -> None:
    generate("a teapot\udcff")
    assert Generation.objects.get().prompt == "a teapot"


def test_a_mask_of_another_size_is_refused(team: Team, folder: Path) -> None:
    (folder / "bowl.png").write_bytes(make_picture(48, 64))
    sent = {"reference": [folder / "bowl.png"], "mask": folder / "mask.png"}
    assert "They must be of the same size." in refusal(**sent)
    assert not Generation.objects.exists()


def test_a_mask_without_an_image_is_refused(team: Team, folder: Path) -> None:
    assert "give --reference or --parent" in refusal(mask=folder / "mask.png")


def test_it_goes_on_from_an_image_of_the_library(team: Team, member: User, work: Any) -> None:
    parent = make_generation(member, team, status=Status.SUCCEEDED)
    asset = make_asset(parent)
    gateway = ScriptedGateway(images())
    work(gateway)
    generate("in the rain", parent=str(asset.pk), wait=True)
    made = Generation.objects.exclude(pk=parent.pk).get()
    assert (made.parent, made.parent_position, made.action) == (parent, 0, "edit")
    assert len(gateway.submitted[0].references) == 1


def test_a_button_that_is_not_there_is_refused_with_those_that_are(
    team: Team, member: User
) -> None:
    parent = make_generation(
        member, team, status=Status.SUCCEEDED,
        buttons=[{"id": "x", "label": "U1", "action": "upscale", "asks": ""}],
    )  # fmt: skip
    assert refusal(parent=str(parent.pk), button="U9") == "It offers no “U9”, but: U1."
    assert "give --parent as well" in refusal(model="midjourney", button="U1")


def test_an_image_of_another_team_cannot_be_started_from(team: Team) -> None:
    theirs = make_asset(make_generation(status=Status.SUCCEEDED))
    assert "There is no generation or image" in refusal(parent=str(theirs.pk))


def test_what_a_model_says_is_printed(team: Team, work: Any) -> None:
    make_entry("midjourney")
    work(ScriptedGateway(Finished((), texts=("a bowl on a table", "a still life"))))
    picture = make_picture(64, 64)
    with tempfile.NamedTemporaryFile(suffix=".png") as file:
        file.write(picture)
        file.flush()
        said = generate(
            "", model="midjourney", action="describe", reference=[Path(file.name)], wait=True
        )
    assert said == ["a bowl on a table", "a still life"]


def test_an_action_that_the_model_lacks_is_refused_and_costs_nothing(team: Team) -> None:
    assert refusal(action="upscale") == "GPT Image 2 cannot upscale. Pick another model."
    assert not Generation.objects.exists()


def test_a_field_without_effect_is_refused_by_its_name(team: Team) -> None:
    said = refusal(field=["output_format=png", "output_compression=50"])
    assert said == "output_compression: Compression is only for JPEG and WebP."
