from calendar import monthrange
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError

ONE_DAY = timedelta(days=1)


class MembriOptionSet(models.Model):
    """Date arithmetic of terms (specification §4).

    All terms of a member begin on a *grid*: the anchor day, every so many months,
    clamped to the length of the month and always counted from the anchor, never from
    the previous result. A term ends the day before the next point of the grid, so there
    is neither gap nor overlap. All days are civil days; last days are included.
    """

    _inherit = "membri.option.set"

    def _get_period_months(self):
        self.ensure_one()
        return self.period_count * (12 if self.period_unit == "year" else 1)

    def _get_anchor(self, day):
        """:return: a point of the grid of a fixed-date set: its first day in the year of ``day``"""
        self.ensure_one()
        month = int(self.fixed_month)
        return date(day.year, month, min(self.fixed_day, monthrange(day.year, month)[1]))

    def _get_period(self, date_start, anchor=None):
        """The term that begins on ``date_start``.

        :param date_start: first day of the term
        :param anchor: any first day of the member's terms, with the day of the month that
            they all share (31 January gives 28 February, 31 March, 30 April).
            Default: ``date_start``; ignored by fixed-date sets, which carry their own.
        :return: ``(first day, last day)``, both included; the last day is ``False`` for
            life. A term that begins between two points of the grid ends at the next one.
        :raises UserError: where the calendar ends before the term, as of 9999-12-31
        """
        self.ensure_one()
        date_start, anchor = fields.Date.to_date(date_start), fields.Date.to_date(anchor)
        if self.lifetime:
            return date_start, False
        try:
            return date_start, self._get_grid_bounds(date_start, anchor)[1] - ONE_DAY
        except (ValueError, OverflowError) as error:
            raise UserError(
                self.env._("The year of %(text)s cannot be right.", text=date_start)
            ) from error

    def _get_grid_bounds(self, day, anchor=None):
        """Return ``(b, n)``: the whole period that ``day`` lies in begins on ``b`` and the
        next one on ``n``."""
        self.ensure_one()
        months = self._get_period_months()
        if self.date_mode == "fixed":
            # the running fixed year is the first of the period, so every member of a
            # two-year set who joins this year ends on the same day
            months_per_step, periods = 12, months // 12
            anchor, anchor_day = self._get_anchor(day), self.fixed_day
        else:
            months_per_step, periods = months, 1
            anchor = anchor or day
            anchor_day = anchor.day

        def point(step):
            first = anchor.replace(day=1) + relativedelta(months=step * months_per_step)
            return first.replace(day=min(anchor_day, monthrange(first.year, first.month)[1]))

        distance = (day.year - anchor.year) * 12 + day.month - anchor.month
        step = distance // months_per_step
        if point(step) > day:
            step -= 1
        return point(step), point(step + periods)

    def _get_next_period(self, cotisation):
        """The term of this option set that follows ``cotisation``, without gap.

        :param cotisation: a ``membri.cotisation`` with a last day
        :return: ``(first day, last day)``, both included
        """
        self.ensure_one()
        date_start = cotisation.date_end + ONE_DAY
        return self._get_period(date_start, self._get_next_anchor(cotisation))

    def _get_next_anchor(self, cotisation):
        """Return the member's anchor if the new term begins on its grid, else the new
        term's own first day."""
        self.ensure_one()
        date_start = cotisation.date_end + ONE_DAY
        anchor = cotisation.date_anchor
        if not anchor or self.date_mode == "fixed":
            return date_start
        return anchor if self._get_grid_bounds(date_start, anchor)[0] == date_start else date_start

    def _get_proration(self, date_start, date_end):
        """The part of the full price that a term costs (specification §4).

        :param date_start: first day
        :param date_end: last day, included
        :return: a share: 1.0 for a whole period, also when the set does not prorate.
            For ``amount``: the share of the set's own list price that gives the amount.
        """
        self.ensure_one()
        date_start, date_end = fields.Date.to_date(date_start), fields.Date.to_date(date_end)
        if self._is_whole_period(date_start, date_end) or self.proration == "none":
            return 1.0
        next_start = date_end + ONE_DAY
        full_start = self._get_full_start(date_end)
        if self.proration == "daily":
            return (next_start - date_start).days / (next_start - full_start).days
        if self.proration == "monthly":
            months = 1
            while next_start - relativedelta(months=months) > date_start:
                months += 1
            return months / self._get_period_months()
        if self.proration == "percent":
            return self.proration_value / 100
        list_price = self._get_list_price()
        return self.proration_value / list_price if list_price else 0.0

    def _is_whole_period(self, date_start, date_end):
        """Only fixed-date sets have terms that are shorter than their period."""
        self.ensure_one()
        if self.date_mode != "fixed" or self.lifetime or not date_end:
            return True
        return date_start <= self._get_full_start(date_end)

    def _get_full_start(self, date_end):
        """:return: the first day of the whole fixed period that ends on ``date_end``"""
        next_start = date_end + ONE_DAY
        return self._get_anchor(date(next_start.year - self._get_period_months() // 12, 1, 1))
