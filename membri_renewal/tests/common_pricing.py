from odoo.fields import Command

from .common import MembriCommon


class PricingCommon(MembriCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # what the setting "Pricelists" does
        group_user = cls.env_root.ref("base.group_user")
        group_user.implied_ids += cls.env_root.ref("product.group_product_pricelist")

    @classmethod
    def _create_pricelist(cls, *rules, **vals):
        return cls.env_root["product.pricelist"].create(
            {
                "name": "Members",
                "company_id": cls.company.id,
                "item_ids": [
                    Command.create({"compute_price": "fixed", "fixed_price": price, **rule})
                    for price, rule in rules
                ],
                **vals,
            }
        )

    def _give_pricelist(self, member, pricelist):
        member.sudo().with_company(self.company).specific_property_product_pricelist = pricelist

    def _renew(self, date_start="2026-01-01", member=None, option_set=None, **vals):
        cotisation = self._create_cotisation(member or self.member, date_start, option_set, **vals)
        return self._create_renewal(cotisation)

    def _enrol(self, option_set, date_start, prorate=True, member=None):
        return (member or self.member)._membri_enrol(option_set, date_start, prorate=prorate)
