from urllib.parse import urlencode

from odoo import SUPERUSER_ID
from odoo.exceptions import AccessError, MissingError
from odoo.http import request
from odoo.tools import consteq

from odoo.addons.portal.controllers.portal import CustomerPortal

MAX_ID = 2**31 - 1  # of the database; addresses can hold any number
# the link lets one answer: it goes to no search engine, into no cache (and to no other site:
# models/ir_http.py)
PRIVATE_HEADERS = {
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store, private",
}
# of the session: what was typed in the last form that was refused
TYPED_KEY = "membri_renewal_typed"
TYPED_MAX_LENGTH = 2000


def clean_token(access_token):
    """Return the token, if it can be one: an uploaded file, or letters that ``consteq`` does
    not take, is a wrong token and no error."""
    usable = isinstance(access_token, str) and access_token.isascii()
    return access_token if usable else None


def has_token(document_sudo, access_token):
    """Return whether the visitor came with the token of this very document; no token never
    opens a document that has none."""
    token, own = clean_token(access_token), document_sudo.access_token
    return bool(token and own) and consteq(own, token)


def get_address(path, **query):
    """:return: ``path``, with those of ``query`` that have a value"""
    given = urlencode({name: value for name, value in query.items() if value})
    return f"{path}?{given}" if given else path


def browse_sudo(model, record_id):
    """:return: the record, nothing where none exists. Sudo: the caller checks the rights"""
    records_sudo = request.env[model].sudo()
    usable = isinstance(record_id, int) and 0 < record_id <= MAX_ID
    return records_sudo.browse(record_id).exists() if usable else records_sudo


def has_right(record_sudo, operation):
    """Return whether the visitor has a right, as in their own companies: the page is drawn in that
    of the document, where the rules of a login of another company cannot be asked."""
    # no sudo: the user's rights are asked
    record = record_sudo.with_user(request.env.user).with_context(allowed_company_ids=[])
    return record.has_access(operation)


def acts_by_right(document_sudo):
    """Return whether the visitor, signed in, acts on a document without its key: staff who may
    only look do not."""
    return has_right(document_sudo, "write" if request.env.user._is_internal() else "read")


def turn_away(access_token):
    """Whoever brought a key that opens nothing, of an older email perhaps, is told where to go on:
    the same whatever the key was, and whether there is such a document or not."""
    if not clean_token(access_token) or not request.env.user._is_public():
        return request.redirect("/my")
    query = urlencode({"redirect": request.httprequest.path})
    # sudo: whose name and logo the page bears, whatever the key was; of several, nobody's
    association_sudo = request.env["membri.option.set"].sudo().search([]).company_id
    response = request.render(
        "membri_renewal.portal_old_link",
        {
            "page_name": "membri_old_link",
            "sign_in_url": f"/web/login?{query}",
            "res_company": association_sudo
            if len(association_sudo) == 1
            else request.env.company.sudo(),
        },
    )
    response.headers.update(PRIVATE_HEADERS)
    return response


