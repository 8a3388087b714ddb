import gzip
import json
from tempfile import TemporaryFile

from odoo import models
from odoo.fields import Domain

from .membri_import import FOREGROUND_BYTES
from .reading import get_unpacked_size, is_packed, read_list, write_unpacked

# what a long spreadsheet is kept as while it is read, by the field of the file
UNPACKED = {"file": "list.jsonl.gz", "second_file": "memberships.jsonl.gz"}
PART_LINES = ("overview", "rows")  # of what is kept of each batch of the reading


class MembriImport(models.Model):
    """What is kept between the steps of the reading, until the preview is there."""

    _inherit = "membri.import"

    def _keep_file_sudo(self, name, raw):
        """Return the attachment (in sudo) that holds ``raw``, which is packed by gzip."""
        self.ensure_one()
        # sudo: of the import, whoever may write the attachments of others
        return (
            self.env["ir.attachment"]
            .sudo()
            .create(
                {
                    "name": name,
                    "res_model": self._name,
                    "res_id": self.id,
                    "mimetype": "application/gzip",
                    "raw": raw,
                }
            )
        )

    def _search_kept_sudo(self, domain):
        """Return what is kept (in sudo), of this import only, whatever the domain says."""
        self.ensure_one()
        own = Domain("res_model", "=", self._name) & Domain("res_id", "=", self.id)
        # sudo: see _keep_file_sudo
        return self.env["ir.attachment"].sudo().search(own & domain)

    # ------------------------------------------------------------------
    # What was read of each batch
    # ------------------------------------------------------------------

    def _count_read(self):
        return sum(rows for _attachment_id, rows in self.parts or ())

    def _keep_part(self, overview, rows):
        content = {"overview": overview, "rows": rows}
        # two lines: each is read without the other
        lines = "\n".join(json.dumps(content[name]) for name in PART_LINES)
        part_sudo = self._keep_file_sudo(
            f"{self._count_read()}.json.gz", gzip.compress(lines.encode(), 1)
        )
        self._internal_write({"parts": [*(self.parts or ()), [part_sudo.id, len(rows)]]})

    def _load_part(self, attachment_id, name):
        """:param name: ``overview`` or ``rows``"""
        part_sudo = self._search_kept_sudo(Domain("id", "=", attachment_id))
        return json.loads(gzip.decompress(part_sudo.raw).split(b"\n")[PART_LINES.index(name)])

    def _forget_parts(self):
        if self.parts:
            # sudo: see _keep_file_sudo
            self.env["ir.attachment"].sudo().browse(part[0] for part in self.parts).unlink()
            self._internal_write({"parts": False})

    # ------------------------------------------------------------------
    # Long spreadsheets
    # ------------------------------------------------------------------

    def _unpack_lists(self):
        """A long spreadsheet is read once, into a form that the steps of the reading pass over
        quickly: it can only be read from its beginning, which takes long.

        :return: how many rows were unpacked, 0 when there is nothing to unpack"""
        if self.profile == "odoo":
            return 0
        count = 0
        for name in self._get_file_fields():
            content, filename = self._get_content(name)
            if (
                not is_packed(content)
                or get_unpacked_size(self.env, content, filename) <= FOREGROUND_BYTES
                or self._search_unpacked_sudo(name)
            ):
                continue
            sheets = []
            with TemporaryFile() as target:
                headers, rows = read_list(self.env, content, filename, sheets)
                count += 1 + write_unpacked(target, headers, rows, sheets)
                target.seek(0)
                self._keep_file_sudo(UNPACKED[name], target.read())
        return count

    def _search_unpacked_sudo(self, *names):
        return self._search_kept_sudo(Domain("name", "in", [UNPACKED[name] for name in names]))

    def _forget_unpacked(self):
        self._search_unpacked_sudo(*UNPACKED).unlink()
