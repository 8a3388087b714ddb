import base64
import binascii
import time
from collections import Counter
from itertools import accumulate, chain, islice

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import SQL, split_every

from .cells import clean_identifier
from .membri_import import FOREGROUND_BYTES, FOREGROUND_PREVIEW
from .profiles import PROFILES
from .reading import check_size, get_unpacked_size, normalize, read_list, read_unpacked
from .row import WHO, RowReader
from .targets import IDENTIFIERS

BATCH, PREVIEW_BATCH = 500, 10_000
# titles may stand above the names of the columns
HEAD_ROWS, ENOUGH_NAMES = 15, 3
# how long one step of the reading goes on: the next one opens the file again
READ_SECONDS = 20
RESULT_COUNTS = ("new_count", "same_count", "differs_count", "skipped_count", "error_count")


class MembriImport(models.Model):
    """The dry run: the list is read for what concerns all rows, then each row is looked at, both
    in batches: a long one fills neither the memory nor the time that a worker has."""

    _inherit = "membri.import"

    def _do_preview(self):
        """Read the list, then look at each of its rows: now, or of a long list in the
        background."""
        self.ensure_one()
        record = self._as_worker()
        count = record._count_rows(FOREGROUND_PREVIEW)
        if record.state == "done":
            record._keep_earlier_run()
        record._forget_preview()
        self._set_state(
            "running", task="preview", problem=False, is_run_next=False, user_id=self.env.uid
        )
        self._work_or_queue(count, FOREGROUND_PREVIEW)

    def _count_rows(self, limit):
        """:return: how many rows there are, up to about ``limit``: the user waits for it
        :raises UserError: when this is no list"""
        names = self._get_file_fields()
        if self.profile != "odoo":
            contents = [self._get_content(name) for name in names]
            sizes = [get_unpacked_size(self.env, *content) for content in contents]
            if sum(sizes) > FOREGROUND_BYTES:
                return limit + 1
        return sum(sum(1 for _row in islice(self._read(name)[1], limit + 1)) for name in names)

    def _preview_batch(self):
        """Read the next rows of the list or, once all are read, look at the next ones.

        :return: how many"""
        if self.overview and not self.parts:  # begun by an earlier version of the add-on
            self._forget_preview()
        count = self._look_at_batch() if self.overview else self._read_batch()
        self.env.flush_all()
        self.env.invalidate_all()  # a long list does not fill the memory
        return count

    def _read_batch(self):
        """Keep the next rows as they are, and what they tell of all rows. Each step passes over the
        rows of those before: it goes on for a while, so that there are few.

        :return: how many"""
        done, told = self._count_read(), {}
        if not done:
            if count := self._unpack_lists():
                return count
            told["header_row"] = self._read_headers()
            if not self._is_anybody_named():
                self._ask_who_rows_are_about()
                return 0
        sheets = []
        iterator = self._iterate_rows(done, sheets)
        until, count = time.monotonic() + READ_SECONDS, 0
        while rows := list(islice(iterator, PREVIEW_BATCH)):
            self._keep_part({**self._overlook(rows), **told}, rows)
            count += len(rows)
            if time.monotonic() >= until:
                break
        if not done and not count:
            raise UserError(
                self.env._("“%(file)s” has no row below the names of the columns.", file=self.name)
            )
        # at its end the names of the sheets are known that are not read
        if next(iterator, None) is None:
            self._finish_reading(sheets)
        return count

    def _finish_reading(self, sheets):
        """:param sheets: names of those that are not read"""
        overview = self._merge_overviews(
            self._load_part(attachment_id, "overview") for attachment_id, _rows in self.parts
        )
        self._forget_unpacked()
        self._update_levels(overview.pop("levels"))
        self._internal_write(
            {
                "overview": {**overview, "sheets": sheets},
                "date_reading": self._get_date_reading(overview),
                "is_date_order_asked": overview["is_date_order_asked"],
            }
        )

    def _look_at_batch(self):
        """Say of the next rows what would become of them.

        :return: how many"""
        overview, done = self.overview, self.previewed_count  # which is copied at each look
        starts = accumulate((count for _attachment_id, count in self.parts), initial=0)
        begins = zip(starts, self.parts, strict=False)  # the last one is where they end
        attachment_id = next(part[0] for start, part in begins if start == done)
        rows = self._load_part(attachment_id, "rows")
        for batch in split_every(BATCH, rows, list):
            self._create_lines(batch, overview)
            self.env.flush_all()
            self.env["membri.import.line"].invalidate_model()
        self._internal_write({"previewed_count": done + len(rows)})
        if done + len(rows) >= overview["rows"]:
            self._forget_parts()
            self._set_state("previewed")
            if self.is_run_next:
                self._internal_write({"is_run_next": False})
                self._do_run()
        return len(rows)

    # ------------------------------------------------------------------
    # From the beginning
    # ------------------------------------------------------------------

    def _forget_preview(self):
        """Nothing has been read, and no row been looked at."""
        self._forget_parts()
        self._forget_unpacked()
        self._execute_on_lines(SQL("DELETE FROM membri_import_line WHERE import_id = %s", self.id))
        self._internal_write(
            {
                "overview": False,
                "previewed_count": 0,
                "date_reading": False,
                "is_date_order_asked": False,
                "result_file": False,
                "result_filename": False,
            }
        )

    def _execute_on_lines(self, statement):
        """Change all rows in one statement: the user waits, with hundreds of thousands.

        :return: how many were changed"""
        Line = self.env["membri.import.line"]
        Line.flush_model()
        self.env.cr.execute(statement)
        count = self.env.cr.rowcount
        Line.invalidate_model(flush=False)
        self.invalidate_recordset(
            ["line_ids", "total_count", "todo_count", "progress", "totals", *RESULT_COUNTS],
            flush=False,
        )
        return count

    def _as_worker(self):
        """Return ``self`` in the company of the import, and silent: nobody is mailed, and
        nothing is logged for each contact."""
        self.ensure_one()
        return self.with_company(self.company_id).with_context(
            allowed_company_ids=self.company_id.ids,
            tracking_disable=True,
            mail_create_nolog=True,
            mail_create_nosubscribe=True,
            mail_auto_subscribe_no_notify=True,
            mail_activity_quick_update=True,
            mail_notify_force_send=False,
            no_reset_password=True,
        )

    def _keep_earlier_run(self):
        """Another file is about to be looked at: what was done with the one before it stays
        undoable, in a record of its own."""
        earlier = self._as_internal().create(
            {
                "name": self.name,
                "company_id": self.company_id.id,
                "profile": self.profile,
                "filename": self.filename,
                "user_id": self.user_id.id,
                "state": "done",
                "date_done": self.date_done,
                "header": self.header,
            }
        )
        self._execute_on_lines(
            SQL(
                "UPDATE membri_import_line SET import_id = %s WHERE import_id = %s",
                earlier.id,
                self.id,
            )
        )
        earlier.invalidate_recordset(flush=False)
        for level in self.level_ids:
            level._as_internal().copy({"import_id": earlier.id})

    # ------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------

    def _has_second(self):
        return PROFILES[self.profile].has_second_file and bool(self.second_file)

    def _get_file_fields(self):
        """:return: names of the fields whose files are read"""
        return ("file", "second_file") if self._has_second() else ("file",)

    def _get_content(self, name):
        """:param name: of the field of the file
        :return: its bytes and what it is called"""
        filename = self.filename if name == "file" else self.second_filename
        filename = filename or self.env._("List")
        data = self.with_context(bin_size=False)[name] or b""
        check_size(self.env, len(data) * 3 // 4, filename)
        try:
            return base64.b64decode(data), filename
        except (binascii.Error, ValueError) as error:
            raise UserError(
                self.env._("“%(file)s” is damaged. Choose the file again.", file=filename)
            ) from error

    def _read(self, name, sheets=None):
        """:param name: of the field of the file
        :param sheets: see :func:`read_list`
        :return: as :func:`read_list`, without the titles above the names of the columns"""
        self.ensure_one()
        return self._read_named(name, sheets)[:2]

    def _read_named(self, name, sheets=None):
        """See :meth:`_read`: with the number of the row of names, 0 for the first one"""
        if self.profile == "odoo":
            return *self._read_odoo_tables(), 0
        return self._skip_titles(*self._open(name, sheets))

    def _open(self, name, sheets=None):
        """See :meth:`_read`: with the titles that stand above"""
        if unpacked_sudo := self._search_unpacked_sudo(name):
            return read_unpacked(unpacked_sudo.raw, sheets)
        content, filename = self._get_content(name)
        return read_list(self.env, content, filename, sheets)

    def _skip_titles(self, headers, rows):
        """People write titles, and names of groups of columns, above the names of the columns:
        these are the first row of which most is known.

        :return: names of the columns, iterator of the rows below, and the number of the row of
            names, 0 for the first one"""

        def count_known(cells, earlier=()):
            targets = {self._get_target(cell, earlier) for cell in cells if cell} - {False, None}
            return len(targets) if targets & WHO else 0

        if count_known(headers) >= ENOUGH_NAMES:
            return headers, rows, 0
        earlier = self._get_earlier_targets()
        head = list(islice(rows, HEAD_ROWS))
        counts = [
            count_known(cells, earlier) for cells in (headers, *(cells for _row, cells in head))
        ]
        best = max(range(len(counts)), key=counts.__getitem__)  # the first of equals
        if not best or counts[best] < 2:
            return headers, chain(head, rows), 0
        number, names = head[best - 1]
        while not names[-1]:
            names = names[:-1]
        return list(names), chain(head[best:], rows), number

    def _read_headers(self):
        """Say what each column is read as.

        :return: the number of the row of names, 0 for the first one"""
        headers, header_row = [], 0
        for name in self._get_file_fields():
            names, rows, number = self._read_named(name)
            header_row = header_row or number
            _number, sample = next(rows, (0, []))
            self._update_columns(names, sample, is_second_file=name == "second_file")
            headers += names
        self._internal_write({"header": headers})
        return header_row

    def _is_anybody_named(self):
        """:return: whether a column says who each row is about"""
        return not (WHO - {"first_name"}).isdisjoint(self.column_ids.mapped("target"))

    def _ask_who_rows_are_about(self):
        """Back to the first step, with the columns, where a person says what each one is.

        :raises UserError: when there is but one, which is what a text looks like"""
        if len(self.header) < 2:
            raise UserError(
                self.env._(
                    "No column in “%(file)s” says who each row is about: a name, an email or a "
                    "number. Check that the first row has the names of the columns.",
                    file=self.filename or "",
                )
            )
        sentence = self.env._(
            "No column in “%(file)s” is known to say who each row is about. Choose under “Columns” "
            "which one is the name, the email or a number, then preview the list again. If the "
            "first row is a member, add a row with the names of the columns above it.",
            file=self.filename or "",
        )
        self._forget_preview()
        self._set_state("draft", problem=sentence, is_run_next=False)

    def _get_places(self, *, is_second_file=False):
        """:return: ``{place in the row: target}`` of one file"""
        return {
            column.place: column.target
            for column in self.column_ids
            if column.is_second_file == is_second_file and column.target
        }

    @staticmethod
    def _get_targets(places, cells):
        return {
            target: clean_identifier(cells[place]) if target in IDENTIFIERS else cells[place]
            for place, target in places.items()
            if place < len(cells) and cells[place]
        }

    def _iterate_rows(self, start=0, sheets=None):
        """:param start: how many rows are passed over
        :param sheets: see :func:`read_list`
        :return: iterator of ``(row, its cells, {target: text})``; with a second file, one for each
            of its rows, with what the first one says of the contact"""
        if self._has_second():
            return islice(self._iterate_joined_rows(sheets), start, None)
        places = self._get_places()
        return (
            (number, cells, self._get_targets(places, cells))
            for number, cells in islice(self._read("file", sheets)[1], start, None)
        )

    def _iterate_joined_rows(self, sheets=None):
        headers, rows = self._read("file", sheets)
        places = self._get_places()
        contacts, keys_of = {}, {}
        for number, cells in rows:
            targets = self._get_targets(places, cells)
            contacts[number] = (cells, targets)
            for key in (targets.get("external_id"), targets.get("email", "").casefold()):
                if key:
                    keys_of.setdefault(key, number)
        second_places = self._get_places(is_second_file=True)
        by_own_name = self._get_rows_by_id(contacts)
        alone = set(contacts)
        blank = [""] * len(headers)
        for number, cells in self._read("second_file", sheets)[1]:
            targets = self._get_targets(second_places, cells)
            keys = (targets.get("external_id"), targets.get("email", "").casefold())
            found = by_own_name.get(targets.get("external_id"))
            owner = found or next((keys_of[key] for key in keys if key in keys_of), None)
            alone.discard(owner)
            contact_cells, contact = contacts.get(owner, ([], {}))
            yield (
                number,
                (contact_cells + blank)[: len(headers)] + cells,
                {**targets, **contact},
            )
        for number in sorted(alone):
            yield number, *contacts[number]

    def _get_rows_by_id(self, contacts):
        """The list of memberships may name contacts by another of their two IDs than the one that
        we go by: by the column of the same name then.

        :param contacts: ``{number of the row: (cells, targets)}`` of the first file
        :return: ``{ID: number of the row}``"""
        ids = self.column_ids.filtered(lambda c: c.is_second_file and c.target == "external_id")
        same = self.column_ids.filtered(
            lambda c: (
                not c.is_second_file and normalize(c.name) in map(normalize, ids.mapped("name"))
            )
        )[:1]
        return {
            clean_identifier(cells[same.place]): number
            for number, (cells, _targets) in contacts.items()
            if same and same.place < len(cells) and cells[same.place]
        }

    # ------------------------------------------------------------------
    # What concerns all rows
    # ------------------------------------------------------------------

    def _overlook(self, rows):
        """:param rows: as :meth:`_iterate_rows` gives them
        :return: dict, as JSON has it: what some rows tell of all, for :meth:`_merge_overviews`"""
        profile = PROFILES[self.profile]
        reader = RowReader(self.env, profile, self.date_order)
        levels, proofs, owners, names, starts = Counter(), {}, {}, {}, {}
        wanted, refs, columns = set(), {}, set(self.column_ids.mapped("target"))
        # only then all names are kept in memory
        has_owners = bool({"owner", "bundle"} & columns)
        has_two_numbers = {"external_id", "ref"} <= columns
        for number, _cells, targets in rows:
            for order, text in reader.get_proofs(targets).items():
                proofs.setdefault(order, (number, text))
            values, _problems, _remarks = reader.read_row(targets)
            key, keys = values["key"], values["keys"]
            if values["has_term"]:
                levels[values["level"]] += 1
            if has_owners:
                for name in self._get_owner_names(values):
                    owners.setdefault(name, key)
            wanted.add(values["owner"])
            if "email" in keys:
                names.setdefault(keys["email"], set()).add(keys.get("name", ""))
            if has_two_numbers and "ref" in keys:
                refs.setdefault(keys["ref"], set()).add(key)
            if profile.is_row_payment and targets.get("date_start"):
                starts.setdefault(key, []).append(targets["date_start"])
        return {
            "rows": len(rows),
            "levels": levels,
            "proofs": proofs,
            "has_ambiguous": reader.has_ambiguous,
            "owners": owners,
            "wanted": sorted(wanted),
            "names": {email: sorted(whose) for email, whose in names.items()},
            "refs": {ref: sorted(whose) for ref, whose in refs.items()},
            "starts": starts,
        }

    def _merge_overviews(self, parts):
        """:param parts: what :meth:`_overlook` says of some rows, in their order
        :return: dict: how many ``rows``, the names of plans (``levels``), how days and
            months are in order (``order``, ``proofs``), whose membership others are part
            of (``owners``), which emails and numbers several have (``shared_emails``,
            ``shared_refs``), and the first days of each member (``starts``)"""
        levels, proofs, owners, names, starts = Counter(), {}, {}, {}, {}
        wanted, count, has_ambiguous, header_row, refs = set(), 0, False, 0, {}
        for part in parts:
            count += part["rows"]
            header_row = header_row or part.get("header_row", 0)
            levels.update(part["levels"])
            has_ambiguous = has_ambiguous or part["has_ambiguous"]
            wanted.update(part["wanted"])
            for order, proof in part["proofs"].items():
                proofs.setdefault(order, proof)
            for name, key in part["owners"].items():
                owners.setdefault(name, key)
            for email, whose in part["names"].items():
                names.setdefault(email, set()).update(whose)
            for ref, whose in part.get("refs", {}).items():
                refs.setdefault(ref, set()).update(whose)
            for key, days in part["starts"].items():
                starts.setdefault(key, []).extend(days)
        order = self.date_order or (next(iter(proofs)) if len(proofs) == 1 else False)
        return {
            "rows": count,
            "header_row": header_row,
            "levels": levels,
            "order": order,
            "proofs": proofs,
            "is_date_order_asked": not order and has_ambiguous,
            "owners": {name: key for name, key in owners.items() if name in wanted},
            "shared_emails": [email for email, whose in names.items() if len(whose) > 1],
            "shared_refs": [ref for ref, whose in refs.items() if len(whose) > 1],
            "starts": starts,
        }

    @staticmethod
    def _get_owner_names(values):
        """Return an iterator of what other rows may call the member of this one, when they are
        included in its membership."""
        keys = values["keys"]
        if number := values["term_id"]:
            yield f"term:{number}"
        if external := keys.get("external"):
            yield f"id:{external}"
        if values["level"]:
            # of one bundle all name its number, or the ID or the email of whoever has it
            for bundle in (values["bundle"], external, keys.get("email")):
                if bundle:
                    yield f"bundle:{bundle.casefold()}"
        if values["has_term"]:
            for name in (external, keys.get("ref"), values["contact"].get("name")):
                if name:
                    yield name

    def _get_date_reading(self, overview):
        order, proofs = overview["order"], overview["proofs"]
        labels = dict(self._fields["date_order"]._description_selection(self.env))
        if overview["is_date_order_asked"] and len(proofs) > 1:
            return self.env._(
                "Some dates have the day first (%(day_first)s, row %(day_row)s), others the month "
                "(%(month_first)s, row %(month_row)s). Choose how the others are to be read.",
                day_first=proofs["dmy"][1],
                day_row=proofs["dmy"][0],
                month_first=proofs["mdy"][1],
                month_row=proofs["mdy"][0],
            )
        if overview["is_date_order_asked"]:
            return self.env._(
                "Dates such as 01/02/2027 can be read in two ways, and no other date of the list "
                "shows which. Choose “Day First” or “Month First”."
            )
        if self.date_order:
            return self.env._("As chosen: %(order)s.", order=labels[self.date_order])
        if order:
            row, text = proofs[order]
            return self.env._(
                "%(order)s, as %(text)s in row %(row)s shows.",
                order=labels[order],
                text=text,
                row=row,
            )
        return self.env._("Each date can be read in one way only.")

    # ------------------------------------------------------------------
    # Row by row
    # ------------------------------------------------------------------

    def _create_lines(self, batch, overview):
        """:param batch: rows, as :meth:`_iterate_rows` gives them
        :return: their lines, with what they say (``values`` of ``trace``) and what becomes of
            them, after those before them; of those that cannot be read, why"""
        reader = RowReader(self.env, PROFILES[self.profile], overview["order"] or None)
        overview = {**overview, "shared_emails": set(overview["shared_emails"])}
        shared_refs = set(overview.get("shared_refs", ()))
        headers = self.header or []
        taken = {
            column.place + (0 if not column.is_second_file else self._get_first_width())
            for column in self.column_ids
            if column.target
        }
        vals_list = []
        for number, cells, targets in batch:
            values, problems, remarks = reader.read_row(targets)
            if len(cells) > len(headers) and any(cells[len(headers) :]):
                problems.append(
                    self.env._("The row has more cells than there are names of columns.")
                )
            if (ref := values["contact"].get("ref")) in shared_refs:
                remarks.append(
                    self.env._("Several members of the list have the number %(ref)s.", ref=ref)
                )
            self._complete_values(values, reader, overview)
            vals_list.append(
                {
                    "import_id": self.id,
                    "row": number,
                    "name": values["contact"].get("name") or values["key"] or "",
                    "key": values["key"],
                    "term_key": values["term_id"] or False,
                    "cells": cells,
                    "aside": {
                        headers[place] or str(place + 1): cell
                        for place, cell in enumerate(cells)
                        if cell and place < len(headers) and place not in taken
                    },
                    "amount": values["amount"] or values["agreed"] or 0.0,
                    "trace": {"values": values, "remarks": remarks},
                    "is_unread": bool(problems),
                    "result": "error" if problems else False,
                    "message": " ".join(problems) or False,
                }
            )
        traces = {
            place: vals["trace"] for place, vals in enumerate(vals_list) if not vals["is_unread"]
        }
        memory = self._get_told({vals["key"] for vals in vals_list})
        for place, decision in self._decide(traces, memory).items():
            vals_list[place].update(self._prepare_line_vals(decision))
            vals_list[place]["is_unread"] = decision.is_stranger
        # sudo: rows are written by the import only
        return self.env["membri.import.line"].sudo().create(vals_list).sudo(False)

    def _get_first_width(self):
        return len(self.column_ids.filtered(lambda column: not column.is_second_file))

    def _complete_values(self, values, reader, overview):
        """What a row can only say together with the others."""
        if self.profile == "odoo":
            values["partner_id"] = int(values["keys"].pop("external"))
        values["is_email_shared"] = values["keys"].get("email") in overview["shared_emails"]
        if owner := values["owner"]:
            values["owner_key"] = overview["owners"].get(owner, "")
        if starts := overview["starts"].get(values["key"]):
            days = sorted({reader.read_day(text) for text in starts} - {None})
            later = [day.isoformat() for day in days if day.isoformat() > values["start"]]
            if later and values["start"]:
                # the member's last day is on all rows: it is that of the last payment
                values["end"], values["next_start"] = "", later[0]
