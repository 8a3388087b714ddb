from freezegun import freeze_time

from odoo.addons.mail.tests.common import MockEmail

from .common import MembriCommon


class CampaignCommon(MembriCommon, MockEmail):
    """Terms that end in the season, and a campaign over them."""

    def _create_term(self, name, option_set=None, date_start="2026-01-01", **vals):
        """A new member with a paid term; ``auto_renew`` and other values are the member's."""
        number = self.env["res.partner"].search_count([("name", "=like", f"{name}%")])
        auto_renew = vals.pop("auto_renew", None)
        state = vals.pop("state", "active")
        member = self._create_member(f"{name} {number}" if number else name, **vals)
        cotisation = self._create_cotisation(member, date_start, option_set, state=state)
        if auto_renew is not None:
            member.membri_auto_renew = auto_renew
        return cotisation

    def _create_campaign(self, option_sets=None, **vals):
        if option_sets is None:
            option_sets = self.env["membri.option.set"].search(
                [("lifetime", "=", False), ("company_id", "=", self.company.id)]
            )
        return self.env["membri.campaign"].create(
            {"option_set_ids": option_sets.ids, "date_from": "2026-11-15", **vals}
        )

    def _preview(self, option_sets=None, date_to="2027-01-31", **vals):
        campaign = self._create_campaign(option_sets, date_to=date_to, **vals)
        campaign.action_preview()
        return campaign

    def _preview_one(self, **vals):
        self._create_term("Solo", **vals)
        return self._preview(self.yearly)

    def _get_lines(self, campaign):
        self.env.invalidate_all()
        return campaign.line_ids.grouped("partner_id")

    def _create_cases(self):
        """One member of each kind.

        :return: ``{name: member}``
        """
        empty = self._create_option_set("Empty")
        terms = {
            "Notice": self._create_term("Notice"),
            "Invoice": self._create_term("Invoice", auto_renew=True),
            "Flagged": self._create_term("Flagged"),
            "Silent": self._create_term("Silent", email=False),
            "Unpostable": self._create_term("Unpostable", email=False, auto_renew=True),
            "Broken": self._create_term("Broken", empty),
            "Renewed": self._create_term("Renewed"),
            "Resigned": self._create_term("Resigned"),
            "Unpaid": self._create_term("Unpaid", state="pending"),
            "Archived": self._create_term("Archived"),
        }
        empty.sudo().line_ids.unlink()
        terms["Flagged"].partner_id.write(
            {"membri_intervention_required": True, "membri_intervention_reason": "Call first"}
        )
        self._create_renewal(terms["Renewed"]).action_send()
        with freeze_time("2026-11-15 15:00:00"):
            terms["Resigned"].action_terminate("2026-12-15", "Moved")
        terms["Archived"].partner_id.active = False
        return {name: term.partner_id for name, term in terms.items()}
