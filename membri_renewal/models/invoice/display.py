from odoo import api, fields, models
from odoo.fields import Command

MANY = 200


class AccountMove(models.Model):
    """From an invoice to the membership and back, and its email once more."""

    _inherit = "account.move"

    membri_renewal_state = fields.Selection(
        related="membri_renewal_id.state", string="Renewal Status", tracking=False
    )
    membri_cotisation_count = fields.Integer(
        string="Membership Term Count", compute="_compute_membri_counts"
    )
    membri_member_count = fields.Integer(
        string="Number of Members", compute="_compute_membri_counts"
    )

    membri_member_ids = fields.Many2many(
        "res.partner",
        "account_move_membri_member_rel",
        "move_id",
        "partner_id",
        string="Members",
        compute="_compute_membri_member_ids",
        store=True,
        help="Members whose memberships this invoice or credit note covers. The payer may be "
        "someone else.",
    )

    @api.depends("invoice_line_ids.membri_cotisation_id.partner_id")
    def _compute_membri_member_ids(self):
        # one query for many, as all entries of a database are asked when the add-on is installed,
        # and none for what was just made
        stored = self.filtered("id") if len(self) > MANY else self.browse()
        # sudo: who they are stands on the invoice
        groups = (
            self.env["account.move.line"]
            .sudo()
            ._read_group(
                [("move_id", "in", stored.ids), ("membri_cotisation_id", "!=", False)],
                ["move_id"],
                ["membri_cotisation_id:recordset"],
            )
            if stored
            else []
        )
        members = {move.id: terms.partner_id.ids for move, terms in groups}
        values = [
            (
                move,
                members.get(move.id, [])
                if move in stored
                else move._membri_get_cotisations_sudo().partner_id.ids,
            )
            for move in self
        ]
        # one statement for all: an assignment would be one for each invoice
        for moves in (self.filtered("id"), self.filtered(lambda move: not move.id)):
            self._fields["membri_member_ids"].write_batch(
                [(move, [Command.set(ids)]) for move, ids in values if move in moves]
            )

    @api.depends("invoice_line_ids.membri_cotisation_id")
    def _compute_membri_counts(self):
        for move in self:
            cotisations_sudo = move._membri_get_cotisations_sudo()
            move.membri_cotisation_count = len(cotisations_sudo)
            move.membri_member_count = len(cotisations_sudo.partner_id)

    def _membri_get_cotisations_sudo(self):
        """Return the terms that the lines are about, also of a voided invoice or a credit
        note. In sudo: that there are some is no secret; who opens them is asked then."""
        return self.sudo().invoice_line_ids.membri_cotisation_id

    def _membri_get_document_label(self):
        """Return what the payer has received, with its number: an invoice, a credit note or a
        fee notice. Nothing of no document: when an update writes a mail template, Odoo tries it
        on any renewal, approved or not."""
        if not self:
            return ""
        self.ensure_one()
        if self.membri_fee_notice_state in ("open", "void"):
            return self.env._("Fee notice %(number)s", number=self.membri_fee_notice_name)
        if self.move_type == "out_refund":
            return self.env._("Credit note %(name)s", name=self.name or "")
        if not self.name and self.state == "draft":  # as Reverse and Create Invoice leaves it
            return self.env._("Draft invoice")
        return self.env._("Invoice %(number)s", number=self.name or "")

    def _membri_get_members(self):
        """:return: whose cotisations this document is about; not who was taken off"""
        terms_sudo = self._membri_get_cotisations_sudo()
        kept_sudo = terms_sudo.filtered(lambda term: term.state != "cancelled")
        return (kept_sudo or terms_sudo).partner_id

    def _membri_is_shared(self):
        """:return: whether this document is about more than one member"""
        return len(self._membri_get_cotisations_sudo().partner_id) > 1

    def action_membri_view_renewal(self):
        self.ensure_one()
        return self.membri_renewal_id._get_records_action()

    def action_membri_view_cotisations(self):
        self.ensure_one()
        self.check_access("read")
        self.env["membri.cotisation"].check_access("read")
        cotisations = self._membri_get_cotisations_sudo().sudo(False)
        return cotisations._get_records_action(name=self.env._("Membership Terms"))

    def action_membri_view_members(self):
        """The members, who need not be the payer."""
        self.ensure_one()
        self.check_access("read")
        self.env["membri.cotisation"].check_access("read")
        members = self._membri_get_cotisations_sudo().partner_id.sudo(False)
        return members._get_records_action(name=self.env._("Members"))

    def action_membri_send_again(self):
        """*Renvoyer le courriel*: Odoo's own send dialog for one invoice, its dialog that
        fills the sending queue for many. Fee notices have a queue of their own.

        :raises AccessError: for those who may only look at membership invoices
        :raises UserError: Odoo's own, when one is not posted
        """
        self.check_access("write")
        notices = self.filtered(lambda m: m.membri_fee_notice_state == "open")
        told = notices._membri_send_fee_notices_again() if notices else None
        invoices = self - notices
        if len(invoices) == 1:
            return invoices.action_invoice_sent()
        return invoices.action_send_and_print() if invoices or not told else told
