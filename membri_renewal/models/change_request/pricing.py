from odoo import models
from odoo.fields import Command


class MembriRenewal(models.Model):
    """What a term would cost that the member puts together: every price is the server's."""

    _inherit = "membri.renewal"

    def _get_offered_option_sets(self, proposal):
        """Return the option sets that the member may choose from: the proposed one, and
        those that the organisation offers (``portal_offer``)."""
        self.ensure_one()
        current = proposal.option_set_id
        # sudo: members choose without reading the staff's lists
        offered_sudo = (
            self.env["membri.option.set"]
            .sudo()
            .search(
                [("company_id", "parent_of", self.company_id.id), ("portal_offer", "!=", "none")]
            )
            .filtered(
                lambda s: (
                    s._is_sellable()
                    and (s.portal_offer == "all" or (s.type_id and s.type_id == current.type_id))
                )
            )
        )
        return (offered_sudo | current.sudo()).sorted(lambda s: (s != current, s.sequence, s.name))

    def _get_proposed_quantities(self, option_set, proposal):
        """:return: ``{option set line: quantity}`` of what is chosen before the member chooses"""
        lines = option_set._get_offered_lines(proposal)
        if option_set != proposal.option_set_id:
            return {line: line.quantity for line in lines if line.is_required or line.is_default}
        ours = {line.product_id: line for line in reversed(proposal.line_ids)}
        return {
            line: option_set._get_usual_quantity(previous=ours[line.product_id])
            for line in lines
            if line.product_id in ours
        }

    def _get_requested_dates(self, option_set, proposal, date_start=None):
        """:param date_start: asked by the member, if any
        :return: first and last day of the term of ``option_set``; one that would be over
            begins today instead
        """
        self.ensure_one()
        cotisation, today = self.cotisation_id, self.company_id._membri_today()
        if date_start and date_start != proposal.date_start:
            follows = option_set._get_next_period(cotisation)
            return follows if follows[0] == date_start else option_set._get_period(date_start)
        if option_set == proposal.option_set_id:
            first, last = proposal.date_start, proposal.date_end
        else:
            restart = self._get_restart_period(option_set)
            first, last = restart or option_set._get_next_period(cotisation)
        if last and last < today:
            return option_set._get_period(today)
        return first, last

    def _prepare_requested_lines(self, option_set, quantities, dates, proposal):
        """The lines of a term with these options.

        What stays as it was proposed keeps its price, which was frozen when it was sent.

        :param quantities: ``{option set line: quantity}``
        :param dates: first and last day
        :return: list of values for ``membri.change.request.line``
        """
        option_set = option_set.with_company(self.company_id)
        choices = self._get_requested_choices(option_set, quantities, proposal)
        lines_vals = option_set._prepare_lines_of(choices, self.partner_id, dates[0])
        same_term = (option_set, *dates) == (
            proposal.option_set_id,
            proposal.date_start,
            proposal.date_end,
        )
        kept = {}
        if same_term:
            for number, choice in enumerate(choices):
                ours = choice.get("previous")
                quantity = lines_vals[number]["quantity"]
                if ours and option_set._get_usual_quantity(previous=ours) == quantity:
                    kept[number] = ours._prepare_copy_vals()
        # of a set that costs one amount in all, whatever is in it, that is what was told
        is_whole = option_set._is_whole_period(*dates) or option_set.proration != "amount"
        priced = [vals for number, vals in enumerate(lines_vals) if number not in kept]
        option_set._prorate_lines(
            priced if is_whole else lines_vals, option_set._get_currency(self.partner_id), *dates
        )
        if is_whole:
            for number, vals in kept.items():
                lines_vals[number].update(vals)
        return lines_vals

    def _get_requested_choices(self, option_set, quantities, proposal):
        """Return the keyword arguments of :meth:`_prepare_term_line`. What was agreed with the
        member beside the option set stays with it."""
        ours = []
        if option_set == proposal.option_set_id:
            ours = proposal.line_ids
        elif option_set == self.cotisation_id.option_set_id:
            ours = self.cotisation_id.line_ids
        first = {line.product_id: line for line in reversed(ours)}
        choices = []
        for line in option_set.line_ids.filtered(lambda o: o in quantities):
            choice = {"option_line": line, "quantity": quantities[line]}
            if line.product_id in first:
                choice["previous"] = first[line.product_id]
            choices.append(choice)
        if option_set == proposal.option_set_id:
            choices += [{"previous": line} for line in self._get_extra_lines(proposal)]
        return choices

    def _get_extra_lines(self, proposal):
        """:return: proposed lines that are no option of the set: agreed with this member"""
        in_set = proposal.option_set_id.line_ids.product_id
        return proposal.line_ids.filtered(lambda line: line.product_id not in in_set)

    def _compare_with_proposal(self, lines_vals, proposal, currency):
        """Put what was proposed beside each line, in place; what is taken out gets a line of
        quantity zero."""
        left = list(proposal.line_ids)

        def convert(amount):
            return proposal.currency_id._convert(
                amount, currency, self.company_id, proposal.date_start
            )

        def describe(line):
            return {
                "old_quantity": line.full_quantity or line.quantity,
                "old_subtotal": convert(line.price_subtotal),
            }

        for vals in lines_vals:
            for line in left:
                if line.product_id.id == vals["product_id"]:
                    vals.update(describe(line))
                    left.remove(line)
                    break
        for line in left:
            removed = {**line._prepare_copy_vals(), "quantity": 0.0, "full_quantity": 0.0}
            lines_vals.append({**removed, **describe(line)})
        return lines_vals

    def _prepare_change_request_vals(
        self, option_set=None, quantities=None, date_start=None, details=(), message=False
    ):
        """Values of a ``membri.change.request``: to show what is asked, and to record it.

        :param option_set: ``membri.option.set``; default: the proposed one
        :param quantities: ``{option set line: quantity}``; default: as proposed
        :param date_start: the first day, where the member may choose it
        :param details: list of values for ``membri.change.request.detail``
        :param message: plain text
        """
        self.ensure_one()
        proposal = self._get_proposal()
        option_set = option_set or proposal.option_set_id
        usual = self._get_proposed_quantities(option_set, proposal)
        quantities = usual if quantities is None else quantities
        dates = self._get_requested_dates(option_set, proposal, date_start)
        currency = option_set.with_company(self.company_id)._get_currency(self.partner_id)
        changes_term = (
            option_set != proposal.option_set_id
            or quantities != usual
            or bool(date_start and dates[0] != proposal.date_start)
        )
        lines_vals = []
        if changes_term:
            lines_vals = self._compare_with_proposal(
                self._prepare_requested_lines(option_set, quantities, dates, proposal),
                proposal,
                currency,
            )
        return {
            "renewal_id": self.id,
            "partner_id": self.partner_id.id,
            "company_id": self.company_id.id,
            "currency_id": currency.id,
            "option_set_id": option_set.id,
            "date_start": dates[0],
            "date_end": dates[1],
            "changes_term": changes_term,
            "proposal_key": self._get_proposal_key(),
            "message": message,
            "old_option_set_id": proposal.option_set_id.id,
            "old_date_start": proposal.date_start,
            "old_date_end": proposal.date_end,
            "old_amount_total": proposal.currency_id._convert(
                proposal.amount_total, currency, self.company_id, proposal.date_start
            ),
            "line_ids": [Command.create(vals) for vals in lines_vals],
            "detail_ids": [Command.create(vals) for vals in details],
        }
