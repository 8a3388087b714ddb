import itertools

from freezegun import freeze_time

from odoo.tests import Form, tagged

from .common_pricing import PricingCommon

FEW, MANY = 10, 40
NUMBERS = itertools.count()


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestManyOptions(PricingCommon):
    """issue 14, a set of 200 options: what it costs does not grow with each option."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        products = cls.product.union(
            *(cls._create_option(f"Option {number}", 10.0 + number) for number in range(MANY))
        )[1:]
        cls.few = cls._create_option_set("Few", products[:FEW], portal_offer="all")
        cls.many = cls._create_option_set("Many", products, portal_offer="all")
        cls.pricelist = cls._create_pricelist((0.0, {"compute_price": "percentage"}))

    def _member(self):
        member = self._create_member(f"Member of many {next(NUMBERS)}")
        self._give_pricelist(member, self.pricelist)
        return member

    def _count(self, work):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        work()
        self.env.flush_all()
        return self.env.cr.sql_log_count - before

    def _assert_does_not_grow(self, prepare, work):
        """:param prepare: function of the option set; its result is what ``work`` takes"""
        work(prepare(self.few))  # warm caches
        for_few, for_many = prepare(self.few), prepare(self.many)
        few = self._count(lambda: work(for_few))
        many = self._count(lambda: work(for_many))
        self.assertLessEqual(many - few, 3, f"{few} queries, then {many}")

    def _renewal(self, option_set):
        return self._create_renewal(
            self._create_cotisation(self._member(), "2026-01-01", option_set)
        )

    def test_enrol(self):
        self._assert_does_not_grow(
            lambda option_set: (self._member(), option_set),
            lambda pair: pair[0]._membri_enrol(pair[1]),
        )

    def test_enrolment_form(self):
        def fill(pair):
            form = Form(self.env["membri.enrolment"].with_context(default_partner_id=pair[0].id))
            form.option_set_id = pair[1]
            self.assertEqual(len(form.line_ids), len(pair[1].line_ids))

        self._assert_does_not_grow(lambda option_set: (self._member(), option_set), fill)

    def test_accept(self):
        def prepare(option_set):
            renewal = self._renewal(option_set)
            renewal.action_send()
            return renewal

        def accept(renewal):
            self.assertFalse(
                renewal._portal_accept(renewal.partner_id, renewal._get_proposal_key())
            )
            self.assertEqual(len(renewal.sudo().invoice_id.invoice_line_ids), len(renewal.line_ids))

        self._assert_does_not_grow(prepare, accept)

    def test_change_form(self):
        def show(renewal):
            offers = renewal.sudo()._get_change_offers()
            self.assertEqual(len(offers), 2)

        self._assert_does_not_grow(self._renewal, show)

    def test_change_request(self):
        def ask(renewal):
            kept = renewal.option_set_id.line_ids[1:]
            form = {
                "option_set_id": str(renewal.option_set_id.id),
                **{f"option_{line.id}": "1" for line in kept},
            }
            ask, errors = renewal.sudo()._read_change_form(form)
            self.assertEqual(errors, {})
            self.assertEqual(len(ask["quantities"]), len(kept))

        self._assert_does_not_grow(self._renewal, ask)

    def test_prices_are_those_asked_one_by_one(self):
        """Looked up together, the prices of a pricelist are what they were: by quantity, dated."""
        option = self.many.line_ids[0]
        other = self.many.line_ids[1]
        other.with_env(self.env_root).quantity = 5.0
        pricelist = self._create_pricelist(
            (7.0, {"applied_on": "0_product_variant", "product_id": option.product_id.id}),
            (
                3.0,
                {
                    "applied_on": "0_product_variant",
                    "product_id": other.product_id.id,
                    "min_quantity": 5,
                },
            ),
            (
                1.0,
                {
                    "applied_on": "0_product_variant",
                    "product_id": self.many.line_ids[2].product_id.id,
                    "date_start": "2027-06-01 04:00:00",
                },
            ),
        )
        member = self._create_member("Priced")
        self._give_pricelist(member, pricelist)
        renewal = self._create_renewal(self._create_cotisation(member, "2026-01-01", self.many))
        prices = [(line.quantity, line.price_unit) for line in renewal.line_ids[:4]]
        self.assertEqual(prices, [(1.0, 7.0), (5.0, 3.0), (1.0, 12.0), (1.0, 13.0)])
