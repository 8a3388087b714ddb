from odoo import http
from odoo.http import content_disposition, request

from ..models.invoice.payment_report import FILE_MAX_SIZE
from .portal_access import (
    PRIVATE_HEADERS,
    MembriPortalAccess,
    clean_token,
    get_address,
    turn_away,
)

DOCUMENTS = {
    "card": "membri_renewal.action_report_membership_card",
    "attestation": "membri_renewal.action_report_attestation",
}
TOLD = ("method", "date", "amount", "reference", "message")
PERSON = ("name", "email", "phone", "message")
REPORT_FORM = "/my/membership/invoices/%s/announce"
PERSON_FORM = "/my/membership/%s/person"


class MembriPortalMembership(MembriPortalAccess):
    """*My membership*: standing, documents, invoices, and what a member may ask of the staff."""

    # ------------------------------------------------------------------
    # The page
    # ------------------------------------------------------------------

    def _prepare_home_portal_values(self, counters):
        # EXTENDS portal
        values = super()._prepare_home_portal_values(counters)
        if "membership_count" in counters:
            values["membership_count"] = len(self._get_own_terms_sudo())
        return values

    @http.route(
        "/my/membership", type="http", auth="user", methods=["GET"], website=True, readonly=True
    )
    def portal_my_membership(self, error=None, done=None, asked=None, **kw):
        values = {
            **self._prepare_portal_layout_values(),
            "page_name": "membership",
            "memberships": self._get_memberships(),
            "visitor": self._get_visitor_sudo(),
            "error": error,
            "asked": asked,
            "typed": self._take_typed(PERSON_FORM % asked) if asked else {},
            "done": done,
        }
        return self._render_private("membri_renewal.portal_my_membership", values)

    def _get_memberships(self):
        """Return one ``dict`` per organisation that the visitor has to do with: the members
        there that are the visitor's, each with their terms, and the invoices and notices."""
        partner_sudo = self._get_visitor_sudo()
        # sudo: of every organisation, whichever companies the account was made for; each
        # domain limits them to the visitor's own
        renewals_sudo = request.env["membri.renewal"].sudo()
        renewals_sudo = renewals_sudo.search(
            renewals_sudo._get_portal_domain(partner_sudo), order="date_sent desc, id desc"
        )
        invoices_sudo = (
            request.env["account.move"]
            .sudo()
            .search(
                partner_sudo._membri_get_portal_invoice_domain(),
                order="invoice_date desc, id desc",
            )
        )
        memberships = []
        for company, terms in self._get_own_terms_sudo().grouped("company_id").items():
            renewals = renewals_sudo.grouped("company_id").get(company, renewals_sudo.browse())
            invoices = invoices_sudo.grouped("company_id").get(company, invoices_sudo.browse())
            memberships.append(
                {
                    "company": company,
                    "members": [
                        {
                            "member": member.with_company(company),
                            "terms": member_terms,
                            "valid": member_terms.filtered(lambda term: term._is_valid_today()),
                            "renewal": renewals.filtered(
                                lambda r, member=member: r.partner_id == member and r.is_open
                            )[:1],
                        }
                        for member, member_terms in sorted(
                            terms.grouped("partner_id").items(),
                            key=lambda item: (item[0] != partner_sudo, item[0].name or ""),
                        )
                    ],
                    "renewals": renewals,
                    "invoices": invoices,
                }
            )
        return memberships

    # ------------------------------------------------------------------
    # Documents
    # ------------------------------------------------------------------

    @http.route(
        "/my/membership/<int:cotisation_id>/<any(card,attestation):document>",
        type="http",
        auth="user",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_membership_document(self, cotisation_id, document, **kw):
        """Only while the membership lasts: neither is a proof of anything afterwards."""
        term_sudo = self._get_own_term_sudo(cotisation_id)
        if not term_sudo or not term_sudo._is_valid_today():
            return request.redirect("/my/membership")
        title = {"card": request.env._("Card"), "attestation": request.env._("Certificate")}
        filename = f"{title[document]} {term_sudo._get_report_base_filename()}.pdf"
        return self._print_document(DOCUMENTS[document], term_sudo, filename)

    @http.route(
        "/my/membership/invoices/<int:invoice_id>/receipt",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_membership_receipt(self, invoice_id, access_token=None, **kw):
        move_sudo = self._find_document_sudo("account.move", invoice_id, access_token)
        if not move_sudo or not move_sudo._membri_has_receipt():
            return request.redirect("/my")
        filename = request.env._("Receipt %(invoice)s", invoice=move_sudo.name) + ".pdf"
        return self._print_document(
            "membri_renewal.action_report_membership_receipt", move_sudo, filename
        )

    def _print_document(self, report, record_sudo, filename):
        """:return: the PDF, in the language of the page on which it was asked for"""
        Report_sudo = request.env["ir.actions.report"].sudo()  # the caller has checked the access
        content, _type = (
            Report_sudo.with_company(record_sudo.company_id)
            .with_context(membri_print_lang=request.env.lang)
            ._render_qweb_pdf(report, record_sudo.ids)
        )
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "application/pdf"),
                ("Content-Length", len(content)),
                ("Content-Disposition", content_disposition(filename.replace("/", "-"))),
                *PRIVATE_HEADERS.items(),
            ],
        )

    @http.route(
        "/membership/verify/<string:code>",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        readonly=True,
        sitemap=False,
    )
    def portal_verify_card(self, code, **kw):
        """Whether a card is valid, and of which organisation: no name, no date, no number."""
        term_sudo = request.env["membri.cotisation"]._get_verified_sudo(code)
        response = request.render(
            "membri_renewal.portal_verify_card", {"company": term_sudo.company_id}
        )
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    # ------------------------------------------------------------------
    # I have already paid
    # ------------------------------------------------------------------

    @http.route(
        "/my/membership/invoices/<int:invoice_id>/paid",
        type="http",
        auth="public",
        methods=["GET"],
        website=True,
        readonly=True,
    )
    def portal_already_paid(self, invoice_id, access_token=None, error=None, done=None, **kw):
        move_sudo = self._find_document_sudo("account.move", invoice_id, access_token)
        if not move_sudo or not move_sudo.membri_invoice_type:
            return turn_away(access_token)
        may_act = self._may_answer(move_sudo, access_token)
        values = {
            "typed": self._take_typed(REPORT_FORM % invoice_id) if error else {},
            "page_name": "membership_paid",
            "move": move_sudo,
            "access_token": access_token,
            "res_company": move_sudo.company_id,
            "today": move_sudo.company_id._membri_today(),
            "may_announce": may_act and not move_sudo._membri_get_cannot_report(),
            "error": error,
            "done": done,
        }
        return self._render_private("membri_renewal.portal_already_paid", values)

    @http.route(
        "/my/membership/invoices/<int:invoice_id>/announce",
        type="http",
        auth="public",
        methods=["POST"],
        website=True,
    )
    def portal_announce_payment(self, invoice_id, access_token=None, document=None, **kw):
        move_sudo = self._find_document_sudo("account.move", invoice_id, access_token)
        if not move_sudo or not move_sudo.membri_invoice_type:
            return request.redirect("/my")
        error = "no_right"
        if self._may_answer(move_sudo, access_token):
            told = self._get_texts(kw, *TOLD)
            error = move_sudo._membri_report_payment(
                self._get_visitor_sudo(), told, self._read_upload(document)
            )
            if error:
                self._keep_typed(REPORT_FORM % invoice_id, told)
        return request.redirect(
            get_address(
                f"/my/membership/invoices/{invoice_id}/paid",
                access_token=clean_token(access_token),
                error=error,
                done=not error and "1",
            )
        )

    def _read_upload(self, document):
        """Return ``(file name, content)``, no more of it than is needed to see that it is too
        much; ``None`` when nothing was chosen."""
        if not hasattr(document, "filename") or not document.filename:
            return None
        content = document.read(FILE_MAX_SIZE + 1)
        return (document.filename, content) if content else None

    # ------------------------------------------------------------------
    # Another person in charge
    # ------------------------------------------------------------------

    @http.route(
        "/my/membership/<int:cotisation_id>/person",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_membership_person(self, cotisation_id, **kw):
        term_sudo = self._get_own_term_sudo(cotisation_id)
        if not term_sudo:
            return request.redirect("/my")
        member_sudo = term_sudo.partner_id.with_company(term_sudo.company_id)
        person = self._get_texts(kw, *PERSON)
        error = member_sudo._membri_portal_request_person(self._get_visitor_sudo(), person)
        if error:
            self._keep_typed(PERSON_FORM % cotisation_id, person)
        query = {"error": error, "asked": cotisation_id} if error else {"done": "person"}
        return request.redirect(get_address("/my/membership", **query))

    # ------------------------------------------------------------------
    # Automatic renewal, on and off
    # ------------------------------------------------------------------

    @http.route(
        "/my/membership/<int:cotisation_id>/auto_renew",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_membership_auto_renew(self, cotisation_id, is_on=None, **kw):
        term_sudo = self._get_own_term_sudo(cotisation_id)
        if not term_sudo or is_on not in ("0", "1"):
            return request.redirect("/my/membership")
        member_sudo = term_sudo.partner_id.with_company(term_sudo.company_id)
        error = member_sudo._membri_portal_set_auto_renew(self._get_visitor_sudo(), is_on == "1")
        return request.redirect(
            get_address("/my/membership", error=error, done=not error and "auto_renew")
        )
