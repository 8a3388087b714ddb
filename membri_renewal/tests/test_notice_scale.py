from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from ..models.renewal import notice as renewal_notice
from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestNoticeScale(MembriCommon):
    """10,000 notices: what one more costs, and that none is printed alone."""

    def _count_queries(self, action, number):
        """All are made in one second and sent in a later one: the clock must not tick among
        them, since those whose date stays the same are another UPDATE than the others."""
        with freeze_time("2026-11-02 15:00:00"):
            renewals = self.env["membri.renewal"].union(
                *(self._create_renewal(self._create_yearly()) for _number in range(number))
            )
            if action == "action_send_reminder":
                renewals.action_send()
            self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        with freeze_time("2026-11-02 15:01:00"):
            getattr(renewals, action)()
            self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def test_cost_of_one_more(self):
        for action in ("action_send", "action_send_reminder"):
            self._count_queries(action, 2)  # what is read once
            few, many = self._count_queries(action, 5), self._count_queries(action, 25)
            self.assertLessEqual((many - few) / 20, 19, action)

    def test_printed_in_batches(self):
        """One call of wkhtmltopdf for many, and never for all at once."""
        renewals = self.env["membri.renewal"].union(
            *(self._create_renewal(self._create_yearly()) for _number in range(7))
        )
        Report = self.registry["ir.actions.report"]
        origin, sizes = Report._pre_render_qweb_pdf, []

        def render(report, report_ref, res_ids=None, data=None):
            sizes.append(len(res_ids))
            return origin(report, report_ref, res_ids=res_ids, data=data)

        with (
            patch.object(renewal_notice, "PDF_BATCH", 3),
            patch.object(Report, "_pre_render_qweb_pdf", render),
        ):
            renewals.action_send()
        self.assertEqual(sizes, [3, 3, 1])
        self.assertEqual(set(renewals.mapped("delivery_state")), {"queued"})
        for renewal in renewals:
            notice = renewal.message_ids.filtered("attachment_ids")
            self.assertEqual(len(notice.attachment_ids), 1)
            self.assertEqual(notice.attachment_ids.res_id, renewal.id)
