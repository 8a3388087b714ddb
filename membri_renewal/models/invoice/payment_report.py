import math
import re
from io import BytesIO

from markupsafe import Markup
from PIL import Image

from odoo import api, fields, models
from odoo.exceptions import LockError
from odoo.fields import Domain
from odoo.tools import format_amount
from odoo.tools.image import IMAGE_MAX_RESOLUTION, ImageProcess
from odoo.tools.mimetypes import guess_mimetype

from ..cotisation.cotisation import TRANSFER
from ..mixins.formats import format_day

ACTIVITY = "membri_renewal.activity_payment_reported"
REFERENCE_MAX_LENGTH = 100
FILE_MAX_SIZE = 5 * 1024 * 1024
FILE_TYPES = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}
DAYS_BACK = 366
METHODS = ("transfer", "cheque", "card", "cash", "other")


def _is_image(content):
    """Return whether Odoo, which makes large images smaller as it keeps them, can read this one: a
    file of some kilobytes may hold a billion pixels."""
    try:
        # of the head alone: Odoo turns an image upright before it asks how large it is
        width, height = Image.open(BytesIO(content)).size
        if width * height > IMAGE_MAX_RESOLUTION:
            return False
        ImageProcess(content).image.load()
    except Exception:  # in as many ways as there are formats
        return False
    return True


