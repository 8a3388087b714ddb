from odoo import models


class MembriDemo(models.AbstractModel):
    """What an officer has left at the desk: work on several renewals, whose page has something
    to tell, and a queue of her own that is empty."""

    _inherit = "membri.demo"

    def _work_on_many(self):
        """Notices sent again to members who are silent; the one that is held is skipped, and
        the result says why."""
        Renewal = self.env["membri.renewal"]
        company = [("company_id", "=", self.env.company.id)]
        silent = Renewal.search(
            [
                *company,
                ("state", "=", "sent"),
                ("delivery_state", "not in", ("unreachable", "failed", "letter")),
            ],
            order="date_sent desc, id",
            limit=5,
        )
        held = Renewal.search([*company, ("state", "=", "intervention")], order="id", limit=1)
        Job = self.env["membri.bulk.job"]
        Job._start("send_reminder", silent | held)
        self._name_record("bulk_job", Job.search(company, limit=1))

    def _add_own_queue(self):
        """A queue made by clicking, and done: the small celebration is there to be seen."""
        queue = (
            self.env["membri.dashboard"]
            .with_context(lang="en_US")
            .create(
                {
                    "name": "Promised Calls",
                    "help": "Members who asked to be called back today, or before.",
                    "domain": "[('is_open', '=', True), ('date_follow_up', '<=', 'today')]",
                    "sequence": 100,
                }
            )
        )
        for lang in ("fr_CA", "fr_FR"):
            queue.with_context(lang=lang).write(
                {
                    "name": "Appels promis",
                    "help": "Les membres à appeler au plus tard aujourd’hui, à leur demande.",
                }
            )
        self._name_record("queue", queue)
