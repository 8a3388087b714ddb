from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from .matching import MODULE
from .membri_import import FOREGROUND_LIMIT

BATCH = 500
# up to so many rows are taken back while the user waits, all or none
FOREGROUND_UNDO = 5 * FOREGROUND_LIMIT
# Odoo looks for what is deleted in each of our links that differ by company, comparing each contact
# with each ID; of so many, the database takes the index instead
DELETED_TOGETHER = 100


def unlink_in_parts(records):
    for part in split_every(DELETED_TOGETHER, records.ids, records.browse):
        part.unlink()


class MembriImport(models.Model):
    """Taking back what was imported: all of it, or, when something has followed from it,
    nothing."""

    _inherit = "membri.import"

    # ------------------------------------------------------------------
    # What has followed
    # ------------------------------------------------------------------

    def _get_cannot_undo_reason(self):
        """Return what has followed from the import (a sentence), or ``False``. Of a long list
        the background asks it, before anything is undone."""
        self.ensure_one()
        if self._count_done() > FOREGROUND_UNDO:
            return False
        return self._get_what_followed()

    def _count_done(self):
        return self.env["membri.import.line"].search_count(
            [("import_id", "=", self.id), ("is_done", "=", True)]
        )

    def _get_what_followed(self):
        """:return: what has followed from any of the rows (a sentence), or ``False``"""
        record = self._as_worker()
        Line = record.env["membri.import.line"]
        added, last_id = self._get_added(), 0
        while lines := Line.search(
            [("import_id", "=", self.id), ("is_done", "=", True), ("id", ">", last_id)],
            order="id",
            limit=BATCH,
        ):
            last_id = lines[-1].id
            if reason := record._get_followed_reason(lines, added):
                return reason
            record.env.invalidate_all()  # a long list does not fill the memory
        return False

    def _get_added(self):
        """Return ``{what: ids}`` of what other rows of the same list have made: options, by a
        second membership, and opening entries."""
        self.env["membri.import.line"].flush_model(["trace"])
        added = {"created_options": set(), "created_move": set()}
        if self.second_membership == "skip" and self.balance_mode == "note":
            return added
        for options, move in self.env.execute_query(
            SQL(
                """
                SELECT trace->'done'->'created_options', trace->'done'->'created_move'
                  FROM membri_import_line
                 WHERE import_id = %s AND is_done
                   AND jsonb_exists_any(trace->'done', ARRAY['created_options', 'created_move'])
                """,
                self.id,
            )
        ):
            added["created_options"].update(options or ())
            added["created_move"].update([move] if move else ())
        return added

    def _get_followed_reason(self, lines, added):
        """:param added: as of :meth:`_get_added`
        :return: what has followed from these rows (a sentence), or ``False``"""
        done = {line: line.trace.get("done", {}) for line in lines}
        created = {
            trace["created_term"]: line for line, trace in done.items() if "created_term" in trace
        }
        changed = {
            line.cotisation_id.id: line
            for line, trace in done.items()
            if "term" in trace and "created_term" not in trace
        }
        Term = self.env["membri.cotisation"]
        own_moves = added["created_move"]
        linked = {line for line, trace in done.items() if "linked_item" in trace}
        own_renewals = {trace.get("created_renewal") for trace in done.values()}
        for term in Term.browse([*created, *changed]).exists():
            line = created.get(term.id) or changed[term.id]
            renewals = term.renewal_ids.filtered(lambda r: r.id not in own_renewals)
            own = term.renewal_ids - renewals
            names = {"member": term.partner_id._membri_get_names(), "term": term.name}
            # asked, or decided, from here
            if renewals or own.filtered(
                lambda r: r.state in ("approved", "refused") or r.delivery_state
            ):
                return self.env._(
                    "%(member)s already has a renewal of %(term)s, which was imported. The "
                    "import can no longer be undone.",
                    **names,
                )
            invoice_sudo = term._get_invoice_sudo()
            if invoice_sudo and invoice_sudo.id not in own_moves and line not in linked:
                return self.env._(
                    "%(term)s (%(member)s) has been invoiced since it was imported. The import "
                    "can no longer be undone.",
                    **names,
                )
            now = self._read_term_back(term)
            now["lines"] = [id_ for id_ in now["lines"] if id_ not in added["created_options"]]
            if now != line.trace["done"]["term"]["after"]:
                return self.env._(
                    "%(term)s (%(member)s) has been changed since it was imported. The import "
                    "can no longer be undone.",
                    **names,
                )
        return self._get_money_followed_reason(done.values()) or self._get_contact_followed_reason(
            done, own_moves
        )

    def _get_contact_followed_reason(self, done, own_moves):
        Partner = self.env["res.partner"].with_context(active_test=False)
        new_ids = [
            trace["created_partner"] for trace in done.values() if "created_partner" in trace
        ]
        imported = self.env["membri.import.line"]._read_group(
            [
                ("partner_id", "in", new_ids),
                ("import_id", "!=", self.id),
                ("is_done", "=", True),
                ("result", "!=", "same"),
            ],
            ["partner_id"],
        )
        # sudo: whether there are some, seen or not
        users = (
            self.env["res.users"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", new_ids)], limit=1)
        )
        moves = (
            self.env["account.move"]
            .sudo()
            .search(
                [
                    ("partner_id", "in", new_ids),
                    ("id", "not in", list(own_moves)),
                ],
                limit=1,
            )
        )
        if followed := (users.partner_id or moves.partner_id or (imported and imported[0][0])):
            return self.env._(
                "%(member)s has been used since the import (a user, an invoice or another "
                "import). The import can no longer be undone.",
                member=Partner.browse(followed.id).display_name,
            )
        # what another row of the same list has changed was not edited by anybody
        changers = {}
        for line, trace in done.items():
            if trace.get("contact", {}).get("before"):
                changers.setdefault(line.partner_id, set()).add(line)
        ids = {line.partner_id.id for line in done if line.partner_id}
        known = {partner.id: partner for partner in Partner.browse(ids).exists()}
        for line, trace in done.items():
            partner = known.get(line.partner_id.id)
            if not partner or changers.get(partner, set()) - {line}:
                continue
            for part in ("contact", "links"):
                after = trace.get(part, {}).get("after", {})
                now = self._read_back(partner, after)
                if now != after:
                    name = next(name for name in after if now[name] != after[name])
                    return self.env._(
                        "“%(field)s” of %(member)s has been changed since the import. The import "
                        "can no longer be undone.",
                        field=partner._fields[name]._description_string(self.env),
                        member=partner._membri_get_names(),
                    )
        return False

    # ------------------------------------------------------------------
    # Taking back
    # ------------------------------------------------------------------

    def _do_undo(self):
        self.ensure_one()
        count = self._mark_lines("undo_term", SQL("is_done"))
        self._set_state("running", task="undo", user_id=self.env.uid, problem=False)
        if self._work_or_queue(count, FOREGROUND_UNDO) and self.state == "running":
            self._do_finish_undo()

    def _undo_batch(self):
        """Take back some rows: first the terms of all, the last ones first, then contacts.

        :return: how many"""
        Line = self.env["membri.import.line"]
        own = [("import_id", "=", self.id), ("todo", "in", ("undo_term", "undo_contact"))]
        is_begun = Line.search_count([*own, ("todo", "=", "undo_contact")], limit=1)
        # of a long list: asked of all, before the first one is taken back
        is_asked = not is_begun and self._count_done() > FOREGROUND_UNDO
        if is_asked and (reason := self._get_what_followed()):
            raise UserError(reason)
        for todo, work in (
            ("undo_term", self._undo_terms_of),
            ("undo_contact", self._undo_contacts_of),
        ):
            lines = Line.search(
                [("import_id", "=", self.id), ("todo", "=", todo)],
                order="date_start desc, id desc" if todo == "undo_term" else "id desc",
                limit=BATCH,
            )
            if not lines:
                continue
            # sudo: the lock; rows are written by the import only
            lines = lines.sudo().try_lock_for_update().sudo(False)
            work(lines)
            self.env.flush_all()
            self.env.invalidate_all()  # a long list does not fill the memory
            if not Line.search_count(own, limit=1):
                self._do_finish_undo()
            return len(lines)
        return 0

    def _do_finish_undo(self):
        self._set_state("undone", date_done=False)
        self._internal_write({"result_file": False, "result_filename": False})

    def _undo_terms_of(self, lines):
        traces = {line: line.trace for line in lines}
        done = [(line, trace.get("done", {})) for line, trace in traces.items()]
        kept = self._undo_money(done)
        self._undo_terms(done)
        for line, trace in done:
            if line.partner_id in kept and trace.get("created_partner") == line.partner_id.id:
                # a cancelled opening entry is theirs: they stay, archived
                trace = {**trace, "kept": True}
                # sudo: rows are written by the import only
                line.sudo().trace = {**traces[line], "done": trace}
        lines.sudo().write({"todo": "undo_contact"})  # rows are written by the import only

    def _undo_contacts_of(self, lines):
        traces = {line: line.trace for line in lines.sorted("id")}
        self._undo_contacts([(line, trace.pop("done", {})) for line, trace in traces.items()])
        for line, trace in traces.items():
            # sudo: rows are written by the import only
            line.sudo().trace = trace
        lines.sudo().write({"is_done": False, "todo": False})

    def _undo_terms(self, done):
        record = self._as_worker()
        Term, Renewal = record.env["membri.cotisation"], record.env["membri.renewal"]
        renewals = Renewal.browse(
            trace["created_renewal"] for _line, trace in done if "created_renewal" in trace
        ).exists()
        flagged = {trace.get("created_renewal") for _line, trace in done if "flagged" in trace}
        renewals.filtered(lambda r: r.id in flagged)._clear_intervention()
        renewals._set_state("cancelled")
        unlink_in_parts(renewals)
        options = record.env["membri.cotisation.line"].browse(
            id_ for _line, trace in done for id_ in trace.get("created_options", ())
        )
        for term, own in options.exists().grouped("cotisation_id").items():
            term._internal_write({"line_ids": [fields.Command.delete(option.id) for option in own]})
        for line, trace in done:
            if "term" in trace and "created_term" not in trace and line.cotisation_id:
                before = trace["term"]["before"]
                line.cotisation_id._internal_write({"date_end": before["date_end"]})
                line.cotisation_id._refresh_members()
        terms = Term.browse(
            trace["created_term"] for _line, trace in done if "created_term" in trace
        ).exists()
        followers = Term.search([("previous_id", "in", terms.ids)]) - terms
        (terms | followers)._internal_write({"previous_id": False})
        terms._set_state("cancelled")
        unlink_in_parts(terms)
        followers._link_previous()

    def _undo_contacts(self, done):
        record = self._as_worker()
        Partner = record.env["res.partner"].with_context(active_test=False)
        created = Partner.browse(
            id_
            for _line, trace in done
            for id_ in (trace.get("created_partner"), *trace.get("created_people", ()))
            if id_
        ).exists()
        created_ids = set(created.ids)
        for line, trace in reversed(done):
            if line.partner_id.id in created_ids:
                continue
            for part in ("links", "contact"):
                if before := trace.get(part, {}).get("before"):
                    Partner.browse(line.partner_id.id).exists().write(before)
        kept = Partner.browse(
            trace["created_partner"] for _line, trace in done if trace.get("kept")
        ).exists()
        created -= kept
        kept.write({"active": False})
        names = [trace["created_partner"] for _line, trace in done if "created_partner" in trace]
        # sudo: external ids are the administrator's; these are ours
        record.env["ir.model.data"].sudo().search(
            [("module", "=", MODULE), ("model", "=", "res.partner"), ("res_id", "in", names)]
        ).unlink()
        Partner.search([("parent_id", "in", created.ids)]).filtered(
            lambda p: p not in created
        ).write({"parent_id": False})
        try:
            with self.env.cr.savepoint():
                unlink_in_parts(created)
        except UserError:
            raise
        except Exception as error:
            raise UserError(
                self.env._(
                    "The contacts of this import are used elsewhere, so it cannot be undone: "
                    "%(error)s",
                    error=self._get_error_sentence(error),
                )
            ) from error
