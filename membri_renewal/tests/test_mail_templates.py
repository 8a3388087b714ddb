from odoo import fields
from odoo.tests import tagged

from .common_payments import MembriPaymentCommon

MODULE = "membri_renewal"


@tagged("post_install", "-at_install")
class TestMailTemplates(MembriPaymentCommon):
    """Odoo tries a template that is saved, or updated, on whatever record of its model comes
    first: no update may fail because that one has no invoice, no term or no contact."""

    def _templates(self, model):
        return (
            self.env["ir.model.data"]
            .sudo()
            .search([("module", "=", MODULE), ("model", "=", "mail.template")])
            .mapped(lambda data: self.env["mail.template"].sudo().browse(data.res_id))
            .filtered(lambda template: template.model == model)
        )

    def _assert_renders(self, records, least):
        templates = self._templates(records._name)
        self.assertGreaterEqual(len(templates), least)
        for template in templates:
            for name in sorted(template._get_dynamic_field_names()):
                with self.subTest(template=template.name, field=name):
                    rendered = template._render_field(name, records.ids)
                    self.assertEqual(set(rendered), set(records.ids))

    def test_renewals_of_every_state(self):
        states = ("draft", "sent", "change_requested", "intervention", "refused", "cancelled")
        renewals = self.renewal.union(*(self._renewal_in(state) for state in states))
        self.assertEqual(set(renewals.mapped("state")), {"approved", *states})
        self._assert_renders(renewals, 6)

    def test_entries_of_every_kind(self):
        Move = self.env["account.move"].sudo().with_company(self.company)
        self._pay(self.invoice)
        drafts = Move.create(
            [
                {"move_type": kind}
                for kind in ("entry", "out_invoice", "out_refund", "in_invoice", "in_refund")
            ]
        )
        moves = drafts | self.invoice.sudo() | Move.search([("move_type", "=", "entry")], limit=3)
        moves |= moves.with_context(lang=False).copy({"date": fields.Date.today()})[:1]
        self._assert_renders(moves, 2)

    def test_contacts(self):
        partners = self.renewal.partner_id.sudo() | self.env.ref("base.partner_root").sudo()
        partners |= partners.create({"name": False, "type": "other", "parent_id": partners[0].id})
        self._assert_renders(partners, 1)
