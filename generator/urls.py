"""Where the pages of the studio are."""

from django.urls import path

from generator.views import (
    account,
    bill,
    cards,
    downloads,
    files,
    health,
    images,
    library,
    links,
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
    path(f"{TEAM}links/", links.links, name="links"),
    path(f"{TEAM}links/new", links.link_new, name="link_new"),
    path(f"{TEAM}links/revoke", links.links_revoke, name="links_revoke"),
    path(f"{TEAM}links/<int:pk>/", links.link, name="link"),
    path(f"{TEAM}links/<int:pk>/revoke", links.link_revoke, name="link_revoke"),
    path(f"{TEAM}links/<int:pk>/qr.svg", links.link_qr, name="link_qr"),
    path(f"{TEAM}usage/", usage.mine, name="usage"),
    path(f"{TEAM}usage.csv", usage.mine_as_sheet, name="usage_sheet"),
    path(f"{TEAM}usage/cap", usage.own_cap, name="own_cap"),
    path(f"{TEAM}usage/team/", usage.together, name="team_usage"),
    path(f"{TEAM}usage/team.csv", usage.together_as_sheet, name="team_usage_sheet"),
    path(IMAGE, images.image, name="image"),
    path(f"{IMAGE}picture/<str:size>", images.picture, name="picture"),
    path(f"{IMAGE}download", downloads.download, name="download"),
    path(f"{TEAM}library/zip", downloads.archive, name="zip"),
    path("files/<str:token>", files.file, name="file"),
    path("account/", account.account, name="account"),
    path("invitations/<str:secret>/", account.invitation, name="invitation"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]
