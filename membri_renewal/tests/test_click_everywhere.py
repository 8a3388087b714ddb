from datetime import timedelta

from odoo.tests import HttpCase, tagged

from .common import MembriCommon

APP = "membri_renewal.menu_membri_root"
# the robot clicks on no filter where it finds no button that unfolds them
NO_FILTERS = """
const find = document.querySelector.bind(document);
document.querySelector = (selector) =>
    selector.includes("o_searchview_dropdown_toggler") ? null : find(selector);
"""


@tagged("post_install", "-at_install")
class TestClickEverywhere(MembriCommon, HttpCase):
    """Odoo's own click-everywhere robot over the menus of the app, as each group sees them: every
    menu and every view, and once every filter (test_views asks each filter for each group)."""

    allow_end_on_form = True

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        start = cls.company._membri_today() - timedelta(days=330)
        renewals = cls.env["membri.renewal"]
        for number in range(5):
            member = cls._create_member(f"Robot {number}")
            renewals |= cls._create_renewal(cls._create_cotisation(member, start))
        renewals[1:].action_send()
        renewals[2].action_request_change("A larger listing")
        renewals[3].action_require_intervention("Call them")
        renewals[4].action_approve()
        renewals[4:].action_bulk("approve")  # skipped: a job with something to show
        cls._create_member("Returning")._membri_enrol(cls.fixed, prorate=True)

    def _click_everywhere(self, user, lang="en_US", prepare=NO_FILTERS):
        user.with_env(self.env_root).write({"lang": lang, "tour_enabled": False})
        self.browser_js(
            "/odoo",
            f"{prepare} odoo.loader.modules.get('@web/webclient/clickbot/clickbot_loader')"
            f".startClickEverywhere('{APP}');",
            "odoo.isReady === true",
            login=user.login,
            timeout=600,
            success_signal="clickbot test succeeded",
        )

    def test_officer(self):
        self._click_everywhere(self.officer, "fr_FR")

    def test_manager(self):
        self._click_everywhere(self.manager, prepare="")

    def test_auditor(self):
        self._click_everywhere(self.auditor)
