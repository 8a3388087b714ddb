from urllib.parse import parse_qs, urlparse

from odoo import http
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user

from .common import MembriCommon

SECRET = "Bad payer: call the lawyer"


class PortalCase(MembriCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company.membri_portal_decline = True
        cls.corporation = cls._create_member("Boulanger Ltd", is_company=True)
        cls.member.parent_id = cls.corporation
        cls.colleague = cls._create_member("Carl Colleague", parent_id=cls.corporation.id)
        cls.stranger = cls._create_member("Sam Stranger")
        cls.member_user = cls._create_portal_user("member_user", cls.member)
        cls.colleague_user = cls._create_portal_user("colleague_user", cls.colleague)
        cls.stranger_user = cls._create_portal_user("stranger_user", cls.stranger)

    @classmethod
    def _create_portal_user(cls, login, partner):
        return new_test_user(
            cls.env_root,
            login,
            "base.group_portal",
            partner_id=partner.id,
            company_id=cls.company.id,
            company_ids=cls.company.ids,
        )

    @classmethod
    def _create_group_of_sellers(cls):
        """As Odoo's sales people, and those who approve expenses: they read invoices of their own,
        and no others."""
        group = cls.env_root["res.groups"].create({"name": "Sellers"})
        model = cls.env_root["ir.model"]._get("account.move")
        cls.env_root["ir.model.access"].create(
            {"name": "x", "model_id": model.id, "group_id": group.id, "perm_read": True}
        )
        cls.env_root["ir.rule"].create(
            {
                "name": "Own Invoices",
                "model_id": model.id,
                "groups": [Command.link(group.id)],
                "domain_force": "[('invoice_user_id', '=', user.id)]",
            }
        )
        return group

    @classmethod
    def _send_one_and_accept_one(cls):
        """:return: the renewal of ``cls.member``, sent, and the invoice of another one, accepted"""
        renewal = cls._create_renewal(cls._create_cotisation(cls.member, "2026-01-01"))
        renewal.action_send()
        accepted = cls._create_renewal(
            cls._create_cotisation(cls._create_member("Ann Accepted"), "2026-01-01")
        )
        accepted.action_approve()
        return renewal, accepted.invoice_id

    def _renewal_of_corporation(self, state):
        """A personal renewal of another contact of the corporation, of which ``member_user`` is
        in charge, sent before it went to ``state``."""
        renewal = self._renewal_in("draft" if state == "cancelled" else "sent")
        renewal.partner_id.parent_id = self.corporation
        renewal.partner_id.membri_responsible_id = self.member
        if state in ("draft", "approved"):
            renewal.action_approve()
        if state == "draft":
            renewal.action_reset()  # a draft with a link that was sent
        elif state == "cancelled":
            renewal.action_send()
            renewal.action_cancel()
        elif state == "change_requested":
            renewal.action_request_change("Please call me")
        elif state == "intervention":
            renewal.action_require_intervention("Call before sending")
        elif state == "refused":
            self._refuse(renewal)
        self.assertEqual(renewal.state, state)
        return renewal

    def _sign_in(self, login):
        self.authenticate(login, login and login + "x" * (8 - len(login)))

    def _get_token(self, renewal, kind):
        return {"right": renewal.sudo().access_token, "wrong": "0" * 36, None: None}[kind]

    def _open(self, renewal, token=None, suffix="", **query):
        query = {"access_token": token, **query}
        query_string = "&".join(f"{key}={value}" for key, value in query.items() if value)
        response = self.url_open(
            f"/my/renewals/{renewal.id}{suffix}?{query_string}", allow_redirects=False
        )
        self.env.invalidate_all()
        self.assertLess(response.status_code, 500)
        return response

    def _answer(self, renewal, answer, token=None, **data):
        """POST an answer; returns the response, not followed."""
        if answer == "request_change":
            data.setdefault("message", "Another option, please")
        elif answer == "decline":
            data.setdefault("reason_id", self.reason.id)
        data["csrf_token"] = http.Request.csrf_token(self)
        if token:
            data["access_token"] = token
        self.env.flush_all()
        response = self.url_open(
            f"/my/renewals/{renewal.id}/{answer}", data=data, allow_redirects=False
        )
        self.env.invalidate_all()
        self.assertLess(response.status_code, 500)
        return response

    def _get_error(self, response):
        self.assertEqual(response.status_code, 303)
        query = parse_qs(urlparse(response.headers["Location"]).query)
        return query.get("error", [False])[0]

    def _assert_turned_away(self, response, message=None):
        if 'id="membri_old_link"' in response.text:  # by a link alone: no login is asked for
            self.assertEqual(response.status_code, 200, message)
            return
        self.assertEqual(response.status_code, 303, message)
        self.assertEqual(urlparse(response.headers["Location"]).path, "/my", message)

    def _get_path(self, renewal):
        """The link of the mail, on this server."""
        return renewal._get_answer_url().removeprefix(renewal.get_base_url())


class ThreadCase(PortalCase):
    """A renewal and an invoice with messages, activities and files of the staff's."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.renewal, cls.invoice = cls._send_one_and_accept_one()
        for record in (cls.renewal, cls.invoice):
            record.message_post(body="Dear member", subtype_xmlid="mail.mt_comment")
            record.message_post(body=SECRET, subtype_xmlid="mail.mt_note")
            record.activity_schedule("mail.mail_activity_data_todo", note=SECRET)
            cls.env_root["ir.attachment"].create(
                {"name": SECRET, "raw": b"x", "res_model": record._name, "res_id": record.id}
            )
