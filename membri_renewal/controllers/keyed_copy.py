from odoo import http
from odoo.exceptions import AccessError, MissingError
from odoo.http import content_disposition, request
from odoo.tools.pdf import merge_pdf

from odoo.addons.web.controllers.report import ReportController

from .portal_access import PRIVATE_HEADERS, browse_sudo


class MembriReportController(ReportController):
    """What the staff prints and posts has the keys that the user may hold; no such copy is
    kept."""

    @http.route()
    def report_routes(self, reportname, docids=None, converter=None, **data):
        # EXTENDS web
        response = super().report_routes(reportname, docids=docids, converter=converter, **data)
        if converter == "pdf":
            content = response.get_data()
            keyed = request.env["membri.renewal"]._insert_keys(content)
            if keyed is not content:
                response.set_data(keyed)
                response.headers.update(PRIVATE_HEADERS)
        return response

    @http.route(
        "/membri_renewal/letters/<int:attachment_id>", type="http", auth="user", methods=["GET"]
    )
    def print_letters(self, attachment_id, **kw):
        """The letters that the user has just printed, or all those of a job, in one file."""
        try:
            name, contents = self._get_letters(browse_sudo("ir.attachment", attachment_id))
        except (AccessError, MissingError):  # as what does not exist
            contents = []
        if not contents or not all(contents):
            raise request.not_found()
        content = merge_pdf(contents) if len(contents) > 1 else contents[0]
        content = request.env["membri.renewal"]._insert_keys(content)
        headers = {
            "Content-Type": "application/pdf",
            "Content-Length": len(content),
            "Content-Disposition": content_disposition(name),
            **PRIVATE_HEADERS,
        }
        return request.make_response(content, headers=list(headers.items()))

    def _get_letters(self, attachment_sudo):
        """:return: ``(name of the file, contents)``, nothing where it is no letter
        :raises AccessError: when the user may not have them"""
        if attachment_sudo.mimetype != "application/pdf":
            return "", []
        if attachment_sudo.res_model != "membri.bulk.job":
            attachment_sudo.sudo(False).check_access("read")
            return attachment_sudo.name, [attachment_sudo.raw]
        job = request.env["membri.bulk.job"].browse(attachment_sudo.res_id).exists()
        if not job:
            return "", []
        contents = job._get_letters_sudo().mapped("raw")
        return request.env["membri.renewal"]._get_letters_filename(job.done_count), contents
