from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..mail_mail import was_just_now
from ..mixins.formats import format_day
from ..mixins.state import run_isolated

# each prints a PDF of its own, and Odoo stops a worker after two minutes: of 50, all was lost
BATCH = 10
REPORT = "membri_renewal.report_annual_receipt"
TEMPLATE = "membri_renewal.mail_template_annual_receipt"
CRON = "membri_renewal.ir_cron_send_annual_receipts"


class MembriAnnualReceipt(models.Model):
    """What one payer paid for memberships in one calendar year, as one document."""

    _name = "membri.annual.receipt"
    _description = "Annual Membership Receipt"
    _inherit = ["mail.thread", "membri.fields.mixin"]
    _written_by_clients = False
    _order = "year desc, id desc"

    name = fields.Char(string="Number", readonly=True, copy=False)
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Payer", required=True, readonly=True, index=True, ondelete="restrict"
    )
    year = fields.Integer(required=True, readonly=True, aggregator=None)
    amount = fields.Monetary(
        string="Amount Received",
        readonly=True,
        help="Amount received in the year, minus refunds.",
    )
    state = fields.Selection(
        [
            ("queued", "Queued"),
            ("sent", "Sent to Mail Server"),
            ("skipped", "No Valid Address"),
            ("failed", "Failed"),
        ],
        string="Email Status",
        default="queued",
        required=True,
        readonly=True,
    )
    reason = fields.Char(readonly=True)
    date_sent = fields.Datetime(string="Sent On", readonly=True, copy=False)
    is_just_sent = fields.Boolean(
        string="Sent a Moment Ago",
        compute="_compute_is_just_sent",
        help="The form asks for confirmation before sending it again.",
    )
    mail_id = fields.Many2one(
        "mail.mail",
        string="Email in Queue",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        groups="base.group_system",
    )

    _payer_unique = models.UniqueIndex(
        "(company_id, partner_id, year)",
        "This payer already has an annual receipt for that year.",
    )
    # the work: receipts that were asked for, mostly none
    _queue = models.Index("(id) WHERE state = 'queued'")

    @api.depends("name", "year")
    def _compute_display_name(self):
        for receipt in self:
            receipt.display_name = f"{receipt.name or ''} ({receipt.year})"

    # ------------------------------------------------------------------
    # Making receipts
    # ------------------------------------------------------------------

    @api.model
    def _find_payers(self, company, year, partners=None):
        """:param partners: only these, and their invoice addresses
        :return: ``{payer: amount}`` of the money that came in that year, in the currency of the
            company. What is asked of each invoice is read for all of them at once"""
        domain = (
            Domain("company_id", "=", company.id)
            & Domain("membri_invoice_type", "!=", False)
            & Domain("move_type", "=", "out_invoice")
            & self._get_money_domain()
        )
        if partners:
            domain &= Domain("partner_id", "in", partners._membri_get_payer_addresses().ids)
        # sudo: of the whole company; the right to make receipts was asked
        moves_sudo = self.env["account.move"].sudo().search(domain)
        moves_sudo._membri_read_settlements()
        amounts = {}
        for move in moves_sudo:
            amount = sum(line["company_amount"] for line in move._membri_get_lines_of_year(year))
            amounts[move.partner_id] = amounts.get(move.partner_id, 0.0) + amount
        return {
            payer.sudo(False): company.currency_id.round(amount)
            for payer, amount in amounts.items()
            if company.currency_id.compare_amounts(amount, 0.0) > 0
        }

    @api.model
    def _get_money_domain(self):
        """Return the invoices that money came for: paid in full, which have a receipt, or in
        part, as by installments; also what was given back since."""
        return Domain("state", "=", "posted") & (
            Domain("membri_receipt_name", "!=", False) | Domain("membri_amount_received", ">", 0.0)
        )

    @api.model
    def _make(self, company, year, partners=None):
        """Make, or bring up to date, the annual receipts of a year, and queue their emails.

        :return: ``membri.annual.receipt`` records
        :raises UserError: when nobody paid in that year"""
        payers = self._find_payers(company, year, partners)
        if not payers:
            raise UserError(
                self.env._(
                    "No membership payment was received in %(year)s from these payers. Choose "
                    "another year or other contacts.",
                    year=year,
                )
            )
        # sudo: documents and their numbers are the system's; who may ask for them was asked
        Receipt_sudo = self.sudo().with_company(company)
        existing_sudo = Receipt_sudo.search(
            [
                ("company_id", "=", company.id),
                ("year", "=", year),
                ("partner_id", "in", [payer.id for payer in payers]),
            ]
        )
        existing_sudo._queue_again()
        for receipt in existing_sudo:
            receipt.amount = payers[receipt.partner_id]
        others = [payer for payer in payers if payer not in existing_sudo.partner_id]
        # sudo: sequences are the administrators', the receipt follows the payments
        sequence_sudo = company.sudo()._membri_get_receipt_sequence()
        names = sequence_sudo._membri_take(len(others), company._membri_today())
        created_sudo = Receipt_sudo.create(
            [
                {
                    "name": name,
                    "company_id": company.id,
                    "partner_id": payer.id,
                    "year": year,
                    "amount": payers[payer],
                }
                for name, payer in zip(names, others, strict=True)
            ]
        )
        self.env.ref(CRON)._trigger()
        return (existing_sudo | created_sudo).with_env(self.env)

    @api.model
    def _merge_payers(self, partners):
        """Contacts are about to be merged: of a year, they have one receipt, with the number that
        came first. It certifies what each of theirs did, so one that was sent is to be sent again.

        :param partners: the contacts that become one"""
        receipts = self.search([("partner_id", "in", partners.ids)], order="id")
        for alike in receipts.grouped(lambda r: (r.company_id, r.year)).values():
            kept, others = alike[0], alike[1:]
            if not others:
                continue
            is_queued = "queued" in alike.mapped("state")
            told = kept.with_context(lang=kept.company_id._membri_get_staff_lang())
            reason = told.env._(
                "Contacts were merged. This receipt now includes: %(receipts)s. Send it again.",
                receipts=", ".join(others.mapped("display_name")),
            )
            kept._message_log(body=reason)
            kept.amount = sum(alike.mapped("amount"))
            alike._queue_again()
            others.unlink()
            if not is_queued:
                kept.write({"state": "failed", "reason": reason})
        self.env.flush_all()

    # ------------------------------------------------------------------
    # What a receipt shows
    # ------------------------------------------------------------------

    def _get_lines(self):
        """Return ``date``, ``invoice``, ``receipt``, ``label``, ``number``, ``amount``,
        ``currency`` of each payment of the year, in order."""
        self.ensure_one()
        # sudo: the payments of this receipt, whoever prints it
        moves_sudo = (
            self.env["account.move"]
            .sudo()
            .search(
                Domain("company_id", "=", self.company_id.id)
                & Domain("partner_id", "=", self.partner_id.id)
                & self._get_money_domain()
            )
        )
        lines = [line for move in moves_sudo for line in move._membri_get_lines_of_year(self.year)]
        return sorted(lines, key=lambda line: line["date"])

    def _get_taxes(self):
        """Return ``(label, amount)`` pairs in the company's currency: before taxes, and each
        tax, of what was received in the year."""
        self.ensure_one()
        totals = {}
        lines = self._get_lines()
        for move in self.env["account.move"].union(*(line["move"] for line in lines)):
            amount = sum(line["amount"] for line in lines if line["move"] == move)
            rate = move.amount_total_signed / move.amount_total if move.amount_total else 0.0
            for label, part in move._membri_get_receipt_taxes(amount):
                totals[label] = totals.get(label, 0.0) + part * rate
        if not totals:
            return []
        # converted from another currency, each by itself would make a cent more or less in all
        received = self.currency_id.round(sum(line["company_amount"] for line in lines))
        (untaxed, _amount), *others = totals.items()
        taxes = [(label, self.currency_id.round(amount)) for label, amount in others]
        rest = self.currency_id.round(received - sum(amount for _label, amount in taxes))
        return [(untaxed, rest), *taxes]

    def _get_last_day(self):
        """Return the day until which it counts, where its year is not over; else ``False``."""
        self.ensure_one()
        today = self.company_id._membri_today()
        if self.year < today.year:
            return False
        # what is paid online in the evening bears the next day
        return max([today, *(line["date"] for line in self._get_lines())])

    def _membri_format_day(self, day):
        return format_day(self.env, day)

    def _get_unfinished_sentence(self):
        """Return until which day it counts, of a year that is not over (a sentence); else
        ``False``."""
        last = self._get_last_day()
        return last and self.env._(
            "The year is not over: this receipt lists what was received through %(date)s.",
            date=self._membri_format_day(last),
        )

    def _get_print_lang(self):
        self.ensure_one()
        return self.partner_id._membri_get_print_lang(self.company_id)

    def _get_title(self):
        self.ensure_one()
        return self.env._(
            "Annual receipt %(year)s, number %(number)s", year=self.year, number=self.name
        )

    def _get_report_base_filename(self):
        self.ensure_one()
        return self.env._(
            "Annual receipt %(year)s %(number)s",
            year=self.year,
            number=(self.name or "").replace("/", "-"),
        )

    # ------------------------------------------------------------------
    # Sending receipts
    # ------------------------------------------------------------------

    @api.depends("date_sent")
    def _compute_is_just_sent(self):
        for receipt in self:
            receipt.is_just_sent = was_just_now(receipt.date_sent)

    def action_send_again(self):
        """Queue the emails again.

        :raises AccessError: for those who may only look"""
        self._check_can_send()
        self.sudo()._queue_again()  # sudo: receipts are the system's; the right was checked
        self.env.ref(CRON)._trigger()
        return True

    def _queue_again(self):
        """Called in sudo. What has not left yet leaves as it is now, and once."""
        waiting = self.mail_id.filtered(lambda mail: mail.state in ("outgoing", "exception"))
        waiting._membri_cancel(self.env._("Resent."))
        self.write({"state": "queued", "reason": False, "mail_id": False})

    def _check_can_send(self):
        self.env["account.move"]._membri_check_works_on_invoices()
        self.check_access("read")

    @api.model
    def _cron_send(self):
        """Email what is queued, a batch at a time; one that fails keeps its reason."""
        self.env["ir.cron"]._membri_work_off(
            self,
            Domain("state", "=", "queued") & Domain("mail_id", "=", False),
            type(self)._send,
            limit=BATCH,
        )

    def _send(self):
        """Make the emails; they are sent once the mail server has them (see ``mail_mail.py``)."""
        for receipt in self:
            # the reason is kept for the staff: in their language, not the scheduler's
            lang = receipt.company_id._membri_get_staff_lang() or self.env.lang
            told = receipt.with_context(lang=lang)
            if problem := (
                told._membri_get_mail_obstacle("receipt")
                or told._membri_get_mail_unreachable_reason()
            ):
                receipt.write({"state": "skipped", "reason": problem})
                continue
            for error in run_isolated(receipt, type(self)._make_mail).values():
                sentence = told.env["membri.renewal"]._get_error_sentence(error)
                receipt.write({"state": "failed", "reason": sentence})
        self.mail_id._membri_leave_soon()

    def _make_mail(self):
        """Write the email, of the amount of today, in the language of the payer."""
        self.ensure_one()
        # sudo: Odoo asks for the right to edit templates
        template_sudo = self.env.ref(TEMPLATE).sudo().with_context(lang=self._get_print_lang())
        self.amount = self._get_amount_today()
        self.mail_id = template_sudo.send_mail(self.id, force_send=False)
        self.mail_id.membri_facts = self._membri_get_mail_facts("receipt")

    # ------------------------------------------------------------------
    # Called by ``mail_mail.py`` as the email leaves
    # ------------------------------------------------------------------

    def _membri_guess_mail_kind(self, _mail_sudo):
        return "receipt"

    def _get_amount_today(self):
        """:return: what came in the year and is still there, in the currency of the company"""
        self.ensure_one()
        return self.currency_id.round(sum(line["company_amount"] for line in self._get_lines()))

    def _membri_get_mail_obstacle(self, _kind, _mail_sudo=None):
        """:return: that nothing is left to certify (a sentence), or ``False``"""
        self.ensure_one()
        if self.currency_id.compare_amounts(self._get_amount_today(), 0.0) > 0:
            return False
        return self.env._(
            "%(payer)s has no membership payment left in %(year)s.",
            payer=self.partner_id._membri_get_names(),
            year=self.year,
        )

    def _membri_get_mail_facts(self, _kind):
        """:return: the money that it certifies, in short"""
        self.ensure_one()
        return "; ".join(
            f"{line['receipt']} {line['date']} {line['amount']:.2f}" for line in self._get_lines()
        )

    def _membri_rewrite_mail(self, mail_sudo):
        """Money came, or went back, while it waited.

        :return: the email that is sent in its place"""
        mail_sudo._membri_cancel(self.env._("Rewritten because its content has changed."))
        self.write({"state": "queued", "reason": False, "mail_id": False})
        self._send()
        return self.mail_id

    def _membri_mail_dropped(self, _mail_sudo, reason):
        self.write({"state": "skipped", "reason": reason})

    def _membri_get_mail_unreachable_reason(self, _kind=None):
        """:return: why no email reaches the payer (a sentence), or ``False``"""
        self.ensure_one()
        # sudo: payers may be beyond the rules of who looks
        return self.partner_id.sudo()._membri_get_address_problem()

    def _membri_mail_leaves(self, _mail_sudo):
        """It says of no day that is to come."""

    def _membri_mail_left(self, _mail_sudo):
        self.write({"state": "sent", "reason": False, "date_sent": fields.Datetime.now()})

    def _membri_mail_failed(self, _mail_sudo, sentence):
        self.write({"state": "failed", "reason": sentence})

    def _message_receive_bounce(self, email, partner):
        # EXTENDS mail: what has come back was not received
        result = super()._message_receive_bounce(email, partner)
        # sudo: the mail gateway works for everybody
        for receipt_sudo in self.sudo().filtered(lambda receipt: receipt.state == "sent"):
            lang = receipt_sudo.company_id._membri_get_staff_lang()
            receipt_sudo = receipt_sudo.with_context(lang=lang)
            receipt_sudo._membri_mail_failed(
                receipt_sudo.mail_id,
                receipt_sudo.env._("The email to %(address)s bounced.", address=email or ""),
            )
        return result

    def _membri_mail_unreachable(self, _mail_sudo):
        reason = self._membri_get_mail_unreachable_reason()
        self.write({"state": "skipped", "reason": reason})


class AccountMove(models.Model):
    _inherit = "account.move"

    def _membri_get_lines_of_year(self, year):
        """:return: what came, and went back, in a calendar year, as a list of dicts"""
        self.ensure_one()
        last = self._membri_get_last_certified_day()
        return [
            {
                **line,
                "move": self,
                "invoice": self.name,
                "receipt": self.membri_receipt_name,
            }
            for line in self._membri_get_receipt_lines()
            if line["date"].year == year and line["arrival"] <= last
        ]
