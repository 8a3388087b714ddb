from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import HttpCase, tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestOfficerTours(MembriCommon, HttpCase):
    """The guided paths of the guide, in French, in a browser."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.officer.with_env(cls.env_root).lang = "fr_FR"
        start = cls.company._membri_today() - timedelta(days=330)
        cls.renewals = cls.env["membri.renewal"]
        for name in ("Alpha Bakery", "Beta Clinic", "Gamma Garage"):
            cotisation = cls._create_cotisation(cls._create_member(name), start)
            cls.renewals |= cls._create_renewal(cotisation)
        cls.renewals.action_send()

    def _walk(self, path):
        self.start_tour("/odoo", f"membri_path_{path}_fr", login="officer", timeout=300)
        self.env.invalidate_all()

    def test_refuse_many(self):
        self._walk("refuse_many")
        self.assertEqual(self.renewals.mapped("state"), ["refused"] * 3)
        price, moved = (
            self.env.ref(f"membri_renewal.refusal_reason_{name}") for name in ("price", "moved")
        )
        self.assertEqual(
            [renewal.refusal_reason_id for renewal in self.renewals], [price, moved, price]
        )

    def test_reset(self):
        alpha = self.renewals[0]
        self._walk("reset")
        old, new = alpha.invoice_ids.sorted("id")
        self.assertEqual((old.state, new.state), ("cancel", "posted"))
        self.assertEqual((old.amount_untaxed, new.amount_untaxed), (300.0, 280.0))
        self.assertEqual(alpha.new_cotisation_id.amount_untaxed, 280.0)

    def test_reset_paid(self):
        gamma = self.renewals[2]
        gamma.action_approve()
        self._pay(gamma.invoice_id)
        before = self._snapshot(gamma)
        self._walk("reset_paid")
        self.assertEqual(self._snapshot(gamma), before)

    def test_inactive(self):
        """Silent for more than six months after their notice."""
        today = self.company._membri_today()
        long_ago = fields.Datetime.now() - timedelta(days=250)
        for renewal in self.renewals:
            old = renewal.cotisation_id
            old._internal_write(
                {"date_start": today - timedelta(days=600), "date_end": today - timedelta(days=236)}
            )
            old._set_state("expired")
            renewal._internal_write({"date_sent": long_ago})
        # a period that is never whole on the day of the test
        first = today + timedelta(days=40)
        self.fixed.with_env(self.env_root).write(
            {"fixed_month": str(first.month), "fixed_day": min(first.day, 28)}
        )
        self._walk("inactive")
        members = self.renewals.partner_id
        self.assertEqual(members.mapped("membri_status"), ["pending", "inactive", "inactive"])
        self.assertEqual(self.renewals.mapped("state"), ["refused"] * 3)
        self.assertLess(members[0].membri_cotisation_ids[0].amount_untaxed, 300.0)

    def test_intervention(self):
        beta = self.renewals[1]
        self._walk("intervention")
        self.assertEqual(beta.state, "approved")
        self.assertFalse(beta.partner_id.membri_intervention_required)

    def test_background(self):
        with patch("odoo.addons.membri_renewal.models.bulk_job.runner.FOREGROUND_LIMIT", 0):
            self._walk("background")
        self.assertEqual(self.renewals.mapped("state"), ["sent"] * 3)
        self._run_cron("ir_cron_process_bulk")
        self.assertEqual(self.renewals.mapped("state"), ["approved"] * 3)
