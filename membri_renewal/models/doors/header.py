from odoo import api, models


def to_one_line(value):
    """:param value: of a header: a text, a list of them, or nothing
    :return: the same without line ends, which no header holds"""
    if isinstance(value, (list, tuple)):
        return [to_one_line(part) for part in value]
    is_long = isinstance(value, str) and len(value.splitlines()) > 1
    return " ".join(value.split()) if is_long else value


class IrMailServer(models.Model):
    """Odoo takes line ends in a name, from a form of the portal, a sign-up or a list, and then
    fails on each email to or from that contact: staff would not hear of what a member answers."""

    _inherit = "ir.mail_server"

    @api.model
    def _build_email__(self, email_from, email_to, subject, *args, **kwargs):
        # EXTENDS base
        for name in kwargs.keys() & {"email_cc", "email_bcc", "reply_to"}:
            kwargs[name] = to_one_line(kwargs[name])
        if headers := kwargs.get("headers"):
            kwargs["headers"] = {name: to_one_line(value) for name, value in headers.items()}
        addresses = (to_one_line(email_from), to_one_line(email_to))
        return super()._build_email__(*addresses, to_one_line(subject), *args, **kwargs)
