from freezegun import freeze_time

from odoo.fields import Command
from odoo.tests import tagged

from .common_change_request import ChangeRequestCommon


@freeze_time("2026-11-15 15:00:00")
@tagged("post_install", "-at_install")
class TestChangeRequestForm(ChangeRequestCommon):
    """Nothing in the form is believed; what is wrong is told at its input."""

    def _read(self, renewal, **form):
        return renewal.sudo()._read_change_form(form)

    def _form(self, **form):
        return {
            "option_set_id": str(self.full.id),
            f"option_{self.extra_line.id}": "on",
            f"quantity_{self.extra_line.id}": "1",
            **form,
        }

    def test_nothing_asked(self):
        renewal = self._renewal_of_full()
        for form in ({}, self._form(), {"message": " \r\n "}):
            _ask, errors = self._read(renewal, **form)
            self.assertEqual(list(errors), ["form"])

    def test_options(self):
        renewal = self._renewal_of_full()
        required = {self.membership_line: 1.0}
        for form, expected in (
            ({"option_set_id": str(self.full.id)}, required),
            (self._form(), {**required, self.extra_line: 1.0}),
            (
                self._form(**{f"quantity_{self.extra_line.id}": "5"}),
                {**required, self.extra_line: 5.0},
            ),
            # a quantity that members cannot change, and an option of another set
            (
                self._form(
                    **{
                        f"quantity_{self.membership_line.id}": "0",
                        f"option_{self.small.line_ids.id}": "on",
                    }
                ),
                {**required, self.extra_line: 1.0},
            ),
        ):
            ask, errors = self._read(renewal, **form, message="x")
            self.assertFalse(errors)
            self.assertEqual(ask["quantities"], expected)

    def test_what_is_wrong(self):
        renewal = self._renewal_of_full()
        quantity = f"quantity_{self.extra_line.id}"
        hidden = self._create_option_set("Hidden")
        typed = self._create_option_set("Typed", portal_offer="type")
        cases = [
            *((quantity, value) for value in ("0", "-1", "6", "1.5", "nan", "1e3", "9" * 5000)),
            *(
                ("option_set_id", value)
                for value in ("x", "0", "9" * 5000, str(hidden.id), str(typed.id))
            ),
            ("message", "x" * 2001),
            ("contact_email", "no address"),
            ("contact_phone", "5" * 33),
            ("contact_street", "x" * 129),
            ("contact_country_id", "999999999"),
            ("contact_country_id", "Canada"),
            ("contact_state_id", "9" * 400),
            ("responsible_phone", "+1 555 0100"),  # of whom?
            ("billing_email", "a@b@c"),
        ]
        for name, value in cases:
            with self.subTest(name=name, value=value[:20]):
                _ask, errors = self._read(renewal, **self._form(**{name: value}))
                wrong = "responsible_name" if name == "responsible_phone" else name
                self.assertEqual(list(errors), [wrong])
        _ask, errors = self._read(renewal, responsible_name="Zoé Roy")
        self.assertEqual(list(errors), ["responsible_email"])

    def test_offered_sets(self):
        renewal = self._renewal_of_full()
        kind = self.env_root["membri.subscription.type"].create({"name": "Company"})
        same = self._create_option_set("Same type", portal_offer="type", type_id=kind.id)
        self._create_option_set("Empty", portal_offer="all").sudo().line_ids.unlink()
        archived = self._create_option_set("Archived", portal_offer="all")
        archived.sudo().active = False
        offered = renewal._get_offered_option_sets(renewal)
        self.assertEqual(offered, self.full | self.small)
        self.full.sudo().type_id = kind
        self.assertEqual(set(renewal._get_offered_option_sets(renewal)), {*offered, same})
        offers = renewal.sudo()._get_change_offers()
        self.assertEqual([offer["option_set"] for offer in offers], [self.full, same, self.small])
        self.assertEqual([offer["total"] for offer in offers], [402.5, 345.0, 138.0])
        self.assertEqual([option["price"] for option in offers[0]["options"]], [300.0, 50.0])

    def test_what_the_staff_took_out_is_not_forced_back(self):
        renewal = self._renewal_of_full("change_requested")
        renewal.line_ids.filtered(lambda line: line.product_id == self.product).unlink()
        ask, errors = self._read(renewal, **self._form(), message="x")
        self.assertFalse(errors)
        self.assertEqual(ask["quantities"], {self.extra_line: 1.0})
        _ask, errors = self._read(renewal, option_set_id=str(self.full.id))
        self.assertEqual(list(errors), ["option_set_id"], "something is left to renew")

    def test_first_day(self):
        """A running term is followed without a gap; who comes back late may choose."""
        renewal = self._renewal_of_full()
        self.assertFalse(renewal._get_start_bounds())
        form = {"option_set_id": str(self.small.id), "date_start": "2027-06-01"}
        ask, errors = self._read(renewal, **form, **{f"option_{self.small.line_ids.id}": "on"})
        self.assertFalse(errors)
        self.assertIsNone(ask["date_start"])
        with freeze_time("2027-02-15 15:00:00"):
            renewal.cotisation_id.sudo()._internal_write({"state": "expired"})
            first, last = renewal._get_start_bounds()
            self.assertEqual((str(first), str(last)), ("2027-01-01", "2027-05-18"))
            for day in ("2026-12-31", "2027-05-19", "soon", "2027-02-30", "0000-00-00"):
                _ask, errors = self._read(renewal, **self._form(date_start=day))
                self.assertEqual(list(errors), ["date_start"], day)
            ask, errors = self._read(renewal, **self._form(date_start="2027-03-01"))
            self.assertFalse(errors)
            request = self._ask(renewal, **ask)
            self.assertEqual(
                (str(request.date_start), str(request.date_end)), ("2027-03-01", "2028-02-29")
            )
            self.assertEqual(request.amount_difference, 0.0)
            renewal.action_apply_and_approve()
            self.assertEqual(str(renewal.new_cotisation_id.date_start), "2027-03-01")

    def test_term_that_would_be_over(self):
        """Who was away for years is offered a term from today."""
        renewal = self._renewal_of_full()
        with freeze_time("2029-03-10 15:00:00"):
            renewal.cotisation_id.sudo()._internal_write({"state": "expired"})
            vals = renewal._prepare_change_request_vals(self.small)
            self.assertEqual(
                (str(vals["date_start"]), str(vals["date_end"])), ("2029-03-10", "2030-03-09")
            )
            request = self._ask(renewal, option_set=self.small)
            renewal.action_apply_and_approve()
            self.assertEqual(request.state, "applied")
            self.assertEqual(renewal.new_cotisation_id.state, "pending")

    def test_late_member_of_a_set_that_restarts(self):
        """The fresh term that was shown is the one that is compared with, and applied."""
        self.full.sudo().write({"late_policy": "restart", "grace_days": 0})
        renewal = self._renewal_of_full()
        with freeze_time("2027-02-15 15:00:00"):
            renewal.cotisation_id.sudo()._internal_write({"state": "expired"})
            request = self._ask(renewal, quantities={self.membership_line: 1.0})
            self.assertEqual(
                (str(request.date_start), str(request.date_end)), ("2027-02-15", "2028-02-14")
            )
            self.assertEqual(request.amount_difference, -57.5)
            renewal.action_apply_and_approve()
            self.assertEqual(renewal.invoice_id.amount_untaxed, 300.0)
            self.assertEqual(str(renewal.new_cotisation_id.date_start), "2027-02-15")

    def test_change_to_a_calendar_year(self):
        """A first term inside a fixed period is prorated, as at enrolment."""
        self.fixed.sudo().write(
            {
                "portal_offer": "all",
                "line_ids": [Command.create({"product_id": self.extra.id})],
            }
        )
        renewal = self._renewal_of_full()
        cotisation = renewal.cotisation_id
        cotisation.sudo()._internal_write({"date_end": "2026-06-30"})
        renewal.sudo()._internal_write({"date_start": "2026-07-01", "date_end": "2027-06-30"})
        request = self._ask(renewal, option_set=self.fixed)
        self.assertEqual(
            (str(request.date_start), str(request.date_end)), ("2026-07-01", "2026-12-31")
        )
        self.assertEqual(request.line_ids[0].price_subtotal, 151.23)  # 300 × 184 ÷ 365
        self.assertEqual(request.line_ids[1].price_subtotal, 25.21)  # 50 × 184 ÷ 365
