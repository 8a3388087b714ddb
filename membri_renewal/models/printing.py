from odoo import api, models
from odoo.exceptions import UserError

from .renewal.proposal import PageMemo


class NotPrinted(UserError):
    """A document could not be made: what it was for is not sent, and not done."""


class IrActionsReport(models.Model):
    """wkhtmltopdf may end without a word and without a document. What we print, and what Odoo
    prints of our invoices, is looked at before anybody sends or files it."""

    _inherit = "ir.actions.report"

    @api.model
    def _membri_check_pdf(self, content, report_type="pdf"):
        """The one place that tells a document from nothing.

        :param content: bytes of one document
        :param report_type: what the report engine says that it made; ``html`` in Odoo's tests
        :return: ``content``
        :raises NotPrinted: when it is empty, or no PDF
        """
        if content and (report_type != "pdf" or bytes(content[:5]) == b"%PDF-"):
            return content
        raise NotPrinted(
            self.env._(
                "The document could not be printed: the PDF printer (wkhtmltopdf) "
                "returned nothing usable. Nothing was sent. Try again. If it fails again, "
                "ask your administrator to check the server's PDF printer."
            )
        )

    @api.model
    def _run_wkhtmltopdf(self, bodies, *args, **kwargs):
        # EXTENDS base: it ends with 1 for a warning, and for no output at all
        return self._membri_check_pdf(super()._run_wkhtmltopdf(bodies, *args, **kwargs))

    def _get_splitted_report(self, report_ref, content, report_type):
        # EXTENDS account: one document of many
        contents = super()._get_splitted_report(report_ref, content, report_type)
        for document in contents.values():
            self._membri_check_pdf(document, report_type)
        return contents

    def _render_qweb_pdf(self, report_ref, res_ids=None, data=None):
        # EXTENDS base: documents in one file
        content, report_type = super()._render_qweb_pdf(report_ref, res_ids=res_ids, data=data)
        return self._membri_check_pdf(content, report_type), report_type

    @api.model
    def _membri_print(self, report_ref, records):
        """Print many documents in one call of wkhtmltopdf for each company, whose letterhead and
        paper they are printed on.

        :return: ``{record: bytes}``
        :raises NotPrinted: when one of them could not be made
        """
        contents = {}
        for company, documents in records.grouped("company_id").items():
            # sudo: a member who answers on the portal may cause a document, too
            report_sudo = self.sudo().with_company(company).with_context(membri_page=PageMemo())
            content, report_type = report_sudo._pre_render_qweb_pdf(
                report_ref, res_ids=documents.ids
            )
            found = report_sudo._get_splitted_report(report_ref, content, report_type)
            for document in documents:
                contents[document] = self._membri_check_pdf(found.get(document.id), None)
        return contents

    @api.model
    def _membri_attach(self, contents, get_filename):
        """:param contents: ``{record: bytes}``, printed ones, or as they were stored
        :param get_filename: function from a record to the name of its file
        :return: ``{record: ir.attachment}``, one insert for all of them"""
        # sudo: what was printed for the system; who reads it is its record's
        attachments_sudo = (
            self.env["ir.attachment"]
            .sudo()
            .create(
                [
                    {
                        "name": get_filename(record),
                        "raw": self._membri_check_pdf(content, None),
                        "mimetype": "application/pdf",
                        "res_model": record._name,
                        "res_id": record.id,
                    }
                    for record, content in contents.items()
                ]
            )
        )
        return dict(zip(contents, attachments_sudo, strict=True))


class AccountMoveSend(models.AbstractModel):
    _inherit = "account.move.send"

    @api.model
    def _prepare_invoice_pdf_report(self, invoices_data):
        # EXTENDS account: an invoice that cannot be printed stops no other, and is not sent
        try:
            return super()._prepare_invoice_pdf_report(invoices_data)
        except NotPrinted as error:
            failure = error
        if len(invoices_data) > 1:
            for invoice, invoice_data in invoices_data.items():
                self._prepare_invoice_pdf_report({invoice: invoice_data})
            return None
        for invoice, invoice_data in invoices_data.items():
            invoice_data["error"] = {"error_title": str(failure), "errors": []}
            # sudo: whoever sends an invoice need not see the renewals that it is of
            invoice.sudo().membri_cotisation_ids.renewal_id._mark_failed(str(failure))
        return None