class MembriPortalAccess(CustomerPortal):
    """Who may see which record on the portal, and who may act on it."""

    def _get_page_view_values(self, document, *args, **kwargs):
        # EXTENDS portal, which links to the documents before and after this one, as the visitor's
        # list had them, with their tokens, made in sudo. Who is signed in needs none, and who may
        # only look gets none
        values = super()._get_page_view_values(document, *args, **kwargs)
        if document._name in ("account.move", "membri.renewal"):
            for name in ("prev_record", "next_record"):
                if isinstance(values.get(name), str):
                    values[name] = values[name].partition("?")[0]
        return values

    def _document_check_access(self, model_name, document_id, access_token=None):
        # EXTENDS portal, which works in the name of the superuser: what staff who may only look
        # is shown is shown to them, without keys
        if isinstance(document_id, int) and document_id > MAX_ID:
            raise MissingError(request.env._("This document does not exist."))
        return self._as_shown(
            super()._document_check_access(model_name, document_id, clean_token(access_token))
        )

    def _create_or_update_address(self, partner_sudo, *args, **form_data):
        # EXTENDS portal, which checks nothing if the browser says so, and gives the company of a
        # contact the name that is typed there
        if isinstance(form_data.get("verify_address_values"), str):
            del form_data["verify_address_values"]
        contact_sudo = partner_sudo or self._get_visitor_sudo()
        company_sudo = contact_sudo.commercial_partner_id
        name = form_data.get("company_name")
        if (
            isinstance(name, str)
            and name.strip() not in ("", (company_sudo.name or "").strip())
            and company_sudo.is_company
            and company_sudo != contact_sudo
            and not company_sudo._membri_is_open_to_current_customer()
        ):
            sentence = request.env._("Contact us to change the name of the company.")
            return partner_sudo, {"invalid_fields": ["company_name"], "messages": [sentence]}
        return super()._create_or_update_address(partner_sudo, *args, **form_data)

    def _as_shown(self, document_sudo):
        """:param document_sudo: what the visitor may see, in the name of the superuser
        :return: the same; in the visitor's name where that is staff who may only look"""
        user = request.env.user
        only_looks = False
        if document_sudo._name == "membri.renewal":
            only_looks = user._is_internal() and not acts_by_right(document_sudo)
        elif document_sudo._name == "account.move":
            only_looks = document_sudo.with_user(user)._membri_reads_as_reader()
        # sudo: the caller has checked the access, or the key
        return document_sudo.with_user(user).sudo() if only_looks else document_sudo

    def _find_document_sudo(self, model, record_id, access_token=None):
        """Return the record, in sudo and in its own company, if the visitor may see it by
        their rights or by its token; else nothing: what does not exist and what is not theirs
        look the same."""
        document_sudo = browse_sudo(model, record_id)
        if not document_sudo:
            return document_sudo
        # the key first: Odoo first asks for rights, and words the refusal that nobody reads
        if has_token(document_sudo, access_token):
            document_sudo = self._as_shown(document_sudo.with_user(SUPERUSER_ID))
        else:
            try:
                document_sudo = self._document_check_access(model, record_id)
            except (AccessError, MissingError):
                return document_sudo.browse()
        return document_sudo.with_company(document_sudo.company_id)

    def _may_answer(self, document_sudo, access_token):
        """Members act by the link that they were sent, or logged in. Staff who may change the
        record may do it here too; those who may only look may not."""
        user = request.env.user
        if has_token(document_sudo, access_token):
            return True
        if user._is_internal():
            return acts_by_right(document_sudo)
        return not user._is_public()

    def _get_visitor_sudo(self):
        """:return: the visitor's contact, nobody for who came by a link. Sudo: it is their own"""
        user_sudo = request.env.user.sudo()
        return user_sudo.partner_id.browse() if user_sudo._is_public() else user_sudo.partner_id

    def _get_own_terms_sudo(self):
        """Return the visitor's own terms in every organisation. Sudo: cotisations are the
        staff's; the domain limits them to what is the visitor's."""
        Cotisation_sudo = request.env["membri.cotisation"].sudo()
        return Cotisation_sudo.search(
            Cotisation_sudo._get_portal_domain(request.env.user.partner_id)
        )

    def _get_own_term_sudo(self, cotisation_id):
        """:return: the term, if it is one of the visitor's own, else nothing"""
        return self._get_own_terms_sudo().filtered(lambda term: term.id == cotisation_id)

    def _render_private(self, template, values):
        """:return: a page that goes to no search engine and into no cache"""
        response = request.render(template, values)
        response.headers.update(PRIVATE_HEADERS)
        return response

    def _show_copy(self, document_sudo, access_token, report_ref, download):
        """:return: the PDF of a document; whoever came with its key gets it back"""
        response = self._show_report(
            model=document_sudo, report_type="pdf", report_ref=report_ref, download=download
        )
        return self._put_keys(response, document_sudo, access_token)

    def _put_keys(self, response, document_sudo, access_token):
        """Draw into a PDF the codes and the key that the visitor came with, or may hold."""
        brought_sudo = document_sudo.filtered(lambda document: has_token(document, access_token))
        content = request.env["membri.renewal"]._insert_keys(response.get_data(), brought_sudo)
        response.set_data(content)
        response.headers.update(PRIVATE_HEADERS)
        return response

    def _keep_typed(self, form, texts):
        """What was typed in a form that is refused is there again when its page is shown.

        :param form: the path that the form is sent to
        :param texts: ``{name: text}``, of which no more is kept than the form takes"""
        kept = {name: text[:TYPED_MAX_LENGTH] for name, text in texts.items()}
        request.session[TYPED_KEY] = {"form": form, "texts": kept}

    def _take_typed(self, form):
        """:return: ``{name: text}`` of what was typed in ``form`` and refused: once"""
        typed = request.session.pop(TYPED_KEY, {})
        return typed["texts"] if typed.get("form") == form else {}

    def _get_texts(self, form, *names):
        """:return: ``{name: text}`` of a form that anybody may have filled in with anything"""
        return {name: form[name] if isinstance(form.get(name), str) else "" for name in names}
