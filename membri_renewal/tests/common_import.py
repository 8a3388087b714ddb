import base64
import io
from pathlib import Path

from .common import MembriCommon

EXAMPLES = Path(__file__).parents[2] / "docs" / "import"


class ImportCase(MembriCommon):
    """The manager imports lists; nothing is emailed."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env = cls.env(user=cls.manager)
        cls.Import = cls.env["membri.import"]

    @classmethod
    def _plan(cls, name, **vals):
        return cls._create_option_set(name, **vals)

    def _import(self, content, profile="free", filename="list.csv", plans=None, **vals):
        """:param content: the text or the bytes of the list
        :return: the ``membri.import``, previewed"""
        data = content.encode() if isinstance(content, str) else content
        record = self.Import.create(
            {
                "profile": profile,
                "file": base64.b64encode(data),
                "filename": filename,
                "option_set_map": {name: plan.id for name, plan in (plans or {}).items()},
                **vals,
            }
        )
        record.action_preview()
        return record

    def _import_example(self, name, profile, plans, **vals):
        path = EXAMPLES / name
        if not path.exists():
            self.skipTest("the documents are not beside the add-on")
        return self._import(path.read_bytes(), profile, name, plans, **vals)

    def _get_results(self, record):
        return [line.result for line in record.line_ids.sorted("row")]

    def _get_terms(self, record=None):
        """:return: ``[(member, plan, first day, last day, state)]`` that were imported"""
        terms = self.env["membri.cotisation"].search(
            [("company_id", "=", self.company.id)], order="partner_id, date_start"
        )
        if record:
            terms &= record.line_ids.cotisation_id
        return sorted(
            (
                term.partner_id.name,
                term.option_set_id.name,
                str(term.date_start),
                str(term.date_end or ""),
                term.state,
            )
            for term in terms
        )

    def _count(self):
        models = ("res.partner", "membri.cotisation", "membri.renewal", "mail.mail", "account.move")
        return {
            model: self.env_root[model].with_context(active_test=False).search_count([])
            for model in models
        }

    def _xlsx(self, rows):
        import openpyxl

        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        buffer = io.BytesIO()
        book.save(buffer)
        return buffer.getvalue()
