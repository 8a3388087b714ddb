import base64
import csv
import io
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Command, Domain
from odoo.tools import SQL, plaintext2html

from ..renewal.eligibility import HAND
from .decision import Decision
from .matching import MODULE, Matcher, get_external_name
from .membri_import import FOREGROUND_LIMIT
from .reading import escape_formula, normalize
from .row import name_words
from .targets import RENEWAL_WORDS

BATCH = 200


class MembriImport(models.Model):
    """The run, on the engine of ``mixins/runner.py``: rows in the order of their first day, then
    what ties contacts to each other."""

    _inherit = "membri.import"

    def _do_run(self):
        self.ensure_one()
        count = self._mark_lines("row", SQL("is_done IS NOT TRUE AND is_unread IS NOT TRUE"))
        self._set_state("running", task="run", user_id=self.env.uid, problem=False)
        if self._work_or_queue(count, FOREGROUND_LIMIT) and self.state == "running":
            self._do_finish()

    def _mark_lines(self, todo, condition):
        """:param todo: what is to be done with rows
        :param condition: SQL: with which of them
        :return: how many they are"""
        return self._execute_on_lines(
            SQL(
                "UPDATE membri_import_line SET todo = %s WHERE import_id = %s AND %s",
                todo,
                self.id,
                condition,
            )
        )

    @api.model
    def _cron_process_imports(self):
        """Work off what was asked for. May be run at any time, twice, by two workers."""
        self._work_off(
            Domain("state", "=", "running"), self.search([("state", "=", "running")])._count_todo()
        )

    def _count_todo(self):
        """Return how many rows are to be worked on; of a list that is being read, those that
        have been read."""
        previews = self.filtered(lambda record: record.task == "preview")
        rows = sum(
            record.overview["rows"] - record.previewed_count if record.overview else 0
            for record in previews
        )
        return rows + self.env["membri.import.line"].search_count(
            [("todo", "!=", False), ("import_id", "in", (self - previews).ids)]
        )

    def _stop_work(self, error):
        # EXTENDS runner_mixin
        sentence = self._get_error_sentence(error)
        # a list that cannot be read: another file, or another column, may be chosen
        if self.task == "preview" and not self.overview and isinstance(error, UserError):
            self._forget_preview()
            self._set_state("draft", problem=sentence, is_run_next=False)
        else:
            self._set_state("stopped", problem=sentence)

    def _process_batch(self):
        # EXTENDS runner_mixin
        self.ensure_one()
        if self.state != "running":
            return 0
        record = self.with_user(self.user_id).with_context(lang=self.user_id.lang)._as_worker()
        if self.task == "preview":
            return record._preview_batch()
        if self.task == "undo":
            return record._undo_batch()
        Line = record.env["membri.import.line"]
        for task, work in (("row", record._import_rows), ("links", record._import_links)):
            lines = Line.search(
                [("import_id", "=", self.id), ("todo", "=", task)],
                order="date_start, id",
                limit=BATCH,
            )
            if not lines:
                continue
            # sudo: the lock; rows are written by the import only
            lines = lines.sudo().try_lock_for_update().sudo(False)
            self._work_isolated(lines, work)
            self.env.flush_all()
            self.env.invalidate_all()  # a long list does not fill the memory
            if not Line.search_count([("import_id", "=", self.id), ("todo", "!=", False)], limit=1):
                self._do_finish()
            return len(lines)
        return 0

    def _work_isolated(self, lines, work):
        for line, error in lines._run_isolated(work).items():
            # sudo: rows are written by the import only
            line.sudo().write(
                {"todo": False, "result": "error", "message": line._get_error_sentence(error)}
            )

    def _do_finish(self):
        self._set_state("done", date_done=fields.Datetime.now())
        self._write_result_file()

    # ------------------------------------------------------------------
    # Rows
    # ------------------------------------------------------------------

    def _import_rows(self, lines):
        """Take over some rows: all of them or, by an exception, none."""
        readable = lines.filtered(lambda line: not line.is_unread)
        decisions = self._decide({line: line.trace for line in readable}, {})
        todo = {
            line: decision
            for line, decision in decisions.items()
            if decision.result not in ("error", "skipped")
        }
        self._import_contacts(todo)
        self._import_terms(todo)
        self._import_renewals(todo)
        for line, decision in decisions.items():
            vals = {**self._prepare_line_vals(decision), "todo": False}
            if line in todo:
                vals["is_done"] = True
                vals["trace"] = {**decision.trace, "done": decision.done}
                if self._has_links(decision.row_values):
                    vals["todo"] = "links"
            # sudo: rows are written by the import only
            line.sudo().write(vals)

    def _import_contacts(self, todo):
        new, vals_list = {}, []
        for decision in todo.values():
            values = decision.row_values
            if decision.partner:
                if decision.partner_vals:
                    decision.done["contact"] = self._change(decision.partner, decision.partner_vals)
            elif values["key"] not in new:
                new[values["key"]] = decision
                vals_list.append(self._prepare_new_contact_vals(values))
        # nothing to take over from a company above, or for people below: links come later
        Partner = self.env["res.partner"].with_context(_partners_skip_fields_sync=True)
        partners = dict(zip(new, Partner.create(vals_list).with_env(self.env), strict=True))
        names = {}
        for decision in todo.values():
            values = decision.row_values
            if not decision.partner:
                decision.partner = partners[values["key"]]
            if new.get(values["key"]) is decision:
                decision.done["created_partner"] = decision.partner.id
                decision.done["contact"] = {
                    "before": {},
                    "after": self._read_back(decision.partner, values["contact"]),
                }
            if external := values["keys"].get("external"):
                names[get_external_name(self, external)] = decision.partner
        self._import_names(names)

    def _prepare_new_contact_vals(self, values):
        vals = self._prepare_contact_vals(values)
        if values.get("employer"):
            vals["company_name"] = values["employer"]
        if values["notes"]:
            vals["comment"] = plaintext2html(values["notes"])
        return vals

    def _import_names(self, records):
        """Remember which record of ours is which one of the other system.

        :param records: ``{external name: record}``"""
        if not records:
            return
        # sudo: external ids are the administrator's; these are ours
        Data_sudo = self.env["ir.model.data"].sudo()
        known_sudo = Data_sudo.search([("module", "=", MODULE), ("name", "in", list(records))])
        known = {data.name: data for data in known_sudo}
        Data_sudo.create(
            [
                {
                    "module": MODULE,
                    "name": name,
                    "model": record._name,
                    "res_id": record.id,
                    "noupdate": True,
                }
                for name, record in records.items()
                if name not in known
            ]
        )
        for name, data in known.items():
            if data.res_id != records[name].id:
                data.res_id = records[name].id

    def _change(self, record, vals):
        """:return: what ``vals`` has changed: the values ``before`` and ``after``"""
        before = self._read_back(record, vals)
        record.write(vals)
        return {"before": before, "after": self._read_back(record, vals)}

    @staticmethod
    def _read_back(record, names):
        values = {}
        for name in names:
            value = record._fields[name].convert_to_write(record[name], record)
            values[name] = fields.Date.to_string(value) if hasattr(value, "isoformat") else value
        return values

    # ------------------------------------------------------------------
    # Terms
    # ------------------------------------------------------------------

    def _import_terms(self, todo):
        Term = self.env["membri.cotisation"]
        new = {line: decision for line, decision in todo.items() if decision.term_vals}
        items_sudo = self._get_invoice_lines_sudo(todo)
        vals_list = [
            {
                **decision.term_vals,
                "partner_id": decision.partner.id,
                "line_ids": (line in items_sudo and self._prepare_invoiced_lines(items_sudo[line]))
                or self._prepare_told_lines(decision),
            }
            for line, decision in new.items()
        ]
        # internal: an import brings facts, such as that a member has left
        terms = Term._as_internal().create(vals_list).with_env(self.env)
        for decision, term in zip(new.values(), terms, strict=True):
            decision.term = term
            decision.done["created_term"] = term.id
            decision.done["term"] = {"after": self._read_term_back(term)}
        self._get_inserted(terms).partner_id._membri_chain_terms(self.company_id)
        self._link_invoices(items_sudo, todo)
        for decision in todo.values():
            if decision.term_change:
                decision.done["term"] = self._change_term(decision.term, decision.term_change)
            elif decision.option_of is not None:
                decision.done["created_options"] = self._add_options(decision).ids
        self._import_names(
            {
                get_external_name(self, decision.row_values["term_id"], "term"): decision.term
                for decision in todo.values()
                if decision.row_values["term_id"] and decision.term
            }
        )

    def _get_inserted(self, terms):
        """:return: those of ``terms`` that have come before another term of their member"""
        last = dict(
            self.env["membri.cotisation"]._read_group(
                [
                    ("partner_id", "in", terms.partner_id.ids),
                    ("company_id", "=", self.company_id.id),
                    ("state", "!=", "cancelled"),
                ],
                ["partner_id"],
                ["date_start:max"],
            )
        )
        return terms.filtered(
            lambda term: term.date_start < last.get(term.partner_id, term.date_start)
        )

    def _add_options(self, decision):
        """:return: the lines by which a second membership becomes part of the first one"""
        term = decision.option_of
        if isinstance(term, Decision):  # of an earlier row
            term = term.term
        before, commands = term.line_ids, []
        if not before:  # else the renewal would propose the second one alone
            commands += self._prepare_term_lines(term.option_set_id)
        commands += self._prepare_option_lines(decision) or self._prepare_term_lines(
            decision.option_set, **self._get_prices(decision.row_values)
        )
        term.write({"line_ids": commands})
        decision.term = term
        return term.line_ids - before

    def _change_term(self, term, vals):
        before = self._read_term_back(term)
        term._internal_write({**vals, "date_terminated": False})
        today = self.company_id._membri_today()
        over = term.filtered(
            lambda t: t.state in ("active", "scheduled") and t.date_end and t.date_end < today
        )
        over._do_expire()
        term._refresh_members()
        return {"before": before, "after": self._read_term_back(term)}

    @staticmethod
    def _read_term_back(term):
        return {
            "option_set_id": term.option_set_id.id,
            "date_start": fields.Date.to_string(term.date_start),
            "date_end": fields.Date.to_string(term.date_end) if term.date_end else False,
            "lines": sorted(term.line_ids.ids),
        }

    @staticmethod
    def _get_prices(values):
        return {
            "amount": values["amount"],
            "agreed": values["agreed"],
            "may_be_taxed": not values["balance"],
        }

    def _prepare_told_lines(self, decision):
        """The options of a term, as the list tells them or shares its amount out among those of
        the plan; else none, and the renewal proposes those of the plan."""
        if decision.options:
            return self._prepare_option_lines(decision)
        prices = self._get_prices(decision.row_values)
        if prices["amount"] is None and prices["agreed"] is None:
            return []
        return self._prepare_term_lines(decision.option_set, **prices)

    def _get_shares_before_taxes(self, options, weights, amount):
        """Find out what each option was before taxes, so that the next notice holds like against
        like: it said that a price had changed where taxes were all that differed.

        :param weights: what the options are today, before taxes, in the same order
        :param amount: what was paid
        :return: list of amounts which the taxes of today make ``amount``, to the cent; ``None``
            where they do not, or where it is rather what the prices of today are without taxes"""
        # sudo: taxes are the accountants'
        if not options.product_id.sudo().taxes_id:
            return None
        currency = self.company_id.currency_id

        def add_up(shares):
            total = 0.0
            for option, share in zip(options, shares, strict=True):
                product_sudo = option.product_id.sudo()  # as above
                taxes_sudo = product_sudo.taxes_id._filter_taxes_by_company(self.company_id)
                total += taxes_sudo.compute_all(
                    share / option.quantity, currency, option.quantity, product_sudo
                )["total_included"]
            return total

        usual = add_up(weights)
        if not usual:
            return None
        shares = [currency.round(weight * amount / usual) for weight in weights]
        is_nearer = abs(usual - amount) <= abs(sum(weights) - amount)
        # 240 and its taxes, rather than 275.94 without
        is_rounder = not float(amount).is_integer() and all(share.is_integer() for share in shares)
        is_exact = not currency.compare_amounts(add_up(shares), amount)
        return shares if is_exact and (is_nearer or is_rounder) else None

    def _prepare_term_lines(self, option_set, amount=None, agreed=None, may_be_taxed=True):
        """:param amount: what was paid, taxes included; the next price is the plan's
        :param agreed: what was agreed, before taxes, and is the next price as well
        :param may_be_taxed: ``False`` for an amount that an opening entry bills, without taxes
        :return: commands: the plan's usual options, at the list price without either"""
        is_agreed = agreed is not None
        # what was paid, taxes included, is what was agreed: there were none
        is_taxed = is_agreed and amount != agreed
        amount = agreed if is_agreed else amount
        options = option_set.line_ids.filtered(
            lambda line: line.product_id.active and (line.is_required or line.is_default)
        )
        if not options:
            return []
        currency = self.company_id.currency_id
        weights = [
            option.quantity
            * (option.price_unit if option.has_own_price else option.product_id.lst_price)
            for option in options
        ]
        shares = None
        if may_be_taxed and amount and not is_agreed:
            shares = self._get_shares_before_taxes(options, weights, amount)
            is_taxed = bool(shares)
        shares = shares or option_set._share_out(
            sum(weights) if amount is None else amount, weights, currency
        )
        return [
            Command.create(
                {
                    "product_id": option.product_id.id,
                    "name": option.product_id.display_name,
                    "quantity": option.quantity,
                    "price_unit": share / option.quantity,
                    "is_price_agreed": is_agreed,
                    "tax_ids": [
                        Command.set(
                            option.product_id.taxes_id._filter_taxes_by_company(self.company_id).ids
                            if is_taxed
                            else []
                        )
                    ],
                }
            )
            for option, share in zip(options, shares, strict=True)
        ]

    # ------------------------------------------------------------------
    # What was going on
    # ------------------------------------------------------------------

    def _import_renewals(self, todo):
        """Renewals that the other system has asked go on here; nothing is sent again."""
        followed = self._find_followed(todo)
        for line, decision in todo.items():
            values = decision.row_values
            if decision.result not in ("new", "differs"):
                continue
            if self._is_balance_noted(values):
                decision.done["noted"] = True
                decision.partner._membri_noted_for(self.company_id)._message_log(
                    body=self.env._(
                        "Open balance in the list that was imported: %(balance)s. It is not "
                        "posted.",
                        balance=values["balance"],
                    )
                )
            term = decision.term
            state = RENEWAL_WORDS.get(normalize(values["renewal_state"]))
            answer = decision.get_answer()
            if (answer and term and not term.is_history) or (
                not state and values["status"] == "renewing"
            ):
                state = "sent" if values["notice"] else "draft"
            elif not state and values["notice"] and term and not term.is_history:
                state = "sent"  # of what is history, nobody waits for the answer any more
            if line in followed:
                state = False
            if not state or not term or term._get_not_renewed_reasons(HAND)[term]:
                if answer:  # what the preview could not know
                    said = self._get_answer_sentence(answer)
                    decision.message = decision.message.replace(said, "").strip()
                continue
            renewal = self.env["membri.renewal"].create({"cotisation_id": term.id})
            decision.done["created_renewal"] = renewal.id
            member = renewal._get_member()
            was_flagged = member.membri_intervention_required
            self._move_renewal(renewal, state, fields.Date.to_date(values["notice"]))
            if answer:
                renewal._do_require_intervention(self._get_answer_sentence(answer))
            if member.membri_intervention_required and not was_flagged:
                decision.done["flagged"] = True

    def _move_renewal(self, renewal, state, notice):
        if state == "draft":
            return
        day = notice or self.company_id._membri_today()
        renewal._set_state(
            "sent", date_sent=self.company_id._membri_midnight(day) + timedelta(hours=12)
        )
        renewal._portal_ensure_token()
        renewal._skip_overtaken_steps()
        renewal._update_next_reminder()
        if state == "change_requested":
            renewal._set_state("change_requested")
        elif state == "intervention":
            renewal.partner_id.membri_intervention_required = True
        renewal._refresh_members()

    # ------------------------------------------------------------------
    # What ties contacts to each other
    # ------------------------------------------------------------------

    def _has_links(self, values):
        return bool(
            self._get_owed(values)
            or values.get("responsible")
            or values.get("employer")
            or values["owner"]
            or values["archived"]
        )

    def _import_links(self, lines):
        traces = {line: line.trace for line in lines}
        values_list = [trace["values"] for trace in traces.values()]
        matcher = Matcher(self, values_list)
        owners = self._find_owners(values_list)
        balances = self._import_balances(lines)
        for line, trace in traces.items():
            partner, values = line.partner_id, trace["values"]
            done = {**trace.get("done", {}), **balances.get(line, {})}
            vals = {}
            parent = self._find_parent(partner, values, matcher, owners)
            if parent and parent != partner and partner.parent_id != parent:
                vals["parent_id"] = parent.id
                if partner.street and partner.street != parent.street:
                    vals["type"] = "other"  # keeps its own address
            if responsible := values.get("responsible"):
                person = self._find_responsible(partner, responsible, matcher, done)
                if person and partner.membri_responsible_id != person:
                    vals["membri_responsible_id"] = person.id
            if values["archived"] and partner.active and done.get("created_partner"):
                vals["active"] = False
            if vals:
                change = self._change(partner, vals)
                done["links"] = change
            # sudo: rows are written by the import only
            line.sudo().write({"todo": False, "trace": {**trace, "done": done}})

    def _find_owners(self, values_list):
        """:return: ``{key of a member of this list: the contact}``"""
        keys = [values["owner_key"] for values in values_list if values.get("owner_key")]
        lines = self.env["membri.import.line"].search(
            [("import_id", "=", self.id), ("key", "in", keys), ("partner_id", "!=", False)]
        )
        return {line.key: line.partner_id for line in lines}

    def _find_parent(self, partner, values, matcher, owners):
        """:return: the company that ``partner`` is a contact of, as far as it is known"""
        if values["owner"]:
            owner = owners.get(values.get("owner_key")) or matcher.find_named(values["owner"])
            if not owner.is_company:
                owner = owner.parent_id
            return owner
        if values.get("employer"):
            employer = matcher.find_named(values["employer"])
            return employer.filtered("is_company")
        return partner.browse()

    def _find_responsible(self, member, responsible, matcher, done):
        """Return the person in charge; one that nobody knows becomes a contact of the
        company."""
        name, email = responsible
        Partner = self.env["res.partner"]
        current = member.membri_responsible_id
        if current and name_words(current.name) == name_words(name or email):
            return current
        if found := matcher.find_addressed(email):
            return found
        if name and (found := matcher.find_named(name)) and not found.is_company:
            return found
        if not name and not email:
            return Partner
        children = member.child_ids.filtered(
            lambda c: normalize(c.name) == normalize(name or email)
        )
        if children:
            return children[0]
        person = Partner.create(
            {
                "name": name or email,
                "email": email or False,
                "parent_id": member.id if member.is_company else False,
            }
        )
        matcher.remember_contact(person)  # who is in charge of several members is one person
        done["created_people"] = [*done.get("created_people", ()), person.id]
        return person

    # ------------------------------------------------------------------
    # What was left out
    # ------------------------------------------------------------------

    def _write_result_file(self):
        """The rows that could not be taken over, as they were, with a column *why*; totals are
        nobody's."""
        lines = self.env["membri.import.line"].search(
            [("import_id", "=", self.id), ("result", "in", ("error", "skipped"))]
        )
        lines = lines.filtered(lambda line: not line._is_total())
        if not lines:
            self._internal_write({"result_file": False, "result_filename": False})
            return
        told = self.with_context(lang=self.user_id.lang)
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        headers = self.header or []
        writer.writerow([*map(escape_formula, headers), told.env._("Why")])
        for line in lines:
            cells = ((line.cells or []) + [""] * len(headers))[: len(headers)]
            writer.writerow([*map(escape_formula, cells), escape_formula(line.message or "")])
        self._internal_write(
            {
                "result_file": base64.b64encode(buffer.getvalue().encode("utf-8-sig")),
                "result_filename": told.env._("Rows to correct") + ".csv",
            }
        )
