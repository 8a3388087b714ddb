from odoo import api, fields, models
from odoo.fields import Domain

from ..cotisation.cotisation import LIVING_STATES
from ..mail_mail import was_just_now

BATCH = 50
REPORT = "membri_renewal.report_fee_notice"


class AccountMove(models.Model):
    """Fee notices on their way to the payers: Odoo's own queue sends posted invoices only."""

    _inherit = "account.move"

    membri_fee_notice_to_send = fields.Boolean(
        string="Fee Notice to Send", readonly=True, copy=False
    )

    membri_is_just_sent = fields.Boolean(
        string="Sent a Moment Ago",
        compute="_compute_membri_is_just_sent",
        help="The form asks for confirmation before sending it again.",
    )

    # the sending queue: notices that wait, mostly none
    _membri_fee_notice_queue = models.Index("(id) WHERE membri_fee_notice_to_send IS TRUE")

    @api.depends("membri_fee_notice_to_send", "membri_date_sent")
    def _compute_membri_is_just_sent(self):
        for move in self:
            move.membri_is_just_sent = move.membri_fee_notice_to_send or was_just_now(
                move.membri_date_sent
            )

    def _membri_send_fee_notices_again(self):
        """:return: a client action that tells that they are on their way"""
        self._membri_deliver()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._(
                    "Fee notices being sent: %(count)s. This takes a few minutes.",
                    count=len(self),
                ),
            },
        }

    @api.model
    def _membri_cron_send_fee_notices(self):
        """Send the fee notices that wait, a batch at a time; one that fails is taken out of the
        queue, with its reason on the renewal."""
        self.env["ir.cron"]._membri_work_off(
            self,
            Domain("membri_fee_notice_to_send", "=", True),
            type(self)._membri_send_fee_notices,
            limit=BATCH,
        )

    def _membri_send_fee_notices(self):
        cotisations = self.membri_cotisation_ids
        awaited = cotisations.filtered(
            lambda c: c.state in LIVING_STATES and c.invoice_id.membri_fee_notice_state == "open"
        )
        stale = self - awaited.invoice_id
        stale.membri_fee_notice_to_send = False  # void, or paid since
        # not those of whoever has left a shared one
        errors = awaited._run_isolated_for_staff(
            lambda terms: terms.invoice_id.filtered(
                "membri_fee_notice_to_send"
            )._membri_email_fee_notices()
        )
        for cotisation, error in errors.items():
            move = cotisation.invoice_id
            if move.membri_fee_notice_to_send:  # else told already, for another member on it
                move.membri_fee_notice_to_send = False
                move._membri_mark_failed(cotisation._get_error_sentence(error))

    def _membri_email_fee_notices(self):
        """Email ``self`` as one batch, each in the language of its payer and with its PDF.

        :return: the emails, in Odoo's queue"""
        unreachable = self.filtered(lambda move: move._membri_get_unreachable_reason())
        unreachable.membri_fee_notice_to_send = False
        unreachable._membri_mark_unreachable()
        if self != unreachable:
            return (self - unreachable)._membri_post_fee_notices()
        return self.env["mail.mail"].sudo()  # sudo: none, as those that are made

    def _membri_post_fee_notices(self):
        template = self.env.ref("membri_renewal.mail_template_fee_notice")
        documents = self._membri_attach_fee_notices()

        def get_values(move):
            return {
                **move._membri_get_mail_recipient_vals(),
                "attachment_ids": documents[move].ids,
            }

        messages = template._membri_post(self, "fee_notice", get_values)
        for move in self:
            move.write(
                {
                    "membri_fee_notice_to_send": False,
                    "membri_date_sent": fields.Datetime.now(),
                    "membri_delivery_state": "queued",
                    "membri_delivery_email": move._membri_get_delivery_email(),
                }
            )
        self._membri_get_renewals()._mark_queued()
        # sudo: the queue of emails is the administrator's
        mails_sudo = self.env["mail.message"].union(*messages.values()).sudo().mail_ids
        mails_sudo._membri_leave_soon()
        return mails_sudo

    def _membri_get_fee_notice_filename(self):
        self.ensure_one()
        label = self.with_context(lang=self._membri_get_payer_lang())._membri_get_document_label()
        return label.replace("/", "-") + ".pdf"

    def _membri_attach_fee_notices(self):
        """:return: ``{move: ir.attachment}``, the PDF of each"""
        Report = self.env["ir.actions.report"]
        return Report._membri_attach(
            Report._membri_print(REPORT, self), lambda move: move._membri_get_fee_notice_filename()
        )
