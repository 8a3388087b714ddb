import re
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
            self.assertLessEqual((many - few) / 20, 13, action)

    def _tell(self, renewals):
        """Return of the last message of each of ``renewals`` all that Odoo makes of it, without
        the numbers."""
        told = []
        for renewal in renewals.sudo():
            message = renewal.message_ids.sorted("id")[-1:]
            mails = self.env_root["mail.mail"].search([("mail_message_id", "=", message.id)])
            own = {
                renewal.recipient_id: "recipient",
                renewal.partner_id: "member",
                renewal.recipient_id.browse(): None,
            }
            facts = {
                "message": [
                    (name, message[name])
                    for name in (
                        "model",
                        "message_type",
                        "subtype_id",
                        "author_id",
                        "email_from",
                        "reply_to",
                        "email_layout_xmlid",
                        "record_company_id",
                        "record_alias_domain_id",
                        "is_internal",
                        "outgoing_email_to",
                        "create_uid",
                    )
                ],
                "document": message.res_id == renewal.id,
                "texts": [message.subject, message.body, *mails.mapped("body_html")],
                "to": [own[partner] for partner in message.partner_ids],
                "files": [(a.res_model, a.res_id == renewal.id) for a in message.attachment_ids],
                "emails": [
                    (
                        mail.state,
                        mail.auto_delete,
                        mail.is_notification,
                        mail.email_to,
                        [own[partner] for partner in mail.recipient_ids],
                        mail.headers,
                        mail.references.split()[-1] == message.message_id,
                        mail.membri_kind,
                        mail.membri_facts,
                        mail.membri_template_id,
                    )
                    for mail in mails
                ],
                "notifications": [
                    (
                        notification.mail_mail_id in mails,
                        own[notification.res_partner_id],
                        notification.mail_email_address,
                        notification.notification_type,
                        notification.notification_status,
                        notification.is_read,
                        notification.author_id,
                    )
                    for notification in message.notification_ids
                ],
                "followers": len(renewal.message_follower_ids),
            }
            told.append(re.sub(r"\d+", "#", repr(facts)))
        return told

    @freeze_time("2026-11-02 15:00:00")
    def test_together_as_one_by_one(self):
        """Messages of a batch are inserted at once; each of them, its email, its notification and
        its followers are what ``message_post`` makes."""
        renewals = self.env["membri.renewal"].union(
            *(self._create_renewal(self._create_yearly()) for _number in range(6))
        )
        elsewhere = renewals[2] + renewals[5]
        for renewal in elsewhere:
            renewal.partner_id.membri_renewal_email = f"elsewhere{renewal.id}@example.com"
        follower = self._create_member("Follower")
        (renewals[1] + renewals[4]).message_subscribe(follower.ids)
        for action in ("action_send", "action_send_reminder"):
            getattr(renewals[:3], action)()
            for renewal in renewals[3:]:
                getattr(renewal, action)()
            together, alone = self._tell(renewals[:3]), self._tell(renewals[3:])
            self.assertEqual(together, alone)
            self.assertEqual(len(set(together)), 2, "an address instead of a contact")
        self.assertFalse(
            self.env_root["mail.mail"].search(
                [("model", "=", "membri.renewal"), ("mail_message_id", "=", False)]
            )
        )

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
