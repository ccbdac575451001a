"""How the admin looks: the setting UNFOLD."""

from typing import Any

ADMIN_LOOK: dict[str, Any] = {
    "SITE_TITLE": "Comet Studio",
    "SITE_URL": "/",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "comet_site.admin.favicon"}],
    "SITE_HEADER": "Comet Studio",
    "SITE_SUBHEADER": "Administration",
    "STYLES": ["comet_site.admin.board_styles", "comet_site.admin.table_styles"],
    "DASHBOARD_CALLBACK": "generator.admin.dashboard.show",
    "SIDEBAR": {"show_search": True, "navigation": "generator.admin.sidebar.navigation"},
    "COMMAND": {"search_callback": "generator.admin.finding.found"},
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    # The accent of the studio's own pages, in the steps that the admin asks for.
    "COLORS": {
        "primary": {
            step: f"oklch({light}% {chroma} 262)"
            for step, light, chroma in (
                ("50", 97, 0.014),
                ("100", 93, 0.032),
                ("200", 88, 0.06),
                ("300", 81, 0.1),
                ("400", 71, 0.16),
                ("500", 62, 0.2),
                ("600", 52, 0.21),
                ("700", 45, 0.19),
                ("800", 39, 0.15),
                ("900", 34, 0.11),
                ("950", 26, 0.08),
            )
        }
    },
}
