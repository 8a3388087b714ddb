from odoo import api, models

from ..mixins.fields import MembriFieldsMixin


def blank_foreign_names(records, model_field, name_field):
    """Odoo says in sudo what a message or an activity is about: in a form, of the record that the
    client names, whoever may read it.

    :param records: of which those in memory, of a form, lose the name of what the user may not read
    """
    for record in records.filtered(lambda record: not record.id):
        model, res_id = record[model_field], record.res_id
        if model not in record.env:
            continue
        # of Odoo's in forms as well: followers and closed addresses are named after members
        is_ours = isinstance(record.env[model], MembriFieldsMixin)
        # activities compute it in sudo, whoever opens the form
        in_sudo = record.env.su and not record._fields[name_field].compute_sudo
        if in_sudo and not is_ours:
            continue
        # not in sudo: what the user may read
        if not record.env[model].with_user(record.env.user).browse(res_id).has_access("read"):
            record[name_field] = False


# of Odoo's ratings: how the name of what they are about is computed, and what says which record
NAMES_OF_RATING = {
    "res_name": ("_compute_res_name", "res_model", "res_id"),
    "parent_res_name": ("_compute_parent_res_name", "parent_res_model", "parent_res_id"),
}


def get_compute_of_rating(name):
    """Odoo's ratings, which any employee may make, keep the name of what they are about: of ours,
    where whoever makes one may read it.

    :param name: one of ``NAMES_OF_RATING``
    :return: the function that computes this field"""
    method, model_field, id_field = NAMES_OF_RATING[name]

    @api.depends(model_field, id_field)  # as Odoo's own: the field is set up again and again
    def compute(ratings):
        getattr(ratings, method)()
        for rating in ratings:
            model, number = rating[model_field], rating[id_field]
            # files are called after the members whom they are for
            is_known = isinstance(rating.env.get(model), MembriFieldsMixin)
            if not is_known and model != "ir.attachment":
                continue
            # not in sudo: what the user may read
            record = rating.env[model].with_user(rating.env.user).browse(number)
            if not record.has_access("read"):
                rating[name] = f"{model}/{number}"

    return compute


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.depends("model", "res_id")
    def _compute_record_name(self):
        # EXTENDS mail
        result = super()._compute_record_name()
        blank_foreign_names(self, "model", "record_name")
        return result

    def _compute_audit_log_related_record_id(self, model, fname):
        # EXTENDS account, whose audit trail names the document in a many2one
        result = super()._compute_audit_log_related_record_id(model, fname)
        blank_foreign_names(self, "model", fname)
        return result


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def write(self, vals):
        # EXTENDS mail, which asks for the rights to the record that an activity is made for, and
        # not to the one that it is moved to
        result = super().write(vals)
        if not self.env.su and vals.keys() & {"res_id", "res_model_id", "res_model"}:
            self.check_access("create")
        return result

    @api.depends("res_model", "res_id")
    def _compute_res_name(self):
        # EXTENDS mail
        result = super()._compute_res_name()
        blank_foreign_names(self, "res_model", "res_name")
        return result


class MailActivitySchedule(models.TransientModel):
    _inherit = "mail.activity.schedule"

    def _get_applied_on_records(self):
        # EXTENDS mail, which tells in sudo of what the window is given, whoever may read it
        records = super()._get_applied_on_records()
        if records and isinstance(records, MembriFieldsMixin):
            # not in sudo: what the user may read
            records.with_user(self.env.user).check_access("read")
        return records