class AccountMove(models.Model):
    """*I have already paid*: a member tells the staff where to look for the money. That changes
    no payment state; it holds the automatic reminders for some days."""

    _inherit = "account.move"

    membri_date_reported = fields.Datetime(
        string="Payment Reported On",
        copy=False,
        readonly=True,
        help="Last date on which the member reported paying this invoice.",
    )

    membri_reported_amount = fields.Monetary(
        string="Reported Amount", copy=False, readonly=True, currency_field="currency_id"
    )
    membri_reported_reference = fields.Char(string="Reported Reference", copy=False, readonly=True)
    membri_reported_due = fields.Monetary(
        copy=False,
        readonly=True,
        currency_field="currency_id",
        string="Due When Reported",
        help="Amount due when the payment was reported.",
    )

    def _membri_get_payment_methods(self):
        """:return: ``{code: label}`` of the ways in which a member may have paid"""
        return {
            "transfer": self.env._("Bank transfer"),
            "cheque": self.env._("Check"),
            "card": self.env._("Card"),
            "cash": self.env._("Cash"),
            "other": self.env._("Another way"),
        }

    def _membri_get_cannot_report(self):
        """:return: the code of why no payment of this invoice can be reported, or ``False``"""
        self.ensure_one()
        if (
            not self.membri_invoice_type
            or self.move_type != "out_invoice"
            or not self._membri_is_payable()
            or self.payment_state not in ("not_paid", "partial")
        ):
            return "not_now"
        if self._membri_is_all_under_way():
            return "under_way"
        return "told_today" if self._membri_is_reported_today() else False

    def _membri_is_reported_today(self):
        self.ensure_one()
        company = self.company_id
        return bool(self.membri_date_reported) and (
            company._membri_local_date(self.membri_date_reported) == company._membri_today()
        )

    def _membri_report_payment(self, author, told, document=None):
        """Tell the staff that a member says to have paid.

        :param author: the ``res.partner`` who tells; empty for whoever holds the link
        :param told: ``{"method", "date", "amount", "reference", "message"}``, as typed
        :param document: ``(file name, content)`` of a proof, or nothing
        :return: an error code, or ``False``
        """
        self.ensure_one()
        try:
            # sudo: the lock; payers write no invoices
            self.sudo().lock_for_update(allow_referencing=True)
        except LockError:
            return "busy"
        if error := self._membri_get_cannot_report():
            return error
        facts, error = self._membri_read_payment_report(told)
        if error:
            return error
        if document and (error := self._membri_get_file_error(document)):
            return error
        if not self.env["membri.portal.request"]._admit(self, "paid"):
            return "too_often"
        # sudo: it plans work for the staff, in the staff's language
        move_sudo = self.sudo().with_context(lang=self._membri_get_staff_lang())
        move_sudo.write(
            {
                "membri_date_reported": fields.Datetime.now(),
                "membri_reported_amount": facts["amount"],
                "membri_reported_due": move_sudo._membri_get_amount_due(),
                "membri_reported_reference": facts["reference"],
            }
        )
        move_sudo._membri_log_payment_report(author or self.partner_id, facts, document)
        return False

    def _membri_get_staff_lang(self):
        company_sudo = self.sudo().company_id  # sudo: members read no settings
        return company_sudo._membri_get_payment_user().lang or company_sudo.partner_id.lang

    # ------------------------------------------------------------------
    # Reading the member's form
    # ------------------------------------------------------------------

    def _membri_read_payment_report(self, told):
        """:return: ``(facts, error code)``: the same keys, of the types that they mean"""
        clean = self.env["membri.renewal"]._clean_member_text
        message, error = clean(told.get("message"))
        if error:
            return {}, error
        reference, error = clean(told.get("reference"))
        if error or len(reference) > REFERENCE_MAX_LENGTH:
            return {}, "long_reference"
        if told.get("method") not in METHODS:
            return {}, "no_method"
        date = self._membri_read_day(told.get("date"))
        if not date:
            return {}, "bad_date"
        amount = self._membri_read_amount(told.get("amount"))
        if amount is None:
            return {}, "bad_amount"
        return {
            "method": told["method"],
            "date": date,
            "amount": amount,
            "reference": reference,
            "message": message,
        }, False

    def _membri_read_day(self, text):
        """:return: the day of a payment, if it is one: not in the future, not years ago"""
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text or "", re.ASCII):
            return None
        try:
            day = fields.Date.to_date(text)
        except ValueError:
            return None
        today = self.company_id._membri_today()
        return day if fields.Date.subtract(today, days=DAYS_BACK) <= day <= today else None

    def _membri_read_amount(self, text):
        """Return the amount as people type it, with a point or a comma; all that is due when
        the field was left empty; ``None`` when it is no amount."""
        text = re.sub(r"\s", "", text or "").replace(",", ".")
        if not text:
            return self.amount_residual
        if not re.fullmatch(r"\d{1,12}(\.\d{1,4})?", text, re.ASCII):
            return None
        amount = float(text)
        return amount if math.isfinite(amount) and amount > 0 else None

    def _membri_get_file_error(self, document):
        """:param document: ``(file name, content)``"""
        _name, content = document
        if len(content) > FILE_MAX_SIZE:
            return "big_file"
        mimetype = guess_mimetype(content)
        if mimetype not in FILE_TYPES:
            return "bad_file"
        return "bad_image" if mimetype.startswith("image/") and not _is_image(content) else False

    # ------------------------------------------------------------------
    # What the staff is shown
    # ------------------------------------------------------------------

    def _membri_log_payment_report(self, author, facts, document):
        """A note on the invoice, with the proof; a note on its renewal; a to-do for whoever
        checks the payments, and for the officer of the renewal if that is somebody else."""
        self.ensure_one()
        label = self.env._(
            "%(author)s reported a payment for %(invoice)s on the portal: %(amount)s on "
            "%(date)s, %(method)s.",
            author=author.display_name,
            invoice=self._membri_get_document_label(),
            amount=format_amount(self.env, facts["amount"], self.currency_id),
            date=format_day(self.env, facts["date"]),
            method=self._membri_get_payment_methods()[facts["method"]],
        )
        body = Markup("<p>%s</p>") % label
        if facts["reference"]:
            body += Markup("<p>%s</p>") % self.env._(
                "Reference: %(reference)s", reference=facts["reference"]
            )
        if facts["message"]:
            lines = Markup("<br/>").join(facts["message"].split("\n"))
            body += (
                Markup(
                    # no <blockquote>: Odoo folds it away
                    '<div class="border-start ps-3">%s</div>'
                )
                % lines
            )
        # a log, not a post: a proof of payment is not the invoice's own document
        self._message_log(
            body=body,
            author_id=author.id,
            attachment_ids=self._membri_attach_proof(document).ids if document else [],
        )
        checker = self.company_id._membri_get_payment_user()
        self._membri_schedule_check(self, checker, label)
        renewal = self.membri_renewal_id
        if renewal:
            renewal._message_log(body=body, author_id=author.id)
            officer = renewal._get_officer()
            if officer != checker:
                self._membri_schedule_check(renewal, officer, label)

    def _membri_schedule_check(self, record, user, summary):
        if user and not record.activity_search([ACTIVITY]):
            record.activity_schedule(ACTIVITY, summary=summary, user_id=user.id)

    def _membri_attach_proof(self, document):
        """The file gets a name and a type of ours: what is kept is what was looked at."""
        _name, content = document
        mimetype = guess_mimetype(content)
        return self.env["ir.attachment"].create(
            {
                "name": self.env._(
                    "Proof of payment, %(invoice)s", invoice=self._membri_get_document_label()
                )
                + f".{FILE_TYPES[mimetype]}",
                "raw": content,
                "mimetype": mimetype,
                "res_model": self._name,
                "res_id": self.id,
            }
        )

    def _membri_settle_payment_reports(self):
        """The money that was reported has come: nobody has to look for it any more."""
        # sudo: facts follow the money, whoever books it
        reported_sudo = self.sudo().filtered("membri_date_reported")
        if not reported_sudo:
            return
        reported_sudo._membri_forget_payment_report()
        reported_sudo.activity_feedback([ACTIVITY])
        reported_sudo.membri_renewal_ids.activity_feedback([ACTIVITY])

    def _membri_forget_payment_report(self):
        """Called in sudo: nothing is reported for these invoices any more."""
        self.write(
            {
                "membri_date_reported": False,
                "membri_reported_amount": 0.0,
                "membri_reported_due": 0.0,
                "membri_reported_reference": False,
            }
        )

    def _membri_hand_over_payment_report(self, replacement):
        """What the payer reported for this invoice is for the one that replaces it."""
        self.ensure_one()
        # sudo: facts follow, whoever replaces the invoice
        old_sudo, new_sudo = self.sudo(), replacement.sudo()
        if not old_sudo.membri_date_reported:
            return
        new_sudo.write(
            {
                "membri_date_reported": old_sudo.membri_date_reported,
                "membri_reported_amount": old_sudo.membri_reported_amount,
                "membri_reported_due": new_sudo.amount_total,
                "membri_reported_reference": old_sudo.membri_reported_reference,
            }
        )
        for activity in old_sudo.activity_search([ACTIVITY]):
            self._membri_schedule_check(new_sudo, activity.user_id, activity.summary)
        old_sudo.activity_unlink([ACTIVITY])
        old_sudo._membri_forget_payment_report()

    def _membri_get_reported_sentence(self):
        """Return that a payment was reported and is looked for, to whoever opens the invoice in
        the days that reminders wait for it; or ``False``."""
        self.ensure_one()
        if not self.membri_date_reported or self._membri_is_settled() or self._membri_is_void():
            return False
        company = self.company_id
        if company._membri_today() >= company._membri_get_held_until(self.membri_date_reported):
            return False
        return self.env._(
            "You reported a payment of %(amount)s on %(date)s. Our team is looking for it.",
            amount=self.currency_id.format(self.membri_reported_amount),
            date=format_day(self.env, company._membri_local_date(self.membri_date_reported)),
        )

    def _membri_has_reported_money(self):
        """Return whether as much has come since then as was reported, be it a part of what is
        due; parts that had come before are not what was reported."""
        self.ensure_one()
        return bool(self.membri_date_reported) and (
            self.currency_id.compare_amounts(
                self.membri_reported_due - self._membri_get_amount_due(),
                self.membri_reported_amount,
            )
            >= 0
        )


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    date_payment_reported = fields.Datetime(
        related="invoice_id.membri_date_reported", string="Payment Reported On", store=True
    )

    def _is_payment_reported(self):
        """Return whether the member said so a few days ago, or chose to pay by bank transfer:
        time for the staff to look, before the next automatic reminder."""
        self.ensure_one()
        transfers_sudo = self._get_invoice_sudo()._membri_get_promised_transfers()
        said = [
            moment
            for moment in (
                self.date_payment_reported,
                *transfers_sudo.mapped("last_state_change"),
            )
            if moment
        ]
        if not said or self.is_paid:
            return False
        company = self.company_id
        return company._membri_today() < company._membri_get_held_until(max(said))

    @api.model
    def _get_reported_domain(self):
        """:return: the same as a domain, in the companies of the reader"""
        since = {company: company._membri_get_held_since() for company in self.env.companies}
        return Domain.OR(
            Domain("company_id", "=", company.id)
            & (
                Domain("date_payment_reported", ">=", moment)
                | Domain(
                    "invoice_id.transaction_ids",
                    "any",
                    [
                        ("state", "=", "pending"),
                        ("provider_id.code", "=", TRANSFER),
                        ("last_state_change", ">=", moment),
                    ],
                )
            )
            for company, moment in since.items()
        )
