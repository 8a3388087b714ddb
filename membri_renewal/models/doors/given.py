"""What somebody gives, and Odoo makes a record of as the system: the rights are asked here."""

from ast import literal_eval

from odoo import api, models
from odoo.fields import Command

from ..mixins.fields import MembriFieldsMixin
from .base import check_may_name

# of records that there are: nothing is made or changed by them
LINKS = frozenset({Command.LINK, Command.SET})


def check_given_to_system(model, vals):
    """By the lines of a new record its values change other records, of any model: logins, files,
    messages.

    :param model: of which the system makes a record, as whoever gives the values
    :param vals: that were given
    :raises AccessError: when they change other records, hold what is ours to write, or name what
        may not be read, or a contact that memberships are about and that may not be written"""
    env = model.env
    check_may_name(model, [vals])
    mixin = env["membri.fields.mixin"]
    for name, value in vals.items():
        field = model._fields.get(name)
        if field is None or not value:
            continue
        if isinstance(model, MembriFieldsMixin) and model._is_fact(field):
            raise model._get_refusal(field, model)
        if field.type == "one2many":
            raise env["ir.model.access"]._make_access_error(field.comodel_name, "write")
        if field.type == "many2many":
            comodel = env[field.comodel_name]
            if not isinstance(value, (list, tuple)) or any(
                isinstance(command, (list, tuple)) and command[0] not in LINKS for command in value
            ):
                raise env["ir.model.access"]._make_access_error(field.comodel_name, "write")
            mixin._check_may_read(comodel, mixin._get_commanded_ids(comodel, value, {}))
        elif field.comodel_name == "res.partner":
            _check_contacts(env["res.partner"].browse(mixin._get_given_numbers([value])))


def _check_contacts(contacts):
    """Some records write on the contact that they name: tasks its phone, leads and applicants its
    email.

    :raises AccessError: when one is known to the staff, and may not be written"""
    for contact in contacts.exists() - contacts.env.user.partner_id:
        if contact._membri_is_known():
            contact.check_access("write")


class MailAlias(models.Model):
    _inherit = "mail.alias"

    @api.constrains("alias_defaults", "alias_model_id")
    def _check_membri_alias_defaults(self):
        """Odoo has the address of a project, a team, a job or a journal written by who manages
        these, and an email to it make a record as the system, with these values: they gave
        themselves any right, changed any login, and the phone of any member.

        :raises AccessError: as :func:`check_given_to_system`, of whoever is no administrator"""
        user = self.env.user
        if user._is_superuser() or user._is_system():
            return
        for alias_sudo in self.sudo():  # sudo: addresses are the administrators'
            # what is no dictionary Odoo refuses by itself
            vals = dict(literal_eval(alias_sudo.alias_defaults or "{}"))
            if alias_sudo.alias_model_id.model in self.env:
                model = self.env[alias_sudo.alias_model_id.model].with_user(user)
                check_given_to_system(model, vals)


def get_create_of_group_messages(group_messages):
    """:param group_messages: the class of the messages of Odoo's mailing lists
    :return: its method ``create``: Odoo makes the message in sudo, with what is given"""

    @api.model_create_multi
    def create(self, vals_list):
        if not self.env.su:
            for vals in vals_list:
                check_given_to_system(self.env["mail.message"], vals)
        return super(group_messages, self).create(vals_list)

    return create
