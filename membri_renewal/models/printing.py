from odoo import api, models
from odoo.exceptions import UserError


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

    def _membri_print(self, report_ref, records):
        """Print many documents in one call of wkhtmltopdf.

        :return: ``{record: bytes}``
        :raises NotPrinted: when one of them could not be made
        """
        content, report_type = self._pre_render_qweb_pdf(report_ref, res_ids=records.ids)
        contents = self._get_splitted_report(report_ref, content, report_type)
        return {record: self._membri_check_pdf(contents.get(record.id), None) for record in records}


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
