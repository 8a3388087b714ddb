from collections import defaultdict

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import SQL


class MembriNeededMixin(models.AbstractModel):
    """Records of ours that the code asks for by name. They are changed or archived at will:
    without one of them a termination, a sending or a page would break."""

    _name = "membri.needed.mixin"
    _description = "Data required by memberships"
    # external identifiers, where the code does not need all of ours
    _needed_names = None
    # those of Odoo that the code asks for
    _needed_of_odoo = ()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_needed(self):
        domain = (
            Domain("module", "=", "membri_renewal")
            & Domain("model", "=", self._name)
            & Domain("res_id", "in", self.ids)
        )
        if self._needed_names is not None:
            domain &= Domain("name", "in", self._needed_names)
        else:
            domain &= ~Domain("name", "=like", "demo%")
        for module, name in (xmlid.split(".") for xmlid in self._needed_of_odoo):
            domain |= (
                Domain("module", "=", module)
                & Domain("name", "=", name)
                & Domain("model", "=", self._name)
                & Domain("res_id", "in", self.ids)
            )
        # sudo: external identifiers are the administrator's
        needed_sudo = self.env["ir.model.data"].sudo().search(domain, limit=1)
        if needed_sudo:
            raise UserError(
                self.env._(
                    "“%(name)s” is needed by the memberships and cannot be deleted. "
                    "Archive it if possible, or edit it.",
                    name=self.browse(needed_sudo.res_id).display_name,
                )
            )


class MembriShippedMixin(models.AbstractModel):
    """Texts and queues that the add-on ships and that people may rewrite.

    An update brings ours until somebody edits the record; from then on it is theirs, in every
    language (its external id becomes ``noupdate``). ``_local_fields`` are each database's own
    from the first day: no update changes them, and changing them claims nothing.
    """

    _name = "membri.shipped.mixin"
    _description = "Editable Default Record"

    _local_fields = frozenset()

    def write(self, vals):
        result = super().write(vals)
        # the mode in which records are loaded from files: an update, or a reset to our text
        if not self.env.context.get("install_mode") and not self._local_fields.issuperset(vals):
            self._set_ours(False)
        return result

    def _load_records_write(self, values):
        # EXTENDS base
        return super()._load_records_write(
            {name: value for name, value in values.items() if name not in self._local_fields}
        )

    def _set_ours(self, is_ours):
        """Say whether updates bring our text; records that are not of this add-on are skipped."""
        # sudo: nobody but administrators may touch external ids
        names_sudo = (
            self.env["ir.model.data"]
            .sudo()
            .search(
                [
                    ("module", "=", "membri_renewal"),
                    ("model", "=", self._name),
                    ("res_id", "in", self.ids),
                    ("noupdate", "=", is_ours),
                ]
            )
        )
        names_sudo.noupdate = not is_ours


class MailTemplate(models.Model):
    _name = "mail.template"
    _inherit = ["mail.template", "membri.needed.mixin", "membri.shipped.mixin"]

    _local_fields = frozenset({"ref_ir_act_window"})

    def reset_template(self):
        # EXTENDS mail: who takes our text back gets its corrections again
        result = super().reset_template()
        self.filtered("template_fs")._set_ours(True)
        return result


class MailActivityType(models.Model):
    _name = "mail.activity.type"
    _inherit = ["mail.activity.type", "membri.needed.mixin"]


class MailMessageSubtype(models.Model):
    _name = "mail.message.subtype"
    _inherit = ["mail.message.subtype", "membri.needed.mixin"]
    _needed_of_odoo = ("mail.mt_comment", "mail.mt_note")


class IrCron(models.Model):
    _name = "ir.cron"
    _inherit = ["ir.cron", "membri.needed.mixin"]
    _needed_of_odoo = ("mail.ir_cron_mail_scheduler_action", "account.ir_cron_account_move_send")


class IrUiView(models.Model):
    _name = "ir.ui.view"
    _inherit = ["ir.ui.view", "membri.needed.mixin"]


class IrActionsReport(models.Model):
    _name = "ir.actions.report"
    _inherit = ["ir.actions.report", "membri.needed.mixin"]


