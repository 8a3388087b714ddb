from freezegun import freeze_time

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .common_change_request import ChangeRequestCommon


@freeze_time("2026-11-15 15:00:00")
@tagged("post_install", "-at_install")
class TestChangeRequest(ChangeRequestCommon):
    """What a member asks for, beside what was proposed; and the staff's click."""

    def test_old_and_new_side_by_side(self):
        renewal = self._renewal_of_full()
        request = self._ask(renewal, quantities={self.membership_line: 1.0})
        self.assertRecordValues(
            request,
            [
                {
                    "state": "pending",
                    "version": 1,
                    "changes_term": True,
                    "option_set_id": self.full.id,
                    "old_amount_total": 402.5,
                    "amount_total": 345.0,
                    "amount_difference": -57.5,
                }
            ],
        )
        self.assertRecordValues(
            request.line_ids,
            [
                {
                    "product_id": self.product.id,
                    "old_quantity": 1.0,
                    "quantity": 1.0,
                    "difference": 0.0,
                },
                {
                    "product_id": self.extra.id,
                    "old_quantity": 1.0,
                    "quantity": 0.0,
                    "difference": -50.0,
                },
            ],
        )
        self.assertEqual(renewal.state, "change_requested")
        self.assertEqual(renewal.amount_total, 402.5, "asking changes no proposal")
        self.assertIn("Directory listing: remove.", renewal.change_request)
        self.assertIn("$\xa0345.00 (was $\xa0402.50)", renewal.change_request)

    def test_apply_and_approve(self):
        renewal = self._renewal_of_full()
        request = self._ask(renewal, quantities={self.membership_line: 1.0, self.extra_line: 3.0})
        renewal.action_apply_and_approve()
        self.assertRecordValues(
            renewal, [{"state": "approved", "amount_untaxed": 450.0, "option_set_id": self.full.id}]
        )
        self.assertEqual(renewal.invoice_id.amount_untaxed, 450.0)
        self.assertEqual(renewal.new_cotisation_id.line_ids.mapped("quantity"), [1.0, 3.0])
        self.assertEqual(request.state, "applied")
        bodies = "".join(renewal.partner_id.message_ids.mapped("body"))
        self.assertIn("the requested changes were applied", bodies)
        self.assertIn("Directory listing: 3 (was 1).", bodies)

    def test_apply_only_then_send_again(self):
        renewal = self._renewal_of_full()
        request = self._ask(renewal, option_set=self.small)
        renewal.action_apply_change_request()
        self.assertRecordValues(
            renewal,
            [
                {
                    "state": "change_requested",
                    "option_set_id": self.small.id,
                    "amount_untaxed": 120.0,
                }
            ],
        )
        self.assertEqual(renewal.line_ids.product_id, self.small_product)
        renewal.action_send()
        self.assertEqual((renewal.state, request.state), ("sent", "applied"))

    def test_frozen_prices_are_kept(self):
        """What was sent keeps its price; what is added has the price of the first day."""
        renewal = self._renewal_of_full()
        self.product.list_price = 999.0
        self.extra.list_price = 60.0
        request = self._ask(renewal, quantities={self.membership_line: 1.0, self.extra_line: 2.0})
        self.assertEqual(request.line_ids.mapped("price_subtotal"), [300.0, 120.0])

    def test_agreed_price_and_extra_line_are_kept(self):
        renewal = self._renewal_of_full("change_requested")
        renewal.line_ids.filtered(lambda line: line.product_id == self.extra).write(
            {"price_unit": 40.0, "is_price_agreed": True}
        )
        banquet = self._create_option("Banquet", 80.0)
        renewal.write({"line_ids": [(0, 0, {"product_id": banquet.id})]})
        request = self._ask(renewal, quantities={self.membership_line: 1.0, self.extra_line: 2.0})
        self.assertEqual(request.line_ids.mapped("price_subtotal"), [300.0, 80.0, 80.0])
        self.assertEqual(request.line_ids[2].product_id, banquet)

    def test_versions(self):
        renewal = self._renewal_of_full()
        first = self._ask(renewal, message="Please call me")
        again = self._ask(renewal, message="Please call me")
        self.assertEqual(again, first, "a double click asks once")
        self.assertEqual(renewal.change_request, "Please call me")
        second = self._ask(renewal, option_set=self.small)
        self.assertEqual((first.state, second.state), ("replaced", "pending"))
        self.assertEqual(second.version, 2)
        self.assertEqual(renewal.change_request_ids, second | first)
        self.assertIn("Request 2, replacing the previous one:", renewal.change_request)
        renewal.action_approve()
        self.assertEqual(second.state, "closed", "approved as proposed")
        self.assertEqual(renewal.amount_untaxed, 350.0)

    def test_intervention_keeps_the_request(self):
        renewal = self._renewal_of_full()
        request = self._ask(renewal, option_set=self.small)
        renewal.action_require_intervention("Call first")
        self.assertEqual(request.state, "pending")
        renewal.action_apply_and_approve()
        self.assertEqual((renewal.state, request.state), ("approved", "applied"))
        self.assertFalse(renewal.partner_id.membri_intervention_required)

    def test_outdated(self):
        renewal = self._renewal_of_full()
        request = self._ask(renewal, option_set=self.small)
        self.assertFalse(request.is_outdated)
        renewal.line_ids[0].price_unit = 290.0
        self.assertTrue(request.is_outdated)

    def test_what_cannot_be_applied(self):
        sent = self._renewal_of_full()
        in_words = self._renewal_of_full()
        self._ask(in_words, message="Please call me")
        archived = self._renewal_of_full()
        self._ask(archived, option_set=self.small)
        by_phone = self._renewal_of_full("change_requested")
        self.small.sudo().active = False
        for renewal, words in (
            (sent, "cannot be updated with the member's request"),
            (in_words, "only wrote a message"),
            (archived, "no longer available"),
            (by_phone, "no change request to apply"),
        ):
            for action in ("action_apply_change_request", "action_apply_and_approve"):
                with self.subTest(words=words, action=action):
                    before = self._snapshot(renewal)
                    message = self._assert_refused(getattr(renewal, action))
                    self.assertIn(words, message)
                    self.assertIn(renewal.name, message)
                    self.assertEqual(self._snapshot(renewal), before)

    def test_all_or_nothing(self):
        """What cannot be approved is not applied either."""
        renewal = self._renewal_of_full()
        request = self._ask(renewal, option_set=self.small)
        with freeze_time("2029-01-01 15:00:00"):
            before = self._snapshot(renewal)
            self._assert_refused(renewal.action_apply_and_approve)
            self.assertEqual(self._snapshot(renewal), before)
        self.assertEqual(request.state, "pending")

    def test_who_may(self):
        renewal = self._renewal_of_full()
        request = self._ask(renewal, option_set=self.small)
        with self.assertRaises(AccessError):
            renewal.with_user(self.auditor).action_apply_and_approve()
        self.assertEqual(request.with_user(self.auditor).amount_total, 138.0)
        for user in (self.auditor, self.officer, self.manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                request.with_user(user).write({"message": "x"})
        with self.assertRaises(AccessError):
            request.with_user(self.employee).read(["message"])
        with self.assertRaises(UserError):
            renewal.write({"change_request_id": False})
        other = self._create_other_company("Elsewhere", "UTC")
        self.officer.sudo().write({"company_ids": [(6, 0, other.ids)], "company_id": other.id})
        with self.assertRaises(AccessError):
            request.with_user(self.officer).read(["message"])


@freeze_time("2026-11-15 15:00:00")
@tagged("post_install", "-at_install")
class TestContactDetails(ChangeRequestCommon):
    """Details reach the contact by the staff's click, never by the portal."""

    def _ask_details(self, renewal, **form):
        ask, errors = renewal.sudo()._read_change_form(form)
        self.assertFalse(errors)
        return self._ask(renewal, **ask)

    def test_contact(self):
        renewal = self._renewal_of_full()
        member = renewal.partner_id
        request = self._ask_details(
            renewal, contact_phone="+1 555 0199", contact_email=member.email, contact_city=" Laval "
        )
        self.assertRecordValues(
            request.detail_ids,
            [
                {"field_name": "phone", "old_value": "+1 555 0100", "new_value": "+1 555 0199"},
                {"field_name": "city", "old_value": False, "new_value": "Laval"},
            ],
        )
        self.assertEqual(member.phone, "+1 555 0100")
        renewal.action_apply_change_request()
        self.assertRecordValues(member, [{"phone": "+1 555 0199", "city": "Laval"}])
        self.assertEqual(renewal.amount_untaxed, 350.0)
        self.assertIn(
            "Contact details, Phone: +1 555 0199 (was +1 555 0100).",
            "".join(member.message_ids.mapped("body")),
        )

    def test_billing_address_of_a_parent_is_left_alone(self):
        renewal = self._renewal_of_full()
        member = renewal.partner_id
        parent = self._create_member("Parent Ltd", is_company=True, city="Montréal")
        member.parent_id = parent
        form = {"billing_name": "Accounts payable", "billing_email": "ap@example.com"}
        self._ask_details(renewal, **form)
        renewal.action_apply_change_request()
        address = member.child_ids
        self.assertRecordValues(
            address, [{"type": "invoice", "name": "Accounts payable", "email": "ap@example.com"}]
        )
        self.assertEqual(member.address_get(["invoice"])["invoice"], address.id)
        self.assertEqual(parent.city, "Montréal")
        self._ask_details(renewal, billing_email="ap2@example.com")
        renewal.action_apply_and_approve()
        self.assertEqual(member.child_ids, address, "the address is corrected, not doubled")
        self.assertEqual(address.email, "ap2@example.com")
        self.assertEqual(renewal.invoice_id.partner_id, address)

    def test_person_in_charge(self):
        renewal = self._renewal_of_full()
        member = renewal.partner_id
        form = {"responsible_name": "Zoé Roy", "responsible_email": "zoe@example.com"}
        self._ask_details(renewal, **form)
        renewal.action_apply_change_request()
        person = member.membri_responsible_id
        self.assertRecordValues(
            person, [{"name": "Zoé Roy", "email": "zoe@example.com", "parent_id": member.id}]
        )
        self.assertEqual(renewal.recipient_id, person)
        self._ask_details(renewal, responsible_phone="+1 555 0123")
        renewal.action_apply_change_request()
        self.assertEqual((person.phone, member.membri_responsible_id), ("+1 555 0123", person))
        form = {"responsible_name": "Yan Roy", "responsible_email": "yan@example.com"}
        self._ask_details(renewal, **form)
        renewal.action_apply_change_request()
        self.assertEqual(member.membri_responsible_id.name, "Yan Roy")
        self.assertEqual(person.name, "Zoé Roy", "another person is another contact")
        form = {"responsible_name": "zoé roy", "responsible_email": "Zoe@example.com"}
        self._ask_details(renewal, **form)
        renewal.action_apply_change_request()
        self.assertEqual(member.membri_responsible_id, person, "who is known is not doubled")

    def test_who_asked_nothing_was_not_processed(self):
        """Of a request that the staff noted by hand, the reason spoke of an earlier one."""
        renewal = self._renewal_in("change_requested")
        nothing = renewal._get_cannot_apply_change_request_reason()
        self.assertFalse(renewal.change_request_id)
        self._ask_details(renewal, contact_phone="+1 555 0123")
        renewal.action_apply_change_request()
        self.assertTrue(nothing)
        self.assertNotEqual(nothing, renewal._get_cannot_apply_change_request_reason())

    def test_another_province_has_other_taxes(self):
        renewal = self._renewal_of_full()
        usa = self.env.ref("base.us")
        other_tax = self.tax.copy({"name": "5 %", "amount": 5.0})
        position = self.env_root["account.fiscal.position"].create(
            {
                "name": "Away",
                "company_id": self.company.id,
                "auto_apply": True,
                "country_id": usa.id,
            }
        )
        other_tax.sudo().write(
            {"fiscal_position_ids": [(4, position.id)], "original_tax_ids": [(4, self.tax.id)]}
        )
        ask, errors = renewal.sudo()._read_change_form(
            {
                "option_set_id": str(self.small.id),
                f"option_{self.small.line_ids.id}": "on",
                "contact_country_id": str(usa.id),
            }
        )
        self.assertFalse(errors)
        request = self._ask(renewal, **ask)
        self.assertEqual(request.amount_total, 138.0)
        renewal.action_apply_change_request()
        self.assertEqual(renewal.line_ids.tax_ids, other_tax)
        self.assertEqual(renewal.amount_total, 126.0)
