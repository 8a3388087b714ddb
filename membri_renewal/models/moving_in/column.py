from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from .profiles import PROFILES
from .reading import normalize
from .targets import ALIASES, DATES_TELL, KINDS, STATUSES, VAGUE, YES

STATUS_CELLS = {*STATUSES, *DATES_TELL} - {"1"}
YES_OR_NO = {*YES, "no", "non", "false", "nein", "n", "0"}


class MembriImportColumn(models.Model):
    _name = "membri.import.column"
    _description = "Column of an Imported List"
    _inherit = "membri.fields.mixin"
    _order = "is_second_file, place, id"

    import_id = fields.Many2one("membri.import", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="import_id.company_id")
    place = fields.Integer(readonly=True, copy=False)
    is_second_file = fields.Boolean(string="In the Second File", readonly=True, copy=False)
    name = fields.Char(string="Column", readonly=True, copy=False)
    sample = fields.Char(string="Example", readonly=True, copy=False)
    target = fields.Selection(
        [
            ("external_id", "Record ID"),
            ("ref", "Member Number"),
            ("name", "Name"),
            ("first_name", "First Name"),
            ("last_name", "Last Name"),
            ("company", "Company"),
            ("is_company", "Is a Company"),
            ("email", "Email"),
            ("phone", "Phone"),
            ("street", "Street"),
            ("house_number", "House Number"),
            ("street2", "Street 2"),
            ("zip", "Postal Code"),
            ("city", "City"),
            ("state", "State or Province"),
            ("country", "Country"),
            ("lang", "Language"),
            ("website", "Website"),
            ("function", "Job Position"),
            ("notes", "Notes"),
            ("responsible", "Membership Contact"),
            ("responsible_email", "Email of the Membership Contact"),
            ("renewal_email", "Renewal Email"),
            ("archived", "Archived"),
            ("level", "Membership Plan"),
            ("date_start", "First Day"),
            ("date_end", "Last Day"),
            ("first_unpaid_day", "First Unpaid Day"),
            ("member_since", "Member Since"),
            ("status", "Status"),
            ("amount", "Amount"),
            ("agreed_price", "Agreed Price"),
            ("options", "Options and Prices"),
            ("auto_renew", "Automatic Renewal"),
            ("notice_date", "Renewal Notice Sent On"),
            ("renewal_state", "Open Renewal"),
            ("balance", "Open Balance"),
            ("date_left", "Left On"),
            ("date_deceased", "Deceased On"),
            ("owner", "Included in the Membership Of"),
            ("bundle", "Bundle"),
            ("enabled", "Has a Membership"),
            ("exempt", "Exempt from Fees"),
            ("term_id", "Term Number"),
            ("invoice_line", "Invoice Item (This Database)"),
        ],
        string="Read As",
        help="Leave empty to keep the column aside: it is shown with its row and changes nothing.",
    )

    def write(self, vals):
        self.import_id._check_source_may_change()
        result = super().write(vals)
        self.import_id._forget_stopped_preview()
        return result


class MembriImport(models.Model):
    """What each column of the list means: as the system calls it, as it was chosen for an
    earlier list, or as its name says."""

    _inherit = "membri.import"

    def _update_columns(self, headers, sample, *, is_second_file=False):
        """List the columns of a file; what was chosen by hand stays.

        :param headers: their names
        :param sample: the cells of the first row"""
        self.ensure_one()
        ours = self.column_ids.filtered(lambda c: c.is_second_file == is_second_file)
        if [column.name or "" for column in ours.sorted("place")] == headers:
            self._check_columns(ours, is_on_form=True)
            return
        ours.unlink()
        earlier = self._get_earlier_targets()
        targets = []
        for place, header in enumerate(headers):
            target = self._get_target(header, earlier)
            cell = normalize(sample[place]) if place < len(sample) else ""
            if target == "state" and cell in STATUS_CELLS:
                target = "status"  # “State” is either
            if target == "name" and cell in YES_OR_NO:
                target = False  # “Member” is either
            if target == "level" and normalize(header) == "type" and cell in KINDS:
                target = "is_company"  # “Type” is either
            targets.append(target)
        taken, vals_list = {}, []
        for header, target in sorted(
            zip(headers, targets, strict=True), key=lambda pair: normalize(pair[0]) in VAGUE
        ):
            # of two telephone columns the first counts; two of one name are a mistake
            taken.setdefault(target, normalize(header))
        for place, (header, target) in enumerate(zip(headers, targets, strict=True)):
            cell = sample[place] if place < len(sample) else ""
            if taken[target] != normalize(header):
                target = False
            vals_list.append(
                {
                    "import_id": self.id,
                    "place": place,
                    "is_second_file": is_second_file,
                    "name": header,
                    "sample": cell[:80],
                    "target": target or False,
                }
            )
        columns = self.env["membri.import.column"]._as_internal().create(vals_list)
        self.invalidate_recordset(["column_ids"])
        self._check_columns(columns.with_env(self.env))

    def _get_target(self, header, earlier):
        words = normalize(header)
        if words in earlier:
            return earlier[words]
        target = PROFILES[self.profile].get_column(words)
        return ALIASES.get(words, False) if target is False else target

    def _get_earlier_targets(self):
        """:return: ``{words of a header: what it was read as}`` of the last list of this kind"""
        columns = self.env["membri.import.column"].search(
            self._get_of_earlier_domain() & Domain("target", "!=", False), order="id"
        )
        return {normalize(column.name): column.target for column in columns}

    def _check_columns(self, columns, *, is_on_form=False):
        """:param is_on_form: whether they can be chosen there: those of a list that has just been
            refused cannot
        :raises UserError: when two columns are read as the same"""
        for target, same in columns.filtered("target").grouped("target").items():
            if len(same) < 2:
                continue
            labels = dict(same._fields["target"]._description_selection(self.env))
            told = {"first": same[0].name, "second": same[1].name, "target": labels[target]}
            raise UserError(
                self.env._(
                    "The columns “%(first)s” and “%(second)s” are both read as “%(target)s”. "
                    "Under “Columns”, read one of them as something else, or as nothing.",
                    **told,
                )
                if is_on_form
                else self.env._(
                    "The columns “%(first)s” and “%(second)s” are both read as “%(target)s”. "
                    "Rename or delete one of them in the list.",
                    **told,
                )
            )