class ReportPaperformat(models.Model):
    _name = "report.paperformat"
    _inherit = ["report.paperformat", "membri.needed.mixin"]


class IrActionsActWindow(models.Model):
    _name = "ir.actions.act_window"
    _inherit = ["ir.actions.act_window", "membri.needed.mixin"]
    _needed_of_odoo = (
        "account.action_move_out_invoice_type",
        "base.action_ir_mail_server_list",
        "base.res_lang_act_window",
        "web.action_base_document_layout_configurator",
    )


class ResGroups(models.Model):
    _name = "res.groups"
    _inherit = ["res.groups", "membri.needed.mixin"]


class IrModelAccess(models.Model):
    _name = "ir.model.access"
    _inherit = ["ir.model.access", "membri.needed.mixin"]


class IrSequence(models.Model):
    _name = "ir.sequence"
    _inherit = ["ir.sequence", "membri.needed.mixin"]

    @api.ondelete(at_uninstall=False)
    def _unlink_except_numbering(self):
        """A new one would begin at 1 again, with numbers that are given."""
        # sudo: of all companies
        company_sudo = (
            self.env["res.company"]
            .sudo()
            .with_context(active_test=False)
            .search(
                Domain("membri_receipt_sequence_id", "in", self.ids)
                | Domain("membri_fee_notice_sequence_id", "in", self.ids),
                limit=1,
            )
        )
        if company_sudo:
            raise UserError(
                self.env._(
                    "The receipts or fee notices of %(company)s take their numbers from this "
                    "sequence. Archive or edit it instead.",
                    company=company_sudo.name,
                )
            )

    def _next(self, sequence_date=None):
        # EXTENDS base: Odoo gives every employee the next number of any sequence. Receipts and fee
        # notices are counted without gaps
        if not self.env.su and (self.code or "").startswith("membri."):
            raise AccessError(
                self.env._("Numbers of memberships are given as their documents are created.")
            )
        return super()._next(sequence_date=sequence_date)

    @api.model
    def _membri_get_next(self, code, company, count):
        """:return: list of the next ``count`` numbers of a sequence of ``company``; of the usual
            kind of sequence in one query
        :raises UserError: when there is none: it was archived, or its code was changed"""
        sequence = self.with_company(company).search(
            [("code", "=", code), ("company_id", "in", (company.id, False))],
            order="company_id",
            limit=1,
        )
        if not sequence:
            raise UserError(
                self.env._(
                    "Cannot assign a number: the sequence with the code “%(code)s” is "
                    "archived or missing. Restore it in Settings (Technical, Sequences).",
                    code=code,
                )
            )
        return sequence._membri_take(count)

    def _membri_take(self, count, day=None):
        """:param day: that the numbers belong to, where each year has its own; default: today
        :return: list of the next ``count`` numbers; of the usual kind of sequence in one query"""
        self.ensure_one()
        if self.implementation != "standard":
            # sudo: a number for what the user makes, see ``_next``
            sequence_sudo = self.sudo()
            return [sequence_sudo.next_by_id(sequence_date=day) for _number in range(count)]
        counter, name = self, f"ir_sequence_{self.id:03d}"
        if self.use_date_range:
            part = self._get_current_sequence(day)
            counter = self.with_context(ir_sequence_date_range=part.date_from)
            name = f"{name}_{part.id:03d}"
        prefix, suffix = counter._get_prefix_suffix()
        rows = self.env.execute_query(
            SQL("SELECT nextval(%s) FROM generate_series(1, %s)", name, count)
        )
        return [f"{prefix}{number:0{self.padding}d}{suffix}" for (number,) in rows]

    @api.model
    def _membri_fill_numbers(self, code, vals_list):
        """Number new records of ours, each in its company: ``name`` is filled in place."""
        by_company = defaultdict(list)
        for vals in vals_list:
            if vals.get("name", "/") == "/":
                by_company[vals["company_id"]].append(vals)
        for company_id, waiting in by_company.items():
            company = self.env["res.company"].browse(company_id)
            numbers = self._membri_get_next(code, company, len(waiting))
            for vals, number in zip(waiting, numbers, strict=True):
                vals["name"] = number
