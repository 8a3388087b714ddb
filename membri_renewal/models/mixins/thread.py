from collections import defaultdict

from odoo import models
from odoo.tools import html2plaintext


class Later:
    """Notes that are made together with others; no client can send one. Not a list: contexts that
    are equal are one."""

    def __init__(self):
        self.notes = []


def log_once(record, note):
    """Note in the chatter what there is nobody to ask: once, however often it is found."""
    # sudo: the system's own notes, whoever comes upon it
    told_sudo = record.sudo().message_ids
    # banks write runs of blanks, of which a chatter keeps fewer
    bodies = (html2plaintext(body or "").split() for body in told_sudo.mapped("body"))
    asked = " ".join(note.split())
    if not any(asked in " ".join(body) for body in bodies):
        record._message_log(body=note)


class MembriThreadMixin(models.AbstractModel):
    """A chatter whose notes on changes are written for a whole batch at once: Odoo writes two
    rows for each record, one by one, which is a tenth of what approving costs."""

    _name = "membri.thread.mixin"
    _description = "Chatter for Batches"
    _inherit = "mail.thread"

    def _message_track(self, fields_iter, initial_values_dict):
        # EXTENDS mail
        later = Later()
        together = self.with_context(membri_later=later)
        tracking = super(MembriThreadMixin, together)._message_track(
            fields_iter, initial_values_dict
        )
        bodies, values = defaultdict(dict), {}
        for record_id, note in later.notes:
            bodies[note["author_id"]][record_id] = note["body"]
            values[record_id] = note["tracking_value_ids"]
        for author_id, texts in bodies.items():
            messages = self.browse(texts)._message_log_batch(texts, author_id=author_id)
            # sudo: as Odoo makes them
            self.env["mail.tracking.value"].sudo().create(
                [
                    {**vals, "mail_message_id": message.id}
                    for message in messages
                    for _create, _id, vals in values[message.res_id]
                ]
            )
        return tracking

    def _message_log(self, **kwargs):
        # EXTENDS mail: of a change, see above
        later = self.env.context.get("membri_later")
        if not isinstance(later, Later):
            return super()._message_log(**kwargs)
        later.notes.append((self.id, kwargs))
        return self.env["mail.message"]
