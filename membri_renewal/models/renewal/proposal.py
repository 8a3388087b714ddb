from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import format_amount

from ..mixins.formats import ANYTHING, is_said_in
from .renewal import ACTIVITY_ASK, EDITABLE_STATES, STAFF, UNDECIDED_STATES


class PageMemo:
    """What one page, or the texts and documents of a batch, ask of a renewal several times; nothing
    changes while they are rendered. In the context, where no client can put one."""

    def __init__(self):
        self.found = {}

    @classmethod
    def ask(cls, record, name, find):
        """:param find: function that finds it
        :return: what it has found, once for each page; without a page, each time"""
        memo = record.env.context.get("membri_page")
        if not isinstance(memo, cls):
            return find()
        key = (name, record.id, record.env.lang)
        if key not in memo.found:
            memo.found[key] = find()
        return memo.found[key]


class MembriRenewal(models.Model):
    """What a renewal proposes: when it is made, when its option set changes, and on the day on
    which it is accepted. What was shown holds, but for the taxes of that day and the dates of
    members so late that their set starts them afresh."""

    _inherit = "membri.renewal"

    mode_proposed = fields.Char(
        string="Renewal Mode From the Contact",
        readonly=True,
        copy=False,
        groups=STAFF,
        help="Renewal mode set by the contact's Automatic Renewal when the renewal was created "
        "or last updated. A mode chosen manually is kept until the contact changes.",
    )
    approval_remark = fields.Text(
        string="If Approved Today",
        compute="_compute_approval_remark",
        groups=STAFF,
        help="What will be invoiced if the renewal is approved today, where it differs from "
        "what was proposed.",
    )

    # and days pass, and fiscal positions change, without touching the renewal: unstored
    @api.depends("state", "amount_total", "date_start")
    @api.depends_context("lang")
    def _compute_approval_remark(self):
        for renewal in self:
            saved = renewal._origin
            remarks = saved and [saved._get_approval_remark(), saved._get_grouping_remark()]
            renewal.approval_remark = "\n".join(filter(None, remarks or ())) or False

    def _get_grouping_remark(self):
        """Return who gets the invoice of this renewal, where members are billed together (a
        sentence), or ``False``."""
        self.ensure_one()
        payer = self._get_grouping_payer()
        if not payer or self.state not in UNDECIDED_STATES:
            return False
        # sudo: a name only
        return self.env._(
            "%(payer)s will be invoiced %(amount)s for this member. Approve members with "
            "this payer together to create one invoice.",
            payer=payer.sudo()._membri_get_names(),
            amount=self.currency_id.format(self._get_proposal().amount_total),
        )

    def _fill_create_vals(self, vals, memo):
        """Complete ``vals`` in place with what the renewed cotisation and the member's
        choices give: set, dates, lines, currency, mode, officer.

        :param memo: what the renewals of one batch share: the cotisations to ``prefetch``
            together, prices and taxes
        :raises UserError: in another state than “To Send”, or where nothing is to be renewed"""
        if vals.get("state", "draft") != "draft":
            raise UserError(
                self.env._("A new renewal has the status “To Send”. Use its buttons to continue.")
            )
        cotisation = self._get_cotisation_to_renew(vals, memo)
        partner = cotisation.partner_id.with_company(cotisation.company_id)
        vals.update(
            # said explicitly, for the context may carry other defaults
            state="draft",
            invoice_id=False,
            new_cotisation_id=False,
            change_request_id=False,
            state_before_intervention=False,
            cotisation_id=cotisation.id,
            partner_id=partner.id,
            company_id=cotisation.company_id.id,
        )
        if not vals.get("option_set_id"):
            vals["option_set_id"] = partner._membri_get_next_option_set(cotisation).id
        vals["mode_proposed"] = self._get_mode_of_contact(partner)
        if not vals.get("mode"):
            vals["mode"] = vals["mode_proposed"]
        vals.setdefault("user_id", cotisation.company_id._membri_get_officer().id)
        self._fill_proposed_term(vals, cotisation, partner, memo)

    def _get_cotisation_to_renew(self, vals, memo):
        """:return: the cotisation that ``vals`` name, else the current one of their member
        :raises UserError: when there is none, or it never ends"""
        cotisation = (
            self.env["membri.cotisation"]
            .browse(vals.get("cotisation_id"))
            .with_prefetch(filter(None, memo["prefetch"]))
        )
        if not cotisation:
            partner = self.env["res.partner"].browse(vals.get("partner_id"))
            cotisation = partner.membri_cotisation_id
            if not partner:
                raise UserError(self.env._("Choose the member whose term is to be renewed."))
            if not cotisation:
                raise UserError(
                    self.env._(
                        "%(member)s has no membership term to renew. Use “Enroll” instead.",
                        member=partner._membri_get_names(),
                    )
                )
        if not cotisation.date_end:
            raise UserError(
                self.env._(
                    "%(member)s is a member for life. There is nothing to renew.",
                    member=cotisation.partner_id._membri_get_names(),
                )
            )
        return cotisation

    def _fill_proposed_term(self, vals, cotisation, partner, memo):
        """Complete ``vals`` with the dates, the currency and the lines of their option set."""
        option_set = (
            self.env["membri.option.set"]
            .browse(vals["option_set_id"])
            .with_company(cotisation.company_id)
        )
        if not vals.get("date_start"):
            vals["date_start"], vals["date_end"] = option_set._get_next_period(cotisation)
        elif "date_end" not in vals:
            vals["date_end"] = option_set._get_period(fields.Date.to_date(vals["date_start"]))[1]
        vals.setdefault("currency_id", option_set._get_currency(partner).id)
        if "line_ids" not in vals:
            option_set._check_usable()
            vals["line_ids"] = [
                Command.create(line_vals)
                for line_vals in option_set._prepare_term_lines(
                    partner,
                    fields.Date.to_date(vals["date_start"]),
                    fields.Date.to_date(vals["date_end"]),
                    cotisation,
                    memo,
                )
            ]

    @api.model
    def _get_mode_of_contact(self, partner):
        """:param partner: the member, ``with_company`` of the renewal"""
        return "invoice" if partner.membri_auto_renew else "notice"

    def _follow_contact_mode(self):
        """The contact's *Automatic Renewal* decides the mode of what was not sent yet: once it
        is switched, drafts follow, and what is announced and not invoiced: it goes by notice on
        its day."""
        for renewal in self.filtered(
            lambda r: r.state == "draft" or (r.state == "sent" and r.date_auto_invoice)
        ):
            # sudo: the choice of the contact, whoever changes it
            mode = self._get_mode_of_contact(
                renewal.partner_id.with_company(renewal.company_id).sudo()
            )
            renewal_sudo = renewal.sudo()  # the fact behind it is the staff's
            if mode != renewal_sudo.mode_proposed:
                renewal_sudo._internal_write({"mode": mode, "mode_proposed": mode})

    def _propose_dates(self):
        """Take the dates of the chosen option set, right after the current term."""
        for renewal in self:
            first, last = renewal.option_set_id._get_next_period(renewal.cotisation_id)
            renewal._internal_write({"date_start": first, "date_end": last})

    def _propose_lines(self):
        """Replace the lines by those of the option set, at the prices of the first day."""
        memo = {}
        for renewal in self:
            renewal._internal_write(renewal._prepare_lines_of_set(memo))

    def _propose_currency(self):
        """Lines that come with another option set are in the currency of that set."""
        for renewal in self:
            currency = renewal._get_option_set()._get_currency(renewal.partner_id)
            renewal._internal_write({"currency_id": currency.id})

    def _prepare_lines_of_set(self, memo=None):
        """:return: the currency and the lines of the chosen option set, as values to write"""
        self.ensure_one()
        partner = self.partner_id._origin or self.partner_id
        option_set = self._get_option_set()._origin
        lines_vals = option_set._prepare_term_lines(
            partner, self.date_start, self.date_end, self.cotisation_id._origin, memo
        )
        return {
            "currency_id": option_set._get_currency(partner).id,
            "line_ids": [Command.clear(), *(Command.create(vals) for vals in lines_vals)],
        }

    @api.onchange("option_set_id")
    def _onchange_option_set_id(self):
        """The form shows the dates, lines and total of another option set before it is saved,
        so that nobody approves what was not seen."""
        if not (self.option_set_id and self.cotisation_id):
            return
        first, last = self.option_set_id._origin._get_next_period(self.cotisation_id._origin)
        self.update({"date_start": first, "date_end": last})
        self.update(self._prepare_lines_of_set())

    @api.onchange("date_start", "date_end")
    def _onchange_dates(self):
        """Prices are those of the first day: shown as they will be saved."""
        if self.option_set_id and self.cotisation_id and self.date_start:
            self.update(self._prepare_lines_of_set())

    # ------------------------------------------------------------------
    # On the day on which it is accepted
    # ------------------------------------------------------------------

    def _get_restart_period(self, option_set=None):
        """The one place that says when a late member's term begins afresh.

        :param option_set: another one than the proposed one, right after the current term
        :return: ``(first day, last day)`` when it begins today, else ``False``
        """
        self.ensure_one()
        last_day = self.cotisation_id.date_end
        follows = option_set or self.date_start == last_day + timedelta(days=1)
        option_set = option_set or self.option_set_id
        today = self.company_id._membri_today()
        is_late = today > last_day + timedelta(days=option_set.grace_days)
        if not (follows and is_late and option_set.late_policy == "restart"):
            return False
        return option_set._get_period(today)

    def _get_term_today(self, memo=None):
        """What accepting today would change in the proposal.

        :param memo: a dict shared by the calls of one batch
        :return: ``(values, {line: values})`` of the renewal and of its lines; both empty when
            what is shown holds
        """
        self.ensure_one()
        memo = {} if memo is None else memo
        period = self._get_restart_period()
        if period:
            return self._get_restarted_term(*period, memo)
        lines_vals = {
            line: vals for line in self.line_ids if (vals := line._get_vals_of_current_taxes(memo))
        }
        return {}, lines_vals

    def _get_restarted_term(self, first, last, memo):
        """Dates and prices move; options, quantities and agreed prices stay. Arguments and
        result are those of :meth:`_get_term_today`."""
        option_set, partner = self._get_option_set(), self.partner_id
        currency = option_set._get_currency(partner)
        names = ("name", "quantity", "price_unit", "full_quantity", "full_price_unit", "tax_ids")
        options = {option.product_id: option for option in reversed(option_set.line_ids)}
        choices = [
            {"option_line": options.get(line.product_id), "previous": line}
            for line in self.line_ids
        ]
        lines_vals = option_set._prepare_lines_of(choices, partner, first, memo)
        for line, vals in zip(self.line_ids, lines_vals, strict=True):
            vals.update(name=line._get_full_name(), full_quantity=0.0, full_price_unit=0.0)
            if line._keeps_taxes(line.tax_ids.browse(vals["tax_ids"][0][2])):
                vals["tax_ids"] = [Command.set(line.tax_ids.ids)]
            if line.is_price_agreed:
                vals["price_unit"] = self.currency_id._convert(
                    vals["price_unit"], currency, self.company_id, first
                )
        option_set._prorate_lines(lines_vals, currency, first, last)
        return (
            {"date_start": first, "date_end": last, "currency_id": currency.id},
            {
                line: {name: vals[name] for name in names}
                for line, vals in zip(self.line_ids, lines_vals, strict=True)
            },
        )

    def _get_proposal(self):
        """What the member would get by accepting today. Mostly ``self``; else shown before it
        is accepted, and written when it is (:meth:`_bring_up_to_date`).

        :return: ``membri.renewal``, not in the database when it differs from ``self``
        """
        self.ensure_one()
        return PageMemo.ask(self, "proposal", self._find_proposal).with_env(self.env)

    def _find_proposal(self):
        if self.state not in UNDECIDED_STATES:
            return self
        # members who are alike share their taxes
        vals, changes = self._get_term_today(PageMemo.ask(self.browse(), "prices", dict))
        if not vals and not changes:
            return self
        return self.new(
            {
                "name": self.name,
                "state": self.state,
                "partner_id": self.partner_id.id,
                "company_id": self.company_id.id,
                "currency_id": self.currency_id.id,
                "cotisation_id": self.cotisation_id.id,
                "option_set_id": self.option_set_id.id,
                "date_start": self.date_start,
                "date_end": self.date_end,
                "line_ids": [
                    Command.create({**line._prepare_copy_vals(), **changes.get(line, {})})
                    for line in self.line_ids
                ],
                **vals,
            }
        )

    def _bring_up_to_date(self):
        """Make of these proposals what accepting them today means, and tell where that changes
        a total that was shown."""
        memo = {}
        for renewal in self:
            vals, changes = renewal._get_term_today(memo)
            if not vals and not changes:
                continue
            remark = renewal._get_approval_remark()
            renewal._write_term(vals, changes)
            if remark:
                renewal._message_log(body=remark)

    def _write_term(self, vals, changes):
        """Take what :meth:`_get_term_today` returns."""
        self.ensure_one()
        commands = [Command.update(line.id, line_vals) for line, line_vals in changes.items()]
        self._internal_write({**vals, "line_ids": commands})

    def _follow_last_day(self, before):
        """The last day of the current term was moved. What proposed the period right after it, and
        can be edited, proposes the one that follows now: options, quantities and agreed prices
        stay. What was sent is frozen: the officer is asked.

        :param before: the former last day"""
        undecided = self.filtered(lambda r: r.state in UNDECIDED_STATES)
        for renewals in undecided._split_by_staff_lang():
            for renewal in renewals:
                end = renewal.cotisation_id.date_end
                asked_sudo = renewal._get_asked(renewal._get_moved_end_question())
                note = renewal._get_moved_end_question(before)
                was_next = renewal.date_start == before + timedelta(days=1) or any(
                    is_said_in(asked.summary, note) for asked in asked_sudo
                )
                asked_sudo.unlink()
                if not was_next or renewal.date_start == end + timedelta(days=1):
                    continue
                if renewal.state not in EDITABLE_STATES:
                    note = renewal._get_moved_end_question(end)
                    renewal._ask_about_proposal(note)
                    continue
                names = {
                    "end": renewal._format_day(end),
                    "renewal": renewal.name,
                    "term": renewal.term_display,
                }
                period = renewal.option_set_id._get_next_period(renewal.cotisation_id)
                renewal._write_term(*renewal._get_restarted_term(*period, {}))
                note = renewal.env._(
                    "The current term now ends on %(end)s: instead of %(before)s, %(renewal)s "
                    "proposes %(term)s.",
                    before=names["term"],
                    **(names | {"term": renewal.term_display}),
                )
                renewal._message_log(body=note)

    def _get_moved_end_question(self, end=None):
        """:param end: the last day of the current term; by default, any day, and any proposal
        :return: that the notice, which is frozen, does not propose what follows it (sentences)"""
        return self.env._(
            "The current term now ends on %(end)s, and the notice proposes %(term)s. "
            "Use “Log a Change Request”, edit the dates, then send or approve it.",
            end=self._format_day(end) if end else ANYTHING,
            term=self.term_display if end else ANYTHING,
        )

    def _get_plans_of_contacts(self):
        """:return: ``{renewal: the option set that its contact and current term give now}``"""
        # sudo: whoever may change a contact or a term decides what is proposed next
        return {
            renewal: renewal.partner_id.with_company(renewal.company_id)
            .sudo()
            ._membri_get_next_option_set(renewal.cotisation_id)
            for renewal in self
            if renewal.state in UNDECIDED_STATES
        }

    def _follow_next_plan(self, before):
        """Another plan was chosen for what follows the current term. What was not sent yet, and
        proposed the former one, proposes it; of what is out, or was edited, the officer is asked.

        :param before: what :meth:`_get_plans_of_contacts` had returned"""
        for renewals in self.filtered(before.get)._split_by_staff_lang():
            for renewal in renewals:
                former = before[renewal]
                plan = renewal._get_plans_of_contacts().get(renewal, former)
                if plan == former:
                    continue
                renewal._get_asked(renewal._get_next_plan_question()).unlink()
                if renewal.option_set_id == plan:
                    continue
                follows = renewal.state == "draft" and renewal.option_set_id == former
                if follows and not renewal._is_proposal_edited():
                    # sudo: as above
                    renewal.sudo().write({"option_set_id": plan.id})
                    renewal.sudo()._follow_contact_mode()
                    renewal._message_log(
                        body=renewal.env._(
                            "The next plan is now %(plan)s: %(renewal)s proposes it instead of "
                            "%(former)s.",
                            plan=plan.name,
                            renewal=renewal.name,
                            former=former.name,
                        )
                    )
                else:
                    renewal._ask_about_proposal(renewal._get_next_plan_question(plan))

    def _is_proposal_edited(self):
        """Return whether this draft has other days, options, quantities or agreed prices than its
        option set had given it: somebody has changed them."""
        self.ensure_one()
        option_set = self._get_option_set()
        if (self.date_start, self.date_end) != option_set._get_next_period(self.cotisation_id):
            return True

        def describe(line, quantity, priced):
            price = priced.is_price_agreed and (priced.full_price_unit or priced.price_unit)
            return line.product_id.id, quantity, price

        given = [
            describe(
                choice["option_line"] or choice["previous"],
                option_set._get_usual_quantity(**choice),
                choice["previous"],
            )
            for choice in option_set._get_chosen_options(self.cotisation_id)
        ]
        shown = [
            describe(line, line.full_quantity or line.quantity, line) for line in self.line_ids
        ]
        return sorted(given) != sorted(shown)

    def _get_next_plan_question(self, plan=None):
        """:param plan: the option set to propose; by default, any one, and any proposal: plans are
            renamed
        :return: that the renewal proposes another one, and what to do (sentences)"""
        return self.env._(
            "The next plan is now %(plan)s, and %(renewal)s proposes %(proposed)s. Choose the plan "
            "on the renewal (if it was sent, after “Log a Change Request”), then send or approve "
            "it.",
            plan=plan.sudo().name if plan else ANYTHING,  # sudo: a name only
            renewal=self.name,
            proposed=self.option_set_id.sudo().name if plan else ANYTHING,
        )

    def _get_proposal_questions(self):
        """Return the activities (in sudo) that ask what becomes of the proposal: another matter
        than why it is held."""
        self.ensure_one()
        [told] = self._split_by_staff_lang()
        if told.state not in UNDECIDED_STATES:
            return told._get_asked()
        return told._get_asked(told._get_moved_end_question(), told._get_next_plan_question())

    def _get_asked(self, *questions):
        """:param questions: as the officer is asked them, who may have added to them
        :return: the activities that ask one of these (in sudo)"""
        self.ensure_one()
        # sudo: they may be somebody else's
        asked_sudo = self.sudo().activity_search([ACTIVITY_ASK])
        return asked_sudo.filtered(
            lambda asked: any(is_said_in(asked.summary, question) for question in questions)
        )

    def _ask_about_proposal(self, note):
        """Ask the officer, whatever else they are asked about this renewal."""
        self.ensure_one()
        assignee = self._get_officer() or self.company_id._membri_get_assignee()
        # sudo: whoever changes the term or the contact asks the officer
        self.sudo().activity_schedule(
            ACTIVITY_ASK, summary=note, user_id=(assignee or self.env.user).id
        )

    def _follow_taxes(self):
        """What is sent (again) shows the taxes of today; the untaxed prices are frozen."""
        memo = {}
        for renewal in self:
            commands = [
                Command.update(line.id, vals)
                for line in renewal.line_ids
                if (vals := line._get_vals_of_current_taxes(memo))
            ]
            if commands:
                renewal._internal_write({"line_ids": commands})

    def _get_totals_remark(self):
        """Return that what is billed today differs from what these renewals show (a sentence with
        the totals of those that do), or ``False``."""
        changed = {
            renewal: proposal
            for renewal in self
            if (proposal := renewal._get_proposal()) != renewal and renewal._get_approval_remark()
        }
        if not changed:
            return False
        shown, today = (
            " + ".join(
                format_amount(self.env, sum(alike.mapped("amount_total")), currency)
                for currency, alike in self.browse().union(*terms).grouped("currency_id").items()
            )
            for terms in (changed.keys(), changed.values())
        )
        return self.env._(
            "Renewals whose total or period differs from what was sent (taxes, or late members "
            "who start a new period): %(count)s. To invoice: %(today)s (was %(shown)s).",
            count=len(changed),
            today=today,
            shown=shown,
        )

    def _get_approval_remark(self):
        """Return how what is billed today differs from what is shown (a sentence for the
        staff), or ``False``."""
        self.ensure_one()
        proposal = self._get_proposal()
        if proposal == self:
            return False
        names = {
            "total": format_amount(self.env, proposal.amount_total, proposal.currency_id),
            "shown": format_amount(self.env, self.amount_total, self.currency_id),
            "term": proposal.term_display,
        }
        if proposal.date_start != self.date_start:
            return self.env._(
                "This member is late, so a new period starts: %(term)s, %(total)s in "
                "total. The renewal shows %(shown)s.",
                **names,
            )
        if self.currency_id.compare_amounts(proposal.amount_total, self.amount_total):
            return self.env._(
                "With today's taxes, the total is %(total)s. The renewal shows %(shown)s.",
                **names,
            )
        return False
