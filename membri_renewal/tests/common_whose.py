from .common_portal import PortalCase


class WhoseCase(PortalCase):
    """A corporation that is a member, two of whose people are members themselves."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.accounts = cls._create_member("Accounts Payable", parent_id=cls.corporation.id)
        cls.assistant = cls._create_member("Amy Assistant", parent_id=cls.colleague.id)
        cls.in_charge = cls._create_member("Percy in Charge")
        cls.branch = cls._create_member(
            "Boulanger West", is_company=True, parent_id=cls.corporation.id
        )
        cls.clerk = cls._create_member("Wes Clerk", parent_id=cls.branch.id)
        cls.logins = {
            "member": cls.member_user,
            "colleague": cls.colleague_user,
            "stranger": cls.stranger_user,
            "corporation": cls._create_portal_user("corporation_user", cls.corporation),
            "accounts": cls._create_portal_user("accounts_user", cls.accounts),
            "assistant": cls._create_portal_user("assistant_user", cls.assistant),
            "in_charge": cls._create_portal_user("in_charge_user", cls.in_charge),
            "clerk": cls._create_portal_user("clerk_user", cls.clerk),
        }
        cls.personal = cls._send_renewal(cls.member)
        cls.corporate = cls._send_renewal(cls.corporation)

    def setUp(self):
        super().setUp()
        self.logins = dict(self.logins)

    @classmethod
    def _send_renewal(cls, member):
        renewal = cls._create_renewal(cls._create_cotisation(member, "2026-01-01"))
        renewal.action_send()
        return renewal

    def _assert_owners(self, renewal, names):
        """The rules, the lists and the records agree on whose ``renewal`` is."""
        self.env.flush_all()
        for name, user in self.logins.items():
            with self.subTest(login=name, member=renewal.partner_id.name):
                own = name in names
                Renewal = self.env["membri.renewal"].with_user(user)
                domain = Renewal._get_portal_domain(user.partner_id)
                self.assertEqual(renewal.with_user(user).has_access("read"), own)
                self.assertEqual(renewal in Renewal.search([]), own)
                self.assertEqual(renewal in Renewal.search(domain), own)
                self.assertEqual(bool(renewal.sudo().filtered_domain(domain)), own)
                lines = renewal.line_ids.with_user(user)
                self.assertEqual(lines.has_access("read"), own)
                self.assertEqual(bool(lines.search([("renewal_id", "=", renewal.id)])), own)
                terms = self.env["membri.cotisation"].sudo()
                terms = terms.search(terms._get_portal_domain(user.partner_id))
                self.assertEqual(renewal.cotisation_id in terms, own)
