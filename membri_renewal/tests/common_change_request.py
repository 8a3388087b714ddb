from odoo.fields import Command

from .common import MembriCommon


class ChangeRequestCommon(MembriCommon):
    """A set of 300 with an option of 50 each, up to 5, of which members have one; and a
    smaller set of 120 that is offered instead. Taxes are 15 %."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.small_product = cls._create_option("Small membership", 120.0)
        cls.small = cls._create_option_set(
            "Small", cls.small_product, portal_offer="all", sequence=20
        )
        cls.full = cls._create_option_set(
            "Full",
            line_ids=[
                Command.create({"product_id": cls.product.id, "is_required": True}),
                Command.create({"product_id": cls.extra.id, "quantity_max": 5}),
            ],
            counter_offer_id=cls.small.id,
        )
        cls.membership_line, cls.extra_line = cls.full.line_ids

    def _renewal_of_full(self, state="sent"):
        """A renewal of a new member of the full set, who has the option once."""
        self.member_number = getattr(self, "member_number", 0) + 1
        member = self._create_member(f"Full {self.member_number}", phone="+1 555 0100")
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01", self.full))
        renewal.action_send()
        if state == "change_requested":
            renewal.action_request_change("Please call me")
        self.assertEqual(renewal.state, state)
        return renewal

    def _ask(self, renewal, **ask):
        """The member asks on the portal; returns the recorded request."""
        error = renewal.sudo()._portal_submit_change(self.env["res.partner"], ask)
        self.assertFalse(error)
        renewal.invalidate_recordset()
        return renewal.change_request_id
