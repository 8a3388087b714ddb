from odoo.tests import tagged

from .common_portal import PortalCase


@tagged("post_install", "-at_install")
class TestPortalTour(PortalCase):
    """On a phone, by the link of the email, without signing in."""

    browser_size = "375x667"
    touch_enabled = True

    def test_accept(self):
        renewal = self._renewal_of_corporation("sent")
        self.start_tour(self._get_path(renewal), "membri_portal_accept")
        self.env.invalidate_all()
        self.assertEqual(renewal.state, "approved")

    def test_request_change(self):
        renewal = self._renewal_of_corporation("sent")
        self.start_tour(self._get_path(renewal), "membri_portal_request_change")
        self.env.invalidate_all()
        self.assertEqual(renewal.change_request, "Please add the directory listing")
