from odoo import api, fields, models
from odoo.tools import format_amount

STATES = [
    ("pending", "To Process"),
    ("applied", "Applied"),
    ("replaced", "Replaced by a Newer One"),
    ("closed", "Resolved Otherwise"),
]


class MembriChangeRequest(models.Model):
    """What a member asks for instead of what was proposed: a whole term, priced, next to the
    proposal as it stood; contact details; and words. Each sending is another version.

    Made by the portal (``change_request/renewal.py``), applied by the staff
    (``change_request/renewal.py``); nobody edits it.
    """

    _name = "membri.change.request"
    _description = "Renewal Change Request"
    _inherit = ["membri.term.mixin", "membri.state.mixin"]
    _written_by_clients = False
    _order = "renewal_id, version desc"
    _check_company_auto = True

    renewal_id = fields.Many2one("membri.renewal", required=True, index=True, ondelete="cascade")
    version = fields.Integer(required=True, default=1)
    state = fields.Selection(STATES, string="Status", default="pending", required=True)
    origin = fields.Selection(
        [("form", "Portal Form"), ("counter_offer", "Counter-Offer Accepted")],
        default="form",
        required=True,
    )
    author_id = fields.Many2one("res.partner", string="Requested By")
    message = fields.Text()
    changes_term = fields.Boolean(
        string="Changes the Term",
        help="The request changes the plan, an option, a quantity or the first day.",
    )
    proposal_key = fields.Char(help="What was proposed when the request was made.")
    line_ids = fields.One2many("membri.change.request.line", "request_id", string="Options")
    detail_ids = fields.One2many(
        "membri.change.request.detail", "request_id", string="Contact Details"
    )
    old_option_set_id = fields.Many2one("membri.option.set", string="Proposed Plan")
    old_date_start = fields.Date(string="Proposed First Day")
    old_date_end = fields.Date(string="Proposed Last Day")
    old_amount_total = fields.Monetary(string="Proposed Total")
    old_term_display = fields.Char(string="Proposed Period", compute="_compute_old_term_display")
    amount_difference = fields.Monetary(
        string="Difference", compute="_compute_amount_difference", store=True
    )
    is_outdated = fields.Boolean(
        string="Outdated",
        compute="_compute_is_outdated",
        help="The renewal was edited after the member's request. Applying the request replaces "
        "these edits.",
    )

    _one_per_version = models.UniqueIndex(
        "(renewal_id, version)", "This version of the change request already exists."
    )

    @api.depends("old_date_start", "old_date_end")
    @api.depends_context("lang")
    def _compute_old_term_display(self):
        for request in self:
            request.old_term_display = request._format_period(
                request.old_date_start, request.old_date_end
            )

    @api.depends("amount_total", "old_amount_total")
    def _compute_amount_difference(self):
        for request in self:
            request.amount_difference = request.amount_total - request.old_amount_total

    @api.depends(
        "state",
        "proposal_key",
        "renewal_id.option_set_id",
        "renewal_id.date_start",
        "renewal_id.date_end",
        "renewal_id.line_ids.quantity",
        "renewal_id.line_ids.price_subtotal",
    )
    def _compute_is_outdated(self):
        for request in self:
            request.is_outdated = (
                request.state == "pending"
                and request.changes_term
                and request.proposal_key != request.renewal_id._get_proposal_key()
            )

    @api.depends("renewal_id.name", "version")
    @api.depends_context("lang")
    def _compute_display_name(self):
        for request in self:
            request.display_name = self.env._(
                "%(renewal)s, request %(version)s",
                renewal=request.renewal_id.name,
                version=request.version,
            )

    # ------------------------------------------------------------------
    # In words
    # ------------------------------------------------------------------

    def _get_summary(self):
        """:return: all that is asked, as plain text in the language of the environment"""
        self.ensure_one()
        parts = []
        if self.version > 1:
            parts.append(
                self.env._("Request %(version)s, replacing the previous one:", version=self.version)
            )
        if self.origin == "counter_offer":
            parts.append(self.env._("The member chose the counter-offer."))
        parts += self._get_term_sentences()
        parts += [detail._get_sentence() for detail in self.detail_ids]
        if self.message:
            parts.append(self.message)
        return "\n".join(parts)

    def _get_term_sentences(self):
        """:return: sentences on how the term that is asked for differs from the proposal"""
        self.ensure_one()
        if not self.changes_term:
            return []
        sentences = []
        if self.option_set_id != self.old_option_set_id:
            sentences.append(
                self.env._(
                    "Plan: %(new)s (was %(old)s).",
                    new=self.option_set_id.name,
                    old=self.old_option_set_id.name,
                )
            )
        if (self.date_start, self.date_end) != (self.old_date_start, self.old_date_end):
            sentences.append(
                self.env._(
                    "Period: %(new)s (was %(old)s).",
                    new=self.term_display,
                    old=self.old_term_display,
                )
            )
        sentences += filter(None, (line._get_sentence() for line in self.line_ids))
        sentences.append(
            self.env._(
                "Total: %(new)s (was %(old)s).",
                new=self.renewal_id._format_amount(self.amount_total, self),
                old=self.renewal_id._format_amount(self.old_amount_total, self),
            )
        )
        return sentences

    def _get_words(self):
        """:return: the corrections and words of this request, without other plans and options"""
        details = [detail._get_sentence() for detail in self.detail_ids]
        return " ".join(filter(None, [*details, *self.mapped("message")]))

    def _get_difference_sentence(self, is_offer=False):
        """:param is_offer: the organization offers it, and nobody has asked for it
        :return: what the request does to the price, in a sentence"""
        self.ensure_one()
        difference = self.amount_difference
        amount = format_amount(self.env, abs(difference), self.currency_id)
        if self.currency_id.is_zero(difference):
            return self.env._("The price does not change.")
        if is_offer and difference < 0:
            return self.env._("You pay %(amount)s less.", amount=amount)
        if is_offer:
            return self.env._("You pay %(amount)s more.", amount=amount)
        if difference > 0:
            return self.env._("Your request adds %(amount)s to your renewal.", amount=amount)
        return self.env._("Your request reduces your renewal by %(amount)s.", amount=amount)

    def _get_detail_sentences(self):
        """Return the sentences: whose details are to change, without the details, for who holds the
        link."""
        self.ensure_one()
        labels = dict(self.detail_ids._fields["subject"]._description_selection(self.env))
        return [
            self.env._("%(subject)s: our team will make the correction.", subject=labels[subject])
            for subject in self.detail_ids.grouped("subject")
        ]

    # ------------------------------------------------------------------
    # Apply
    # ------------------------------------------------------------------

    def _get_cannot_apply_reason(self):
        """:return: why this request cannot be applied by a click (a sentence), or ``False``"""
        self.ensure_one()
        if not self.changes_term and not self.detail_ids:
            return self.env._(
                "%(renewal)s: the member only wrote a message. Read it, edit the renewal, "
                "then approve or resend it.",
                renewal=self.renewal_id.display_name,
            )
        if self.changes_term and not self.option_set_id._is_sellable():
            return self.env._(
                "%(renewal)s: the plan “%(name)s” is no longer available. Edit the "
                "renewal yourself, or call the member.",
                renewal=self.renewal_id.display_name,
                name=self.option_set_id.name,
            )
        return self.line_ids.filtered("quantity")._get_archived_product_reason()

    def _prepare_renewal_vals(self):
        """:return: values that make the renewal propose what is asked"""
        self.ensure_one()
        lines = self.line_ids.filtered("quantity")
        return {
            "option_set_id": self.option_set_id.id,
            "currency_id": self.currency_id.id,
            "date_start": self.date_start,
            "date_end": self.date_end,
            "line_ids": [
                fields.Command.clear(),
                *(fields.Command.create(line._prepare_copy_vals()) for line in lines),
            ],
        }

    def _follow_taxes(self):
        """Another address may mean other taxes, and another price where it includes them."""
        for request in self.filtered("changes_term"):
            option_set, memo = request.option_set_id.with_company(request.company_id), {}
            for line in request.line_ids:
                taxes = option_set._get_taxes(request.partner_id, line.product_id, memo)
                if taxes == line.tax_ids:
                    continue
                line.price_unit = line.product_id._get_tax_included_unit_price_from_price(
                    line.price_unit, line.tax_ids, product_taxes_after_fp=taxes
                )
                line.tax_ids = taxes
