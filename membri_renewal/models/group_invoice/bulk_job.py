from odoo import models

# one payer's members beyond this many are worked on, and invoiced, in several batches
MOST_COMPANIONS = 500


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    def _get_grouping_payer(self):
        """:return: who gets one invoice for this member and others, or nobody"""
        self.ensure_one()
        return self.partner_id.with_company(self.company_id)._membri_get_grouping_payer()

    def _split_for_isolation(self, effect):
        # EXTENDS membri_renewal: a bad record does not split the invoice of the others
        groups = list(self.grouped(lambda r: r.sudo()._get_grouping_payer() or r).values())
        return groups if len(groups) > 1 else self._split_off_failing(effect)


class MembriBulkJob(models.Model):
    """Members of one payer, who get one invoice together, are worked on together."""

    _inherit = "membri.bulk.job"

    def _order_for_batches(self, renewals):
        """:return: ``renewals``, those of one grouping payer side by side"""
        payers = {renewal: renewal._get_grouping_payer() for renewal in renewals}
        return renewals.sorted(lambda renewal: payers[renewal].id or 0)

    def _with_companions(self, lines):
        """:return: the lines of a batch, with those that follow and go on the last invoice"""
        last = lines[-1:]
        payer = last.renewal_id and last.renewal_id._get_grouping_payer()
        if not payer:
            return lines
        following = self.env["membri.bulk.job.line"].search(
            [("job_id", "=", self.id), ("result", "=", "todo"), ("id", ">", last.id)],
            limit=MOST_COMPANIONS,
            order="id",
        )
        companions = following.filtered(
            lambda line: line.renewal_id and line.renewal_id._get_grouping_payer() == payer
        )
        return lines | companions.try_lock_for_update()
