from odoo import fields, models

from ..res_partner import READERS


class ResPartner(models.Model):
    """Automatic renewal as the member's own choice: given and taken back on *My membership*, with
    the day, the wording and the source of the consent, in the current company."""

    _inherit = "res.partner"

    membri_auto_renew_consent_date = fields.Date(
        string="Consent to Automatic Renewal",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
        help="Day on which the member switched automatic renewal on.",
    )
    membri_auto_renew_consent_text = fields.Text(
        string="Wording of the Automatic Renewal Consent",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
        help="What the member agreed to, word for word.",
    )
    membri_auto_renew_consent_source = fields.Char(
        string="Source of the Automatic Renewal Consent",
        company_dependent=True,
        groups=READERS,
        copy=False,
        readonly=True,
        help="Where the member agreed, and who did.",
    )

    def _membri_forget_consent(self):
        """Automatic renewal is off: nobody agrees to it any more. The chatter keeps what was."""
        # sudo: a fact, whoever switched it off
        self.sudo().filtered("membri_auto_renew_consent_date")._internal_write(
            {
                "membri_auto_renew_consent_date": False,
                "membri_auto_renew_consent_text": False,
                "membri_auto_renew_consent_source": False,
            }
        )

    def _membri_may_choose_auto_renew(self):
        """:return: whether there is anything to renew for this member (``with_company``)"""
        self.ensure_one()
        return bool(
            self.membri_status in ("active", "in_renewal", "pending")
            and self.membri_date_end
            and not self.membri_option_set_id.lifetime
        )

    def _membri_get_auto_renew_wording(self):
        """:return: what a member agrees to by switching automatic renewal on"""
        self.ensure_one()
        days = self._membri_get_next_option_set(self.membri_cotisation_id).announce_days
        if days:
            return self.env._(
                "I agree that my membership with %(company)s renews automatically: I am told "
                "%(days)s days before, then I receive the invoice. I can switch this off at any "
                "time.",
                company=self.env.company.name,
                days=days,
            )
        return self.env._(
            "I agree that my membership with %(company)s renews automatically: I receive the "
            "invoice at each renewal. I can switch this off at any time.",
            company=self.env.company.name,
        )

    def _membri_portal_set_auto_renew(self, author, is_on):
        """The member switches automatic renewal on or off. What was announced and not invoiced
        follows.

        :param author: the ``res.partner`` who does
        :return: an error code, or ``False``
        """
        self.ensure_one()
        # sudo: the member decides this one thing, which the caller has checked the access to
        member_sudo = self.sudo()
        if not member_sudo._membri_may_choose_auto_renew():
            return "not_now"
        if member_sudo.membri_auto_renew == is_on and (
            not is_on or member_sudo.membri_auto_renew_consent_date
        ):
            return False  # a second click
        # switching it off is always possible
        if is_on and not self.env["membri.portal.request"]._admit(self, "auto_renew"):
            return "too_often"
        wording = member_sudo._membri_get_auto_renew_wording() if is_on else False
        officer_sudo = self.env.company.sudo()._membri_get_assignee()
        staff_sudo = member_sudo.with_context(
            lang=officer_sudo.lang or self.env.company.sudo().partner_id.lang
        )
        member_sudo.membri_auto_renew_choice = "yes" if is_on else "no"
        if is_on:
            member_sudo._internal_write(
                {
                    "membri_auto_renew_consent_date": self.env.company._membri_today(),
                    "membri_auto_renew_consent_text": wording,
                    "membri_auto_renew_consent_source": staff_sudo.env._(
                        "My membership (%(author)s)", author=author.display_name
                    ),
                }
            )
        if is_on:
            body = staff_sudo.env._(
                "%(author)s switched automatic renewal on, on My membership: “%(wording)s”",
                author=author.display_name,
                wording=wording,
            )
        else:
            body = staff_sudo.env._(
                "%(author)s switched automatic renewal off, on My membership.",
                author=author.display_name,
            )
        noted_sudo = staff_sudo._membri_noted_for(self.env.company)
        noted_sudo._message_log(body=body, author_id=author.id)
        return False
