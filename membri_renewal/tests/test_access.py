from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.service.model import get_public_method
from odoo.tests import new_test_user, tagged

from .common import MembriCommon

# rights as a string of c(reate), r(ead), w(rite), u(nlink), by user
MATRIX = {
    # model: (manager, officer, auditor, employee, portal)
    "membri.subscription.type": ("crwu", "r", "r", "", ""),
    "membri.option.set": ("crwu", "r", "r", "", ""),
    "membri.option.set.line": ("crwu", "r", "r", "", ""),
    "membri.reminder.step": ("crwu", "r", "r", "", ""),
    "membri.refusal.reason": ("crwu", "crw", "r", "", ""),
    "membri.cotisation": ("crwu", "crw", "r", "", ""),
    "membri.cotisation.line": ("crwu", "crwu", "r", "", ""),
    "membri.renewal": ("crwu", "crwu", "r", "", "r"),
    "membri.renewal.line": ("crwu", "crwu", "r", "", "r"),
    "membri.reminder.log": ("r", "r", "r", "", ""),
    "membri.dashboard": ("crwu", "crw", "r", "", ""),
    "membri.bulk.job": ("r", "r", "r", "", ""),
    "membri.bulk.job.line": ("r", "r", "r", "", ""),
    "membri.enrolment": ("crwu", "crwu", "", "", ""),
    "membri.enrolment.line": ("crwu", "crwu", "", "", ""),
    "membri.renewal.refuse": ("crwu", "crwu", "", "", ""),
    "membri.renewal.refuse.line": ("crwu", "crwu", "", "", ""),
    "membri.renewal.reset": ("crwu", "crwu", "", "", ""),
    "membri.renewal.intervention": ("crwu", "crwu", "", "", ""),
    "membri.cotisation.terminate": ("crwu", "crwu", "", "", ""),
    "membri.renewal.explanation": ("crwu", "crwu", "crwu", "", ""),
    "membri.deferred.start": ("crwu", "crwu", "crwu", "", ""),
    "membri.season": ("crwu", "crwu", "crwu", "", ""),
    "membri.forecast": ("crwu", "crwu", "crwu", "", ""),
    "membri.forecast.line": ("r", "r", "r", "", ""),
    "membri.price.simulation": ("crwu", "crwu", "crwu", "", ""),
    "membri.price.simulation.line": ("r", "r", "r", "", ""),
    "membri.insight": ("r", "r", "r", "", ""),
    "membri.money": ("r", "r", "r", "", ""),
    "membri.at.risk": ("r", "r", "r", "", ""),
    "membri.settings": ("crw", "", "", "", ""),
    "membri.setup.step": ("r", "", "", "", ""),
    "membri.option.set.start": ("crwu", "", "", "", ""),
    "membri.import": ("crwu", "", "", "", ""),
    "membri.import.level": ("crwu", "", "", "", ""),
    "membri.import.column": ("crwu", "", "", "", ""),
    "membri.import.line": ("r", "", "", "", ""),
}
OPERATIONS = {"c": "create", "r": "read", "w": "write", "u": "unlink"}
FACTS = ("membri_status", "membri_cotisation_id", "membri_date_end")


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestAccess(MembriCommon):
    """Who may do what, asked the way a client asks: over RPC, with any context."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.portal = new_test_user(
            cls.env_root,
            "portal-member",
            "base.group_portal",
            email="portal@example.com",
            company_ids=[fields.Command.set(cls.company.ids)],
            company_id=cls.company.id,
        )
        cls.household = cls.portal.partner_id.with_env(cls.env)
        cls.users = (cls.manager, cls.officer, cls.auditor, cls.employee, cls.portal)

    def test_matrix(self):
        for model, rights in MATRIX.items():
            for user, expected in zip(self.users, rights, strict=True):
                records = self.env[model].with_user(user)
                found = {key for key, name in OPERATIONS.items() if records.has_access(name)}
                with self.subTest(model=model, user=user.login):
                    self.assertEqual(found, set(expected))

    def test_matrix_knows_every_model(self):
        ours = {
            name
            for name, model in self.registry.items()
            if name.startswith("membri.") and not model._abstract
        }
        self.assertLessEqual(set(MATRIX), ours)
        for model in ours - set(MATRIX):
            for user in (self.employee, self.portal):
                with self.subTest(model=model, user=user.login):
                    self.assertFalse(self.env[model].with_user(user).has_access("read"))
            self.assertFalse(self.env[model].with_user(self.auditor).has_access("write"))

    # ------------------------------------------------------------------
    # Methods
    # ------------------------------------------------------------------

    def _get_calls(self):
        return {
            "action_send": (),
            "action_request_change": ("Please",),
            "action_require_intervention": ("Call",),
            "action_approve": (),
            "action_refuse": (),
            "action_reset": (),
            "action_cancel": (),
            "action_send_reminder": (),
            "action_bulk": ("approve",),
        }

    def test_renewal_actions_are_the_officers(self):
        renewal = self._create_renewal(self._create_cotisation(self.household, "2026-01-01"))
        renewal.action_send()
        for user in (self.auditor, self.employee, self.portal):
            for name, args in self._get_calls().items():
                with (
                    self.subTest(user=user.login, action=name),
                    self.assertRaises(AccessError),
                ):
                    getattr(renewal.with_user(user), name)(*args)
        self.assertEqual(renewal.state, "sent")

    def test_cotisation_actions_are_the_officers(self):
        cotisation = self._create_yearly()
        pending = self._renewal_in("approved").new_cotisation_id
        for user in (self.auditor, self.employee, self.portal):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                cotisation.with_user(user).action_terminate("2026-11-30", "No")
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                pending.with_user(user).action_cancel()
        self.assertEqual((cotisation.state, pending.state), ("active", "pending"))

    def test_effects_are_not_public(self):
        """The effects skip the guards: no client may call them."""
        for model, names in {
            "membri.renewal": (
                "_do_approve",
                "_do_refuse",
                "_do_reset",
                "_set_state",
                "_internal_write",
                "_as_internal",
                "_portal_accept",
                "_cron_generate",
                "_cron_process_bulk",
            ),
            "membri.cotisation": ("_do_paid", "_do_void", "_do_cancel", "_sync_with_invoice"),
            "membri.bulk.job": ("_start", "_process_batch", "_apply"),
            "res.partner": ("_membri_enrol", "_membri_refresh_status"),
            "account.move": ("_membri_void", "_membri_replace_by", "_membri_sync"),
        }.items():
            for name in names:
                with self.subTest(method=f"{model}.{name}"), self.assertRaises(AccessError):
                    get_public_method(self.env[model], name)

    def test_officer_needs_no_accounting_rights_beyond_invoicing(self):
        """From notice to reset: everything an officer does, without sudo on our side."""
        self.assertFalse(self.officer.has_group("account.group_account_manager"))
        renewal = self._renewal_in("approved")
        renewal.action_reset()
        renewal.action_approve()
        self.assertEqual(renewal.invoice_id.state, "posted")

    # ------------------------------------------------------------------
    # Contacts
    # ------------------------------------------------------------------

    def test_membership_is_invisible_to_plain_employees(self):
        self._create_cotisation(self.member, "2026-01-01")
        names = [name for name in self.env["res.partner"]._fields if name.startswith("membri_")]
        self.assertGreater(len(names), 14)
        for user in (self.employee, self.portal):
            partners = self.env["res.partner"].with_user(user)
            self.assertFalse(set(names) & set(partners.fields_get()))
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.member.with_user(user).read(["membri_status"])
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                partners.search([("membri_status", "=", "active")])
        self.assertEqual(self.member.with_user(self.auditor).membri_status, "active")

    def test_contacts_are_still_everybodys_to_arrange(self):
        """Who has nothing to do with memberships moves a member into a company, as before."""
        clerk = new_test_user(self.env_root, "clerk", "base.group_partner_manager")
        self._create_cotisation(self.member, "2026-01-01")
        firm, member = (
            self._create_member("Firm", is_company=True).with_user(clerk),
            self.member.with_user(clerk),
        )
        firm.read(["name", "child_ids"])
        member.parent_id = firm
        self.assertEqual(firm.child_ids, member)
        member.parent_id = False
        self.assertFalse(firm.child_ids)

    def test_facts_are_nobodys_to_write(self):
        for user in (self.officer, self.manager):
            for name in FACTS:
                with self.subTest(user=user.login, field=name), self.assertRaises(AccessError):
                    self.member.with_user(user).write({name: False})

    def test_facts_cannot_be_forged_at_creation(self):
        partner = (
            self.env["res.partner"]
            .with_context(default_membri_status="active", default_membri_date_end="2030-12-31")
            .create({"name": "Mallory", "membri_renewal_id": 1})
        )
        self.assertFalse(partner.membri_is_member)
        self.assertNotEqual(partner.membri_status, "active")
        self.assertFalse(partner.membri_date_end)
        self.assertFalse(partner.membri_renewal_id)
        reader = new_test_user(
            self.env_root,
            "reader",
            "membri_renewal.group_membri_readonly,base.group_partner_manager",
        )
        with self.assertRaises(AccessError):
            self.env["res.partner"].with_user(reader).with_context(
                default_membri_intervention_required=True
            ).create({"name": "Mallory"})

    def test_choices_are_the_officers(self):
        contacts = new_test_user(
            self.env_root,
            "contacts",
            "membri_renewal.group_membri_readonly,base.group_partner_manager",
        )
        for vals in (
            {"membri_intervention_required": True},
            {"membri_auto_renew": True},
            {"membri_renewal_email": "evil@example.com"},
        ):
            with self.subTest(vals=vals), self.assertRaises(AccessError):
                self.member.with_user(contacts).write(vals)
        self.member.with_user(contacts).write({"name": "Renamed"})
        self.member.write({"membri_intervention_required": True})
        self.assertTrue(self.member.membri_intervention_required)

    # ------------------------------------------------------------------
    # Companies
    # ------------------------------------------------------------------

    def _create_chapter_west(self):
        """A second chapter, of which our officer is no member, with a renewal sent."""
        west = self.env_root["res.company"].create({"name": "Chapter West", "membri_tz": "UTC"})
        env = self.env_root(context={"allowed_company_ids": west.ids})
        option_set = env["membri.option.set"].create(
            {
                "name": "West",
                "company_id": west.id,
                "line_ids": [fields.Command.create({"product_id": self.product.id})],
            }
        )
        cotisation = env["membri.cotisation"].create(
            {
                "partner_id": self.member.id,
                "option_set_id": option_set.id,
                "date_start": "2026-01-01",
                "state": "active",
                "line_ids": [
                    fields.Command.create({"product_id": self.product.id, "price_unit": 99.0})
                ],
            }
        )
        return west, cotisation, env["membri.renewal"].create({"cotisation_id": cotisation.id})

    def test_companies_do_not_see_each_other(self):
        _west, cotisation, renewal = self._create_chapter_west()
        for record in (
            renewal,
            renewal.line_ids,
            cotisation,
            cotisation.line_ids,
            cotisation.option_set_id,
            cotisation.option_set_id.line_ids,
        ):
            for user in (self.officer, self.manager, self.auditor):
                seen = record.with_user(user).with_context(allowed_company_ids=self.company.ids)
                with self.subTest(model=record._name, user=user.login):
                    self.assertTrue(record)
                    self.assertFalse(seen.search([("id", "in", record.ids)]))
                    with self.assertRaises(AccessError):
                        seen.read(["display_name"])
        with self.assertRaises(AccessError):
            renewal.with_user(self.officer).with_context(
                allowed_company_ids=self.company.ids
            ).action_cancel()
        with self.assertRaises(AccessError):
            self.env["membri.renewal"].create({"cotisation_id": cotisation.id})

    def test_company_cannot_be_forged_by_context(self):
        west, _cotisation, renewal = self._create_chapter_west()
        with self.assertRaises(AccessError):
            renewal.with_user(self.officer).with_context(
                allowed_company_ids=west.ids
            ).action_cancel()
        self.assertEqual(renewal.state, "draft")

    def test_membership_is_per_company(self):
        """One contact, two chapters: status, flag and state do not leak over."""
        west, _cotisation, there = self._create_chapter_west()
        here = self._create_renewal(self._create_cotisation(self.member, "2026-01-01"))
        here.action_send()
        self.member.membri_intervention_required = True
        self.assertEqual((here.state, there.state), ("intervention", "draft"))
        in_west = self.member.with_env(self.env_root).with_company(west)
        self.assertFalse(in_west.membri_intervention_required)
        self.assertEqual(in_west.membri_renewal_id, there)
        self.assertEqual(self.member.membri_renewal_id, here)
        here.cotisation_id.action_terminate("2026-11-01", "Left")
        self.env.invalidate_all()
        self.assertEqual(self.member.membri_status, "inactive")
        self.assertEqual(in_west.membri_status, "active")

    # ------------------------------------------------------------------
    # Portal
    # ------------------------------------------------------------------

    def test_portal_reads_its_own_once_sent(self):
        own = self._create_renewal(self._create_cotisation(self.household, "2026-01-01"))
        other = self._renewal_in("sent")
        portal = self.env["membri.renewal"].with_user(self.portal)
        self.assertFalse(portal.search([]), "a draft is the staff's own business")
        own.action_send()
        self.assertEqual(portal.search([]), own)
        self.assertEqual(portal.browse(own.id).read(["amount_total"])[0]["amount_total"], 345.0)
        self.assertEqual(own.line_ids.with_user(self.portal).price_unit, 300.0)
        for record in (other, other.line_ids):
            with self.assertRaises(AccessError):
                record.with_user(self.portal).read(["display_name"])
        own.action_cancel()
        self.assertFalse(portal.search([]))

    def test_portal_sees_nothing_of_the_staffs(self):
        own = self._create_renewal(self._create_cotisation(self.household, "2026-01-01"))
        own.action_send()
        own.action_require_intervention("Bad payer, call the lawyer")
        for name in (
            "intervention_reason",
            "refusal_note",
            "delivery_note",
            "change_request",
            "state_before_intervention",
            "access_token",
            "reminder_log_ids",
        ):
            with self.subTest(field=name), self.assertRaises(AccessError):
                own.with_user(self.portal).read([name])
        with self.assertRaises(AccessError):
            own.cotisation_id.with_user(self.portal).read(["name"])

    def test_portal_writes_nothing(self):
        own = self._create_renewal(self._create_cotisation(self.household, "2026-01-01"))
        own.action_send()
        as_portal = own.with_user(self.portal)
        for call in (
            lambda: as_portal.write({"date_end": "2099-12-31"}),
            lambda: as_portal.line_ids.write({"price_unit": 0.0}),
            as_portal.line_ids.unlink,
            as_portal.unlink,
            as_portal.copy,
        ):
            with self.assertRaises(AccessError):
                call()
        self.assertEqual(own.amount_total, 345.0)
