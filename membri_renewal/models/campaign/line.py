from odoo import api, fields, models
from odoo.fields import Domain

from ..renewal.eligibility import CAMPAIGN
from ..renewal.preview import OUTCOMES

READY = [outcome for outcome, _label in OUTCOMES]
# what was proposed to the officer: when it differs at the creation, nothing goes out
PROMISED = ("option_set_id", "date_start", "date_end", "mode", "currency_id", "amount_total")


class MembriCampaignLine(models.Model):
    """What a campaign does with one term: who gets what, how much, or why not."""

    _name = "membri.campaign.line"
    _description = "Campaign Member"
    _inherit = "membri.fields.mixin"
    _written_by_clients = False
    _order = "partner_id, id"

    campaign_id = fields.Many2one(
        "membri.campaign", required=True, index=True, ondelete="cascade", readonly=True
    )
    company_id = fields.Many2one(related="campaign_id.company_id", store=True, index=True)
    campaign_state = fields.Selection(related="campaign_id.state", string="Campaign Status")
    cotisation_id = fields.Many2one(
        "membri.cotisation",
        string="Current Term",
        required=True,
        index=True,
        ondelete="cascade",
        readonly=True,
    )
    partner_id = fields.Many2one(
        related="cotisation_id.partner_id", string="Member", store=True, index=True
    )
    current_date_end = fields.Date(
        related="cotisation_id.date_end", string="Last Day of Current Term", store=True
    )
    outcome = fields.Selection(
        [
            *OUTCOMES,
            ("problem", "Cannot be prepared"),
            ("excluded", "Excluded manually"),
            ("left_out", "Not due"),
        ],
        readonly=True,
        index=True,
        group_expand=True,
        help="What happens to this member when the renewals are created and sent.",
    )
    reason = fields.Char(readonly=True)
    option_set_id = fields.Many2one(
        "membri.option.set", string="Proposed Plan", readonly=True, ondelete="cascade"
    )
    mode = fields.Selection(
        [("notice", "Notice"), ("invoice", "Invoice")], string="Renewal Mode", readonly=True
    )
    date_start = fields.Date(string="First Day", readonly=True)
    date_end = fields.Date(string="Last Day", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    company_currency_id = fields.Many2one(
        related="company_id.currency_id", string="Company Currency"
    )
    amount_untaxed = fields.Monetary(string="Amount Before Taxes", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
    amount_company = fields.Monetary(
        string="Total in Company Currency", currency_field="company_currency_id", readonly=True
    )
    is_free = fields.Boolean(
        string="Free of Charge",
        readonly=True,
        help="The renewal has no price: fine for an honorary member; otherwise, a price is "
        "missing.",
    )
    recipient_id = fields.Many2one("res.partner", readonly=True, ondelete="set null")
    recipient_email = fields.Char(string="Sent To", readonly=True)
    is_excluded = fields.Boolean(string="Excluded Manually", readonly=True)
    is_to_preview = fields.Boolean(string="In Preview", compute="_compute_is_ready")
    is_ready = fields.Boolean(string="Ready to Create", compute="_compute_is_ready")
    is_todo = fields.Boolean(string="To Process", readonly=True)
    result = fields.Selection(
        [
            ("done", "Processed"),
            ("skipped", "Skipped"),
            ("changed", "Changed Since the Preview"),
            ("failed", "Failed"),
        ],
        readonly=True,
    )
    message = fields.Char(string="Remark", readonly=True)
    renewal_id = fields.Many2one(
        "membri.renewal", readonly=True, ondelete="set null", index="btree_not_null"
    )

    _once = models.UniqueIndex(
        "(campaign_id, cotisation_id)", "A membership term can only appear once in a campaign."
    )
    # the work: the next lines of a campaign
    _todo = models.Index("(campaign_id, id) WHERE is_todo IS TRUE")

    @api.depends("outcome", "is_excluded", "renewal_id")
    def _compute_is_ready(self):
        for line in self:
            line.is_ready = line.outcome in READY and not line.renewal_id
            line.is_to_preview = not line.is_excluded and not line.renewal_id

    # ------------------------------------------------------------------
    # Leave out, take in again
    # ------------------------------------------------------------------

    def action_exclude(self):
        """Leave these members out: the campaign passes them over, the night does not."""
        lines_sudo = self._check_can_choose()
        lines_sudo.filtered("is_ready").write(
            {
                "is_excluded": True,
                "outcome": "excluded",
                "reason": self.env._("Excluded by %(user)s.", user=self.env.user.name),
            }
        )
        return True

    def action_include(self):
        """Take members who were left out by hand in again, as they are now."""
        lines_sudo = self._check_can_choose().filtered("is_excluded")
        lines_sudo.is_excluded = False
        for campaign, lines in lines_sudo.grouped("campaign_id").items():
            campaign.with_env(self.env)._start("preview", lines)
        return True

    def _check_can_choose(self):
        """:return: ``self`` in sudo
        :raises UserError: when the campaign is not at its preview"""
        self.campaign_id._check_can("change")
        return self.sudo()  # sudo: lines are the system's; the campaign was asked

    def action_open_renewal(self):
        self.ensure_one()
        return self.renewal_id._get_records_action()

    def action_open_member(self):
        self.ensure_one()
        return self.partner_id._get_records_action()

    # ------------------------------------------------------------------
    # Preview
    # ------------------------------------------------------------------

    def _preview(self):
        for line, vals in self._get_previews().items():
            line.write(vals)

    def _get_previews(self):
        """Ask the rules, then propose; a term that cannot be prepared stops no other.

        :return: ``{line: values}``
        """
        cotisations = self._get_cotisations()
        reasons = cotisations._get_not_renewed_reasons(CAMPAIGN)
        previews = {}

        def preview(records):
            previews.update(records._preview_renewals())

        eligible = cotisations.filtered(lambda cotisation: not reasons[cotisation])
        errors = eligible._run_isolated(preview)
        nothing = dict.fromkeys(
            ("date_start", "date_end", "mode", "currency_id", "recipient_id", "recipient_email"),
            False,
        ) | {"amount_untaxed": 0.0, "amount_total": 0.0, "amount_company": 0.0, "is_free": False}
        result = {}
        for line, cotisation in zip(self, cotisations, strict=True):
            if cotisation in previews:
                result[line] = previews[cotisation]
                continue
            error = errors.get(cotisation)
            result[line] = nothing | {
                "option_set_id": cotisation.option_set_id.id,
                "outcome": "problem" if error else "left_out",
                "reason": cotisation._get_error_sentence(error)
                if error
                else " ".join(reasons[cotisation].values()),
            }
        return result

    def _get_cotisations(self):
        """:return: one for each line, with the rights of the user who started the work"""
        campaign = self.campaign_id
        worker = self.with_user(campaign.user_id).with_company(campaign.company_id)
        return worker.env["membri.cotisation"].browse(line.cotisation_id.id for line in self)

    # ------------------------------------------------------------------
    # Creation
    # ------------------------------------------------------------------

    def _with_invoice_group(self, todo):
        """:param todo: domain of the lines that are to be worked on
        :return: ``self``, with the lines of members who get one invoice with one of them"""
        due = Domain("id", "in", self._search(todo).subselect("cotisation_id"))
        others = self.cotisation_id._with_invoice_group(due) - self.cotisation_id
        return self | self.search(todo & Domain("cotisation_id", "in", others.ids))

    def _make_renewals(self, only_drafts):
        """Create the renewals of these lines, and start them. Each is looked at again: the
        night, a payment or a colleague may have been faster than the officer who previewed.

        :return: the lines that were worked on; somebody else is working on the others
        """
        free_ids = set(self._get_cotisations().try_lock_for_update().ids)
        lines = self.filtered(lambda line: line.cotisation_id.id in free_ids)
        ready = self.browse()
        for line, vals in lines._get_previews().items():
            line.write(line._prepare_recheck_vals(vals))
            if not line.result:
                ready |= line
        ready._get_cotisations()._generate_isolated(only_drafts)
        for line in ready:
            line.write(line._prepare_result_vals())
        return lines

    def _prepare_recheck_vals(self, vals):
        """:param vals: the preview as it is now
        :return: values of the line: a result, when no renewal is to be made now"""
        self.ensure_one()
        if vals["outcome"] == "problem":
            return {**vals, "result": "failed", "message": vals["reason"]}
        if vals["outcome"] not in READY:
            return {**vals, "result": "skipped", "message": vals["reason"]}
        changed = [
            self._fields[name]._description_string(self.env)
            for name in PROMISED
            if self._is_changed(name, vals[name])
        ]
        if changed:
            message = self.env._(
                "Not created: %(what)s changed since the preview. The line shows the "
                "current values. If they are right, use “Retry Changed and Failed”.",
                what=", ".join(changed),
            )
            return {**vals, "result": "changed", "message": message}
        message = False
        if vals["outcome"] != self.outcome:
            labels = dict(self._fields["outcome"]._description_selection(self.env))
            message = self.env._(
                "Since the preview: %(outcome)s. %(reason)s",
                outcome=labels[vals["outcome"]],
                reason=vals["reason"] or "",
            )
        return {**vals, "result": False, "message": message}

    def _is_changed(self, name, value):
        self.ensure_one()
        field = self._fields[name]
        if field.type == "monetary":
            return bool(self.currency_id.compare_amounts(self[name], value))
        return field.convert_to_write(self[name], self) != (value or False)

    def _prepare_result_vals(self):
        """:return: what became of the line, read off its term"""
        self.ensure_one()
        renewal = self.cotisation_id._get_living_renewal()
        if not renewal:
            return {"result": "failed", "message": self.cotisation_id.renewal_error}
        if renewal.delivery_state == "failed":
            return {"result": "failed", "message": renewal.delivery_note, "renewal_id": renewal.id}
        return {"result": "done", "renewal_id": renewal.id}
