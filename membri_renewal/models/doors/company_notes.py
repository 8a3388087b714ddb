from odoo import api, fields, models
from odoo.fields import Domain

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
    activity_ids = fields.One2many(  # one's own as well, which Odoo counts in its menu
        domain=lambda self: self._membri_get_notes_domain(
            Domain("user_id", "=", self.env.uid),
        )
    )

    @api.model
    def _membri_get_notes_domain(self, own=Domain.FALSE):
        """Portal users have record rules of their own.

        :param own: domain of what is the user's, whatever it is about
        :return: the messages, or activities, that the user may have to do with"""
        user = self.env.user
        if user._is_superuser() or user.share:
            return []
        return list(own | Domain("membri_company_id", "in", [False, *self.env.companies.ids]))

    def _membri_noted_for(self, company):
        """:param company: whose membership the notes are about
        :return: ``self``, whose messages and activities are made for the people of ``company``"""
        return self.with_context(**{NOTES_OF: (company.id,)})

    def activity_search(
        self, act_type_xmlids="", user_id=None, additional_domain=None, only_automated=True
    ):
        # EXTENDS mail: each company asks, and ends, its own questions about a contact
        noted_for = self.env.context.get(NOTES_OF)
        if isinstance(noted_for, tuple):
            noted = Domain("membri_company_id", "in", [False, *noted_for])
            additional_domain = noted & Domain(additional_domain or Domain.TRUE)
        return super().activity_search(
            act_type_xmlids,
            user_id=user_id,
            additional_domain=additional_domain,
            only_automated=only_automated,
        )

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
        index="btree_not_null",  # record rules ask for what is of other companies
        ondelete="cascade",
        help="Only people who work in this company see it.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        # EXTENDS mail
        companies = [self._is_on_contact(vals) and self._get_noted_for(vals) for vals in vals_list]
        if not any(companies):
            return super().create(vals_list)
        vals_list = [
            {**vals, "membri_company_id": company} if company else vals
            for vals, company in zip(vals_list, companies, strict=True)
        ]
        return (
            super(MembriCompanyNoteMixin, self._as_internal()).create(vals_list).with_env(self.env)
        )

    @api.model
    def _is_on_contact(self, vals):
        """:return: whether these values are of a record about a contact"""
        return vals.get("model") == "res.partner"

    @api.model
    def _get_noted_for(self, vals):
        """:return: the ID of the company whose people alone read it, if any"""
        noted_for = self.env.context.get(NOTES_OF)
        return noted_for[0] if isinstance(noted_for, tuple) else False


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

    @api.model
    def _get_noted_for(self, vals):
        # EXTENDS company_note_mixin: the reply to a statement quotes it. Of other messages, Odoo
        # chooses what they reply to
        company_id = super()._get_noted_for(vals)
        if not company_id and vals.get("message_type") == "email" and vals.get("parent_id"):
            parent_sudo = self.sudo().browse(vals["parent_id"])  # sudo: the company alone is asked
            company_id = not parent_sudo.is_internal and parent_sudo.membri_company_id.id
        return company_id

    @api.model
    def _get_with_access(self, message_id, mode="read", **kwargs):
        # EXTENDS mail, for which the rights to the contact are enough
        message = super()._get_with_access(message_id, mode=mode, **kwargs)
        user, message_sudo = self.env.user, message.sudo()  # sudo: for whom it is
        company = message_sudo.membri_company_id
        if (
            company
            and not (self.env.su or user.share)
            and company not in self.env.companies
            and user.partner_id not in message_sudo.partner_ids
        ):
            return self.browse()
        return message


class MailActivity(models.Model):
    _name = "mail.activity"
    _inherit = ["mail.activity", "membri.company.note.mixin"]

    @api.model
    def _is_on_contact(self, vals):
        # EXTENDS company_note_mixin
        contacts = self.env["ir.model"]._get_id("res.partner")
        return vals.get("res_model") == "res.partner" or vals.get("res_model_id") == contacts

    def _check_access(self, operation):
        # EXTENDS mail, for which the rights to the contact are enough to change and to delete
        result = super()._check_access(operation)
        if self.env.su or operation not in ("write", "unlink"):
            return result
        refused = result[0] if result else self.browse()
        others_sudo = (
            (self - refused)
            .sudo()
            .filtered(  # sudo: for whom they are
                lambda activity: (
                    activity.membri_company_id
                    and activity.membri_company_id not in self.env.companies
                    and activity.user_id != self.env.user
                )
            )
        )
        if not others_sudo:
            return result
        refused |= self.browse(others_sudo.ids)
        return refused, lambda: refused._make_access_error(operation)

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
