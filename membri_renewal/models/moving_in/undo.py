from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from .matching import MODULE

BATCH = 500


class MembriImport(models.Model):
    """Taking back what was imported: all of it, or, when something has followed from it,
    nothing."""

    _inherit = "membri.import"

    def _get_done_lines(self):
        self.ensure_one()
        return (
            self._as_worker()
            .env["membri.import.line"]
            .search([("import_id", "=", self.id), ("is_done", "=", True)], order="id")
        )

    def _get_cannot_undo_reason(self):
        """:return: what has followed from the import (a sentence), or ``False``"""
        self.ensure_one()
        done = self._get_done_lines()
        # by a second membership, which later rows have added to the term of an earlier one
        added = set()
        if self.second_membership == "option":
            added = {
                id_
                for line in done
                for id_ in line.trace.get("done", {}).get("created_options", ())
            }
        for ids in split_every(BATCH, done.ids, list):
            lines = self._as_worker().env["membri.import.line"].browse(ids)
            if reason := self._get_followed_reason(lines, added):
                return reason
            lines.invalidate_recordset()
        return False

    def _get_followed_reason(self, lines, added):
        """:param added: ids of the options that the import itself has added to terms
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
        own_renewals = {trace.get("created_renewal") for trace in done.values()}
        for term in Term.browse([*created, *changed]).exists():
            line = created.get(term.id) or changed[term.id]
            renewals = term.renewal_ids.filtered(lambda r: r.id not in own_renewals)
            own = term.renewal_ids - renewals
            names = {"member": term.partner_id.display_name, "term": term.name}
            # asked, or decided, from here
            if renewals or own.filtered(
                lambda r: r.state in ("approved", "refused") or r.delivery_state
            ):
                return self.env._(
                    "%(member)s already has a renewal of %(term)s, which was imported. The "
                    "import can no longer be undone.",
                    **names,
                )
            if term.sudo().invoice_id:
                return self.env._(
                    "%(term)s (%(member)s) has been invoiced since it was imported. The import "
                    "can no longer be undone.",
                    **names,
                )
            now = self._read_term_back(term)
            now["lines"] = [id_ for id_ in now["lines"] if id_ not in added]
            if now != line.trace["done"]["term"]["after"]:
                return self.env._(
                    "%(term)s (%(member)s) has been changed since it was imported. The import "
                    "can no longer be undone.",
                    **names,
                )
        return self._get_contact_followed_reason(done)

    def _get_contact_followed_reason(self, done):
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
        users = (
            self.env["res.users"]
            .sudo()
            .with_context(active_test=False)
            .search([("partner_id", "in", new_ids)], limit=1)
        )
        moves = self.env["account.move"].sudo().search([("partner_id", "in", new_ids)], limit=1)
        if followed := (users.partner_id or moves.partner_id or (imported and imported[0][0])):
            return self.env._(
                "%(member)s has been used since the import (a user, an invoice or another "
                "import). The import can no longer be undone.",
                member=Partner.browse(followed.id).display_name,
            )
        for line, trace in done.items():
            for part in ("contact", "links"):
                after = trace.get(part, {}).get("after", {})
                partner = Partner.browse(line.partner_id.id).exists()
                if not partner or not after:
                    continue
                # what a later row of the same list has changed was not edited by anybody
                if self._is_changed_later(line, done):
                    continue
                now = self._read_back(partner, after)
                if now != after:
                    name = next(name for name in after if now[name] != after[name])
                    return self.env._(
                        "“%(field)s” of %(member)s has been changed since the import. The import "
                        "can no longer be undone.",
                        field=partner._fields[name]._description_string(self.env),
                        member=partner.display_name,
                    )
        return False

    def _is_changed_later(self, line, done):
        return any(
            other.partner_id == line.partner_id and trace.get("contact", {}).get("before")
            for other, trace in done.items()
            if other != line
        )

    def _do_undo(self):
        self.ensure_one()
        lines = self._get_done_lines()
        done = [(line, line.trace.get("done", {})) for line in lines]
        self._undo_terms(done)
        self._undo_contacts(done)
        # sudo: rows are written by the import only
        for line, _trace in done:
            trace = {name: value for name, value in line.trace.items() if name != "done"}
            line.sudo().write({"is_done": False, "todo": False, "trace": trace})
        self._set_state("undone", date_done=False)
        self._internal_write({"result_file": False, "result_filename": False})

    def _undo_terms(self, done):
        record = self._as_worker()
        Term, Renewal = record.env["membri.cotisation"], record.env["membri.renewal"]
        renewals = Renewal.browse(
            trace["created_renewal"] for _line, trace in done if "created_renewal" in trace
        ).exists()
        renewals._set_state("cancelled")
        renewals.unlink()
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
        terms.unlink()
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
        for line, trace in reversed(done):
            partner = Partner.browse(line.partner_id.id).exists()
            if not partner or partner in created:
                continue
            for part in ("links", "contact"):
                if before := trace.get(part, {}).get("before"):
                    partner.write(before)
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
                created.unlink()
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
