from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common_rpc import MUTED, RpcCase


@tagged("post_install", "-at_install")
class TestA1Reports(RpcCase):
    """``/report/…`` renders any report for anybody who is signed in: what they may not read does
    not come out of it."""

    @mute_logger(*MUTED, "odoo.addons.base.models.ir_qweb")
    def test_a1_reports_of_others(self):
        Report = self.env_root["ir.actions.report"]
        reports = Report.search([("report_name", "=like", "membri_renewal.%")])
        reports |= Report.search([("model", "=", "account.move")])
        self.assertGreater(len(reports), 6)
        invoice = self.samples["account.move"].sudo()
        renewal = invoice.membri_renewal_id
        # the member is another one of the same company; an employee reads contacts
        for user in (self.stranger_user, self.member_user, self.employee):
            for report in reports:
                records = {
                    "membri.renewal": renewal,
                    "membri.cotisation": renewal.cotisation_id,
                    "account.move": invoice,
                    "res.partner": renewal.partner_id,
                }.get(report.model)
                if not records:
                    continue
                for converter in ("html", "text"):
                    with self.subTest(user=user.login, report=report.report_name, to=converter):
                        self.env.flush_all()
                        self.env.invalidate_all()
                        render = getattr(
                            Report.with_user(user).with_context(lang="en_US"),
                            f"_render_qweb_{converter}",
                        )
                        try:
                            found = str(render(report.report_name, records.ids, {})[0])
                        except (AccessError, UserError):
                            continue
                        self.assertNotIn(renewal.name, found)
                        self.assertNotIn(invoice.name, found)

    def test_a1_statement_for_whom_it_is(self):
        invoice = self.samples["account.move"].sudo()
        payer = invoice.partner_id
        for user, own in (
            (self.officer, True),
            (self.auditor, True),
            (self.colleague_user, True),
            (self.member_user, False),
        ):
            with self.subTest(user=user.login):
                moves = payer.with_user(user)._membri_get_statement_moves()
                self.assertEqual(moves, invoice if own else invoice.browse())
        with self.assertRaises(AccessError):
            payer.with_user(self.employee)._membri_get_statement_moves()
