from datetime import timedelta

from odoo.tests import tagged

from .common_tours import DeskTourCase


@tagged("post_install", "-at_install")
class TestDeskManyTours(DeskTourCase):
    """Several at once, in French, in a browser: what the window says is what is done."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        names = ("Alpha Bakery", "Beta Clinic", "Gamma Garage")
        cls.renewals = cls.env["membri.renewal"].union(
            *(cls._renewal_of(name, cls.full) for name in names)
        )

    def test_remind(self):
        alpha, beta, gamma = self.renewals
        (alpha | beta)._internal_write({"date_next_reminder": self.today - timedelta(days=1)})
        sent, before = self.renewals.mapped("date_sent"), self._snapshot(gamma)
        self._walk("membri_path_remind_many_fr")
        self.assertEqual((alpha | beta).mapped("reminder_count"), [1, 1])
        self.assertEqual(self.renewals.mapped("date_sent"), sent)
        self.assertEqual(self.renewals.mapped("state"), ["sent"] * 3)
        self.assertEqual(self._snapshot(gamma), before)

    def test_grant(self):
        alpha, beta, gamma = self.renewals
        self._ask(alpha, option_set=self.small)
        self._ask(beta, quantities={self.membership_line: 1.0, self.extra_line: 3.0})
        before = self._snapshot(gamma)
        self._walk("membri_path_grant_many_fr")
        self.assertEqual((alpha | beta).mapped("state"), ["approved", "approved"])
        self.assertEqual(
            [renewal.invoice_id.amount_untaxed for renewal in alpha | beta], [120.0, 450.0]
        )
        self.assertEqual(self._snapshot(gamma), before)
