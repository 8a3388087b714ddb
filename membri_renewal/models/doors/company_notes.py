from odoo import api, fields, models

# in the context of what makes notes: a tuple, which no client can send
NOTES_OF = "membri_notes_of"


class ResPartner(models.Model):
    """Companies share contacts, and Odoo shows the whole thread of a contact to whoever reads it.
    What happens to a membership is noted there for the company that it is in, and for no other."""

    _inherit = "res.partner"

    # Odoo reads, and looks into, all that is on a contact, whoever may read it
    message_ids = fields.One2many(
        domain=lambda self: [
            ("message_type", "!=", "user_notification"),
            *self._membri_get_notes_domain(),
        ]
    )
    activity_ids = fields.One2many(domain=lambda self: self._membri_get_notes_domain())

    @api.model
    def _membri_get_notes_domain(self):
        """Portal users have record rules of their own.

        :return: the messages and activities that the user may have to do with"""
        user = self.env.user
        if user._is_superuser() or user.share:
            return []
        return [("membri_company_id", "in", [False, *self.env.companies.ids])]

    def _membri_noted_for(self, company):
        """:param company: whose membership the notes are about
        :return: ``self``, whose messages and activities are made for the people of ``company``"""
        return self.with_context(**{NOTES_OF: (company.id,)})

    def _notify_get_recipients(self, message, msg_vals=False, **kwargs):
        # EXTENDS mail: staff of other companies that follow the contact get no copy
        recipients = super()._notify_get_recipients(message, msg_vals=msg_vals, **kwargs)
        message_sudo = message.sudo()  # sudo: whose note it is, and to whom it is addressed
        company = message_sudo.membri_company_id
        if not company:
            return recipients
        named = (msg_vals or {}).get("partner_ids") or message_sudo.partner_ids.ids
        users_sudo = company.user_ids
        return [
            recipient
            for recipient in recipients
            if recipient["id"] in named
            or recipient.get("type") != "user"
            or recipient["uid"] in users_sudo.ids
        ]


class MembriCompanyNoteMixin(models.AbstractModel):
    """What is written on a contact for the people of one company: record rules keep it from those
    of others."""

    _name = "membri.company.note.mixin"
    _inherit = "membri.fields.mixin"
    _description = "Note of One Company on a Contact"

    membri_company_id = fields.Many2one(
        "res.company",
        string="Company of the Membership",
        readonly=True,
        copy=False,
        ondelete="cascade",
        help="Only people who work in this company see it.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail
        noted_for = self.env.context.get(NOTES_OF)
        if not isinstance(noted_for, tuple):
            return super().create(vals_list)
        vals_list = [
            {**vals, "membri_company_id": noted_for[0]} if self._is_on_contact(vals) else vals
            for vals in vals_list
        ]
        return (
            super(MembriCompanyNoteMixin, self._as_internal()).create(vals_list).with_env(self.env)
        )

    @api.model
    def _is_on_contact(self, vals):
        """:return: whether these values are of a record about a contact"""
        return vals.get("model") == "res.partner"


class MailMessage(models.Model):
    _name = "mail.message"
    _inherit = ["mail.message", "membri.company.note.mixin"]

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail: a file of the contact is read by all who read the contact
        messages = super().create(vals_list)
        # sudo: what was just made; who reads the message reads its files
        for message_sudo, vals in zip(messages.sudo(), vals_list, strict=True):
            if vals.get("attachment_ids") and message_sudo.membri_company_id:
                files_sudo = message_sudo.attachment_ids
                files_sudo.filtered(lambda file: file.res_model == "res.partner").write(
                    {"res_model": "mail.message", "res_id": message_sudo.id}
                )
        return messages


class MailActivity(models.Model):
    _name = "mail.activity"
    _inherit = ["mail.activity", "membri.company.note.mixin"]

    @api.model
    def _is_on_contact(self, vals):
        # EXTENDS company_note_mixin
        contacts = self.env["ir.model"]._get_id("res.partner")
        return vals.get("res_model") == "res.partner" or vals.get("res_model_id") == contacts

    def _action_done(self, feedback=False, attachment_ids=None):
        # EXTENDS mail: what it was about becomes a message
        done = self.env["mail.message"], self.env["mail.activity"]
        for company, activities in self.grouped("membri_company_id").items():
            if company:
                activities = activities.with_context(**{NOTES_OF: (company.id,)})
            messages, following = super(MailActivity, activities)._action_done(
                feedback=feedback, attachment_ids=attachment_ids
            )
            done = done[0] | messages.with_env(self.env), done[1] | following.with_env(self.env)
        return done
