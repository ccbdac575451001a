"""Where the pages of the studio are."""

from django.urls import path

from generator.views import (
    account,
    bill,
    cards,
    files,
    health,
    images,
    library,
    live,
    notices,
    references,
    studio,
    usage,
)

TEAM = "t/<slug:team>/"
GENERATION = f"{TEAM}generations/<uuid:pk>/"
IMAGE = f"{TEAM}images/<uuid:pk>/"

urlpatterns = [
    path("", studio.home, name="home"),
    path(TEAM, studio.studio, name="studio"),
    path(f"{TEAM}generations/", studio.create, name="create"),
    path(f"{TEAM}fields/", studio.fields, name="fields"),
    path(f"{TEAM}price", bill.price, name="price"),
    path(f"{GENERATION}card", cards.card, name="card"),
    path(f"{GENERATION}cancel", cards.cancel, name="cancel"),
    path(f"{GENERATION}again", cards.again, name="again"),
    path(f"{GENERATION}press", cards.press, name="press"),
    path(f"{TEAM}references/", references.references, name="references"),
    path(f"{TEAM}references/<uuid:pk>/picture", references.picture, name="reference_picture"),
    path(f"{TEAM}notices/<int:pk>/seen", notices.got_it, name="got_it"),
    path(f"{TEAM}live", live.live, name="live"),
    path(f"{TEAM}library/", library.library, name="library"),
    path(f"{TEAM}usage/", usage.mine, name="usage"),
    path(f"{TEAM}usage.csv", usage.mine_as_sheet, name="usage_sheet"),
    path(f"{TEAM}usage/cap", usage.own_cap, name="own_cap"),
    path(f"{TEAM}usage/team/", usage.together, name="team_usage"),
    path(f"{TEAM}usage/team.csv", usage.together_as_sheet, name="team_usage_sheet"),
    path(IMAGE, images.image, name="image"),
    path(f"{IMAGE}picture/<str:size>", images.picture, name="picture"),
    path(f"{IMAGE}download", images.download, name="download"),
    path("files/<str:token>", files.file, name="file"),
    path("account/", account.account, name="account"),
    path("invitations/<str:secret>/", account.invitation, name="invitation"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
