from odoo.exceptions import RedirectWarning, UserError


class ResetNeeded(RedirectWarning, UserError):
    """A change that needs a new invoice: it offers *Réinitialiser* (specification §5.5)."""

    def __init__(self, message, renewal):
        action = {
            "type": "ir.actions.client",
            "tag": "membri_ask_reset",
            "params": {"renewal_id": renewal.id},
        }
        # past UserError, which takes a message only
        Exception.__init__(self, message, action, renewal.env._("Reset"), None)

    def __str__(self):
        return self.args[0]


# the web client chooses its dialog by the name of the exception
ResetNeeded.__module__, ResetNeeded.__name__ = RedirectWarning.__module__, RedirectWarning.__name__
