from dateutil.relativedelta import relativedelta

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tools import config
from odoo.tools.mail import prepend_html_content

from ..mixins.formats import end_sentence
from ..mixins.state import get_redirect

# in how many days the membership of the sample member ends, where the plan does not say
SAMPLE_DAYS = 30
ADDRESS = ("street", "street2", "zip", "city", "state_id", "country_id")


class MembriRenewal(models.Model):
    _inherit = "membri.renewal"

    def _is_sample(self):
        """Return whether this is the notice that somebody sends to themselves: what is printed
        says so."""
        return bool(self.env.context.get("membri_sample"))


class MembriOptionSet(models.Model):
    """The notice of a plan, sent to oneself: the real one, of a member who does not stay."""

    _inherit = "membri.option.set"

    def _do_send_test_notice(self):
        """Email to the user what a member of this plan would get. Nothing stays of it but the
        email.

        :return: the ``mail.mail``, in sudo
        :raises UserError: when it cannot leave
        :raises RedirectWarning: when something is missing, with where it is entered"""
        self.ensure_one()
        company = self._get_term_company()
        self._check_own_email()
        if reason := self._get_cannot_send_test_notice_reason():
            raise UserError(reason)
        # a notice is read without a chart of accounts: the invoice is what needs one
        unready = company._membri_get_unready(self)
        needed = (reason for reason in unready if reason[0] not in ("chart", "journal"))
        company._membri_raise_unready(needed)
        vals = self.with_company(company)._prepare_test_notice_vals(company)
        # sudo: the queue of emails is the administrator's
        mail_sudo = self.env["mail.mail"].sudo().create(vals)
        mail_sudo.with_context(membri_sample=True).send()
        if mail_sudo.state != "sent":
            self._raise_test_notice_failed(mail_sudo)
        # sudo: companies are the administrator's, this fact is ours
        company.sudo()._internal_write({"membri_test_notice_date": fields.Datetime.now()})
        return mail_sudo

    def _raise_test_notice_failed(self, mail_sudo):
        """:raises UserError: what the mail server said; an administrator is led to it"""
        said = end_sentence(mail_sudo.failure_reason)
        email = self.env.user.email_normalized
        # sudo: mail servers are the administrator's; whether there is one is no secret
        has_server = self.env["ir.mail_server"].sudo().search_count([], limit=1)
        if not has_server and config["smtp_server"] in (False, "", "localhost"):
            sentence = self.env._(
                "No outgoing mail server is set up, so the test notice could not be sent to "
                "%(email)s.",
                email=email,
            )
        elif said:
            sentence = self.env._(
                "The test notice could not be sent to %(email)s: %(reason)s",
                email=email,
                reason=said,
            )
        else:
            sentence = self.env._(
                "The mail server rejected the test notice to %(email)s.", email=email
            )
        if not self.env.user.has_group("base.group_system"):
            raise UserError(sentence)
        raise get_redirect(
            sentence,
            self.env.ref("base.action_ir_mail_server_list").id,
            self.env._("Open Outgoing Mail Servers"),
        )

    def _get_cannot_send_test_notice_reason(self):
        """:return: a sentence, or ``False``"""
        if self.lifetime:
            return self.env._(
                "Members of “%(plan)s” are members for life and get no renewal notice. Choose "
                "another plan.",
                plan=self.name,
            )
        return False

    def _check_own_email(self):
        """:raises RedirectWarning: when the user has no address, with their preferences"""
        user = self.env.user
        if not user.email_normalized:
            raise get_redirect(
                self.env._(
                    "%(user)s has no email address. Enter one in your preferences.", user=user.name
                ),
                {**user.action_get(), "res_id": user.id},
                self.env._("Open My Preferences"),
            )

    def _prepare_test_notice_vals(self, company):
        """Return the values of the ``mail.mail``, as the notice of a sample member makes them; the
        member, the term and the renewal are rolled back."""
        cr = self.env.cr
        # what would follow a commit (webhooks of automations, for example) is forgotten as well
        following = cr.postcommit._funcs.copy()
        with cr.savepoint() as savepoint:
            renewal = self._create_sample_renewal(company)
            messages = renewal._send_notice(lambda r: r._get_notice_template())
            if not messages:
                raise UserError(renewal._get_unreachable_reason())
            vals = self._prepare_test_email_vals(messages[renewal])
            savepoint.rollback()
        cr.postcommit._funcs = following
        return vals

    def _create_sample_renewal(self, company):
        """:return: the renewal, as it is sent, of a member who reads at the user's address"""
        user, today = self.env.user, company._membri_today()
        start, following = self._get_grid_bounds(
            today, today + relativedelta(days=1 + (self.notice_lead_days or SAMPLE_DAYS))
        )
        address = company.partner_id
        member = self.env["res.partner"].create(
            {
                "name": self.env._("Sample Member"),
                "email": user.email_normalized,
                "lang": user.lang,
                "company_id": company.id,
                # a neighbor: taxed as most members are, with an address in its window
                **address._convert_to_write({name: address[name] for name in ADDRESS}),
            }
        )
        number = self.env._("TEST")  # no number of the sequences is used up
        # internal: whatever a client may not say of a term and of a renewal
        term = (
            self.env["membri.cotisation"]
            ._as_internal()
            .create(
                {
                    "name": number,
                    "partner_id": member.id,
                    "company_id": company.id,
                    "option_set_id": self.id,
                    "date_start": start,
                    "date_end": following - relativedelta(days=1),
                    "state": "active",
                    "origin": "import",
                }
            )
        )
        renewals = self.env["membri.renewal"].with_context(membri_sample=True)
        vals = {"name": number, "cotisation_id": term.id}
        renewal = renewals._as_internal().create(vals).with_env(renewals.env)
        renewal._set_state("sent", date_sent=fields.Datetime.now())
        renewal._portal_ensure_token()
        renewal._before_document()
        return renewal

    def _prepare_test_email_vals(self, message):
        """:param message: the ``mail.message`` of the notice
        :return: values of an email of its own, marked as a test"""
        # sudo: the manager's own test, which is rolled back
        mail_sudo = self.env["mail.mail"].sudo().search([("mail_message_id", "=", message.id)])
        banner = self.env["ir.qweb"]._render("membri_renewal.test_notice_banner", {"plan": self})
        return {
            "subject": self.env._("[TEST] %(subject)s", subject=message.subject),
            # as a text: what is added to markup would be shown as the code that it is
            "body_html": prepend_html_content(mail_sudo.body_html, str(banner)),
            "email_from": mail_sudo.email_from,
            "reply_to": self.env.user.email_formatted,
            "email_to": self.env.user.email_formatted,
            "auto_delete": False,
            "attachment_ids": [
                Command.create(
                    {
                        "name": self.env._("TEST - %(file)s", file=attachment.name),
                        "raw": attachment.raw,
                        "mimetype": attachment.mimetype,
                    }
                )
                for attachment in message.sudo().attachment_ids
            ],
        }
