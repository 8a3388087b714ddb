from odoo.tests import tagged

from .common import MembriCommon


@tagged("post_install", "-at_install")
class TestReach(MembriCommon):
    """Who receives, in the guide's order, and why nobody does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.parent = cls._create_member("Parent Ltd", is_company=True)
        cls.in_charge = cls._create_member("Percy in Charge")
        cls.member.write(
            {
                "parent_id": cls.parent.id,
                "membri_responsible_id": cls.in_charge.id,
                "membri_renewal_email": "Renewals <renewals@example.com>",
            }
        )

    def _opt_out(self, address):
        self.env_root["mail.blacklist"]._add(address)
        self.env.invalidate_all()

    def _assert_reached(self, recipient, address=False):
        self.assertFalse(self.member._membri_get_unreachable_reason())
        self.assertEqual(self.member._membri_get_recipient(), recipient)
        self.assertEqual(self.member._membri_get_renewal_address(), address)

    def test_the_first_whose_address_works(self):
        self._assert_reached(self.in_charge, self.member.membri_renewal_email)
        self._opt_out("renewals@example.com")
        self._assert_reached(self.in_charge)
        self.in_charge.sudo().message_bounce = 1
        self._assert_reached(self.member)
        self.member.email = "no address at all"
        self.assertTrue(self.member._membri_get_unreachable_reason(), "an employer is nobody")
        self.parent.membri_group_invoices = True  # it pays
        self._assert_reached(self.parent)
        self.parent.email = False
        self.assertEqual(
            self.member._membri_get_unreachable_reason(),
            "Renewals <renewals@example.com> has opted out of emails.",
        )
        self.member.membri_renewal_email = False
        self.assertEqual(
            self.member._membri_get_unreachable_reason(),
            "Emails to Percy in Charge (percy.in.charge@example.com) bounce.",
        )

    def test_a2_a_draft_shows_who_would_receive_it(self):
        """Until a key has left, which is with whom it was sent to."""
        self.member.membri_renewal_email = False
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        self.assertEqual(renewal.recipient_id, self.in_charge)
        other = self._create_member("Olga in Charge")
        self.member.membri_responsible_id = other
        self.assertEqual(renewal.recipient_id, other)
        other.sudo().message_bounce = 1
        self.assertEqual(renewal.recipient_id, self.member)
        other.email = "olga@example.com"
        self.assertEqual(renewal.recipient_id, other)
        other.sudo().active = False
        self.assertEqual(renewal.recipient_id, self.member)
        self.member.membri_intervention_required = True
        self.member.membri_responsible_id = self.in_charge
        self.assertEqual((renewal.state, renewal.recipient_id), ("intervention", self.in_charge))
        self.member.membri_intervention_required = False
        renewal.action_send()
        self.member.membri_responsible_id = False
        self.in_charge.membri_responsible_id = False
        self.assertEqual(renewal.recipient_id, self.member, "the key is another one, as before")

    def test_a2_a_draft_follows_all_that_decides_who_receives(self):
        """An opt-out, a parent's address, who pays, who is in charge elsewhere, a reset."""
        self.member.write({"membri_renewal_email": False, "membri_responsible_id": False})
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        self.assertEqual(renewal.recipient_id, self.member)
        self.parent.membri_group_invoices = True
        self._opt_out(self.member.email)
        self.assertEqual(renewal.recipient_id, self.parent, "opted out")
        self.env_root["mail.blacklist"]._remove(self.member.email)
        self.assertEqual(renewal.recipient_id, self.member, "and in again")
        self.parent.email = False
        self.member.email = "no address at all"
        self.assertEqual(renewal.recipient_id, self.member)
        self.parent.email = "office@example.com"
        self.assertEqual(renewal.recipient_id, self.parent, "a parent's corrected address")
        self.parent.membri_group_invoices = False
        self.assertEqual(renewal.recipient_id, self.member, "an employer is nobody")
        address = self._create_member("Accounts", parent_id=self.parent.id, type="invoice")
        self.assertEqual(renewal.recipient_id, self.parent, "it pays")
        address.type = "other"
        self.assertEqual(renewal.recipient_id, self.member)
        address.type = "invoice"
        self.assertEqual(renewal.recipient_id, self.parent)
        address.unlink()
        self.assertEqual(renewal.recipient_id, self.member)
        renewal._do_refuse(self.env["membri.refusal.reason"].search([], limit=1), "")
        self.member.membri_responsible_id = self.in_charge
        renewal.action_reset()
        self.assertEqual(renewal.recipient_id, self.in_charge, "who is in charge after a reset")

    def test_a2_a_draft_of_another_company_follows(self):
        """Who is in charge there is no matter of the company that is worked in."""
        self.member.write({"membri_renewal_email": False, "membri_responsible_id": False})
        other = self.env_root["res.company"].create({"name": "Other company"})
        renewal = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        self.member.membri_responsible_id = self.in_charge
        away = self.in_charge.with_env(self.env_root).with_company(other)
        self.assertFalse(self.member.with_env(away.env).membri_responsible_id)
        away.message_bounce = 1
        self.assertEqual(renewal.recipient_id, self.member)
        away.email = "percy@example.com"
        self.assertEqual(renewal.recipient_id, self.in_charge)
        away.active = False
        self.assertEqual(renewal.recipient_id, self.member)

    def test_nobody_has_an_address(self):
        nobody = self._create_member("Nobody", email=False)
        self.assertEqual(
            nobody._membri_get_unreachable_reason(), "Nobody has no valid email address."
        )
        self.assertEqual(nobody._membri_get_recipient(), nobody)
        nobody.membri_renewal_email = "not an address"
        self.assertEqual(
            nobody._membri_get_unreachable_reason(),
            "“not an address” is not a valid email address.",
        )

    def test_a4_employer_receives_only_what_it_pays(self):
        """Of a personal membership. The parent of a company is told of that of the company."""
        self.member.write(
            {"email": False, "membri_responsible_id": False, "membri_renewal_email": False}
        )
        self.assertEqual(self.member._membri_get_recipient(), self.member)
        self.assertFalse(self.member._membri_get_concerned_parents()[self.member])
        address = self._create_member(
            "Accounts", parent_id=self.parent.id, type="invoice", email=False
        )
        self.assertEqual(self.member._membri_get_payer(), address)
        self._assert_reached(self.parent)
        address.active = False
        self.parent.membri_group_invoices = True
        self._assert_reached(self.parent)
        self.member.child_ids = self._create_member("Home", type="invoice")
        self.assertEqual(self.member._membri_get_recipient(), self.member, "pays by itself")
        branch = self._create_member(
            "Branch", is_company=True, parent_id=self.parent.id, email=False
        )
        self.parent.membri_group_invoices = False
        self.assertEqual(branch._membri_get_recipient(), self.parent)

    def test_a4_a_colleagues_billing_address_is_not_the_employers(self):
        self.member.write(
            {"email": False, "membri_responsible_id": False, "membri_renewal_email": False}
        )
        colleague = self._create_member("Carl", parent_id=self.parent.id)
        address = self._create_member("Carl, home", parent_id=colleague.id, type="invoice")
        self.assertEqual(self.member._membri_get_payer(), address)
        self.assertFalse(self.member._membri_get_concerned_parents()[self.member])

    def test_archived_contacts_receive_nothing(self):
        self.member.membri_renewal_email = False
        self.in_charge.active = False
        self._assert_reached(self.member)

    def test_another_address_is_another_try(self):
        self.member.membri_responsible_id = False
        self.member.parent_id = False
        self.member.membri_renewal_email = False
        self.member.sudo().message_bounce = 4
        self.member.email = " Ada.Boulanger@Example.com "
        self.assertTrue(self.member._membri_get_unreachable_reason(), "the same address")
        self.member.email = "ada@example.org"
        self._assert_reached(self.member)
        self.member.write({"email": False, "membri_renewal_email": "boss@example.com"})
        self.member.sudo().membri_renewal_email_bounced = True
        self.assertEqual(
            self.member._membri_get_unreachable_reason(), "Emails to boss@example.com bounce."
        )
        self.member.membri_renewal_email = "chief@example.com"
        self._assert_reached(self.member, "chief@example.com")

    def test_no_query_for_each_member(self):
        """The preview of a campaign asks this of thousands."""
        members = self.member.browse()
        for number in range(60):
            members |= self._create_member(
                f"Bo {number}",
                parent_id=self._create_member(f"Company {number}", is_company=True).id,
                membri_responsible_id=self._create_member(f"Boss {number}").id,
                **({"membri_renewal_email": f"r{number}@example.com"} if number % 2 else {}),
            )
        self._opt_out("r1@example.com")
        members.membri_responsible_id.sudo()[30:].message_bounce = 1
        members[10:20].email = False
        for some in (members[:5], members):
            self.env.flush_all()
            self.env.invalidate_all()
            with self.assertQueryCount(9):
                reasons = [member._membri_get_unreachable_reason() for member in some]
            self.assertFalse(any(reasons))
