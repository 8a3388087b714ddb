from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from odoo.addons.account.tests.common import AccountTestInvoicingCommon


class MembriCommon(AccountTestInvoicingCommon):
    """A company with a chart of accounts, three option sets, members and one user per group.

    Tests run as the membership officer; ``cls.env`` of the accountant is ``cls.env_account``.
    """

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.company_data["company"]
        cls.company.membri_tz = "America/Toronto"
        groups = "membri_renewal.group_membri_"
        company = {
            "company_ids": [fields.Command.set(cls.company.ids)],
            "company_id": cls.company.id,
        }
        cls.officer = new_test_user(
            cls.env, "officer", f"{groups}user", email="officer@example.com", **company
        )
        cls.manager = new_test_user(cls.env, "manager", f"{groups}manager", **company)
        cls.auditor = new_test_user(cls.env, "auditor", f"{groups}readonly", **company)
        cls.employee = new_test_user(cls.env, "employee", "base.group_user", **company)
        cls.company.membri_officer_id = cls.officer
        cls.env_account = cls.env
        cls.env = cls.env(user=cls.officer)
        cls.env_root = cls.env(user=cls.env.ref("base.user_root"), su=True)

        cls.tax = cls.company_data["default_tax_sale"]
        cls.product = cls._create_option("Membership", 300.0)
        cls.extra = cls._create_option("Directory listing", 50.0)
        cls.yearly = cls._create_option_set("Yearly", notice_lead_days=60)
        cls.fixed = cls._create_option_set(
            "Calendar year", date_mode="fixed", fixed_month="1", fixed_day=1, proration="daily"
        )
        cls.monthly = cls._create_option_set(
            "Monthly", period_unit="month", renewal_mode="invoice", notice_lead_days=7
        )
        cls.for_life = cls._create_option_set("For life", lifetime=True)
        cls.reason = cls.env["membri.refusal.reason"].create({"name": "Moved to the Moon"})
        cls.member = cls._create_member("Ada Boulanger")

    @classmethod
    def _create_option(cls, name, price):
        return cls.env_root["product.product"].create(
            {
                "name": name,
                "type": "service",
                "list_price": price,
                "taxes_id": [fields.Command.set(cls.tax.ids)],
            }
        )

    @classmethod
    def _create_option_set(cls, name, products=None, **vals):
        return (
            cls.env_root["membri.option.set"]
            .create(
                {
                    "name": name,
                    "company_id": cls.company.id,
                    "line_ids": [
                        fields.Command.create({"product_id": product.id})
                        for product in products or cls.product
                    ],
                    **vals,
                }
            )
            .with_env(cls.env)
        )

    @classmethod
    def _create_member(cls, name, **vals):
        email = f"{name.lower().replace(' ', '.')}@example.com"
        return cls.env["res.partner"].create({"name": name, "email": email, **vals})

    @classmethod
    def _create_cotisation(cls, member, date_start, option_set=None, state="active", **vals):
        """An imported cotisation: a fact, without invoice."""
        return cls.env["membri.cotisation"].create(
            {
                "partner_id": member.id,
                "option_set_id": (option_set or cls.yearly).id,
                "date_start": date_start,
                "state": state,
                **vals,
            }
        )

    @classmethod
    def _create_renewal(cls, cotisation, **vals):
        return cls.env["membri.renewal"].create({"cotisation_id": cotisation.id, **vals})

    @classmethod
    def _create_yearly(cls, **vals):
        """A new member of 2026 with a term to renew: each call another one."""
        cls.member_number = getattr(cls, "member_number", 0) + 1
        member = cls._create_member(f"Member {cls.member_number}", **vals)
        return cls._create_cotisation(member, "2026-01-01")

    def _renewal_in(self, state, **vals):
        """A renewal of a new member, brought to ``state`` by its own actions."""
        renewal = self._create_renewal(self._create_yearly(), **vals)
        if state in ("sent", "change_requested", "intervention"):
            renewal.action_send()
        if state == "change_requested":
            renewal.action_request_change("Please call me")
        elif state == "intervention":
            renewal.action_require_intervention("Call before sending")
        elif state == "approved":
            renewal.action_approve()
        elif state == "refused":
            self._refuse(renewal)
        elif state == "cancelled":
            renewal.action_cancel()
        self.assertEqual(set(renewal.mapped("state")), {state})
        return renewal

    def _open_wizard(self, action, **vals):
        """The wizard that a button opened, with its context."""
        return self.env[action["res_model"]].with_context(**action["context"]).create(vals)

    def _refuse(self, renewals, reason=None):
        """Refuse by the wizard, as the staff does."""
        wizard = self._open_wizard(renewals.action_refuse(), reason_id=(reason or self.reason).id)
        return wizard.action_confirm()

    def _assert_refused(self, call):
        """``call`` raises a ``UserError`` (not an access error), and is *not* rolled back,
        so that what it changed before can be seen; returns the sentence."""
        try:
            call()
        except AccessError:
            raise
        except UserError as error:
            return str(error)
        return self.fail("a UserError was expected")

    def _snapshot(self, records):
        """All stored values of ``records``, of their lines and of the member's flag."""
        self.env.flush_all()
        self.env.invalidate_all()
        parts = [records.sudo(), records.sudo().line_ids]
        values = [
            part.read(
                [name for name, field in part._fields.items() if field.store and field.column_type]
            )
            for part in parts
        ]
        flags = records.sudo().partner_id.mapped("membri_intervention_required")
        return values, flags, records.sudo().mapped("message_ids.id")

    @classmethod
    def _create_other_company(cls, name, timezone, with_accounting=False):
        """Another chapter, which the officer may work in."""
        if with_accounting:
            env, cls.env = cls.env, cls.env_account
            company = cls.setup_other_company(name=name)["company"]
            cls.env = env
        else:
            company = cls.env_root["res.company"].create({"name": name})
        company = company.with_env(cls.env_root)
        company.membri_tz = timezone
        cls.officer.with_env(cls.env_root).company_ids += company
        return company

    @classmethod
    def _create_manager_of(cls, company, login):
        """A membership manager of another company, and of that one alone."""
        return new_test_user(
            cls.env_root,
            login,
            "membri_renewal.group_membri_manager",
            company_id=company.id,
            company_ids=[fields.Command.set(company.ids)],
        )

    def _bill_in_euros(self, member, rates):
        """Bill ``member`` in euros from now on.

        :param rates: ``{day: euros for one unit of the company's currency}``
        :return: the currency"""
        currency = self.env_root.ref("base.EUR")
        currency.active = True
        self.env_root["res.currency.rate"].create(
            [
                {
                    "currency_id": currency.id,
                    "company_id": self.company.id,
                    "name": day,
                    "rate": rate,
                }
                for day, rate in rates.items()
            ]
        )
        member.sudo().property_product_pricelist = self.env_root["product.pricelist"].create(
            {"name": "Euro", "currency_id": currency.id}
        )
        return currency

    def _get_stored(self, record):
        """All stored values of one record: to show that nothing has changed."""
        self.env.flush_all()
        names = [name for name, field in record._fields.items() if field.store]
        return record.sudo().read(names)[0]

    def _get_notices(self, mails):
        """The notices and reminders to members among ``mails``, without the notifications
        to the staff."""
        notice = self.env.ref("membri_renewal.mt_notice")
        return mails.filtered(lambda mail: mail.mail_message_id.subtype_id == notice)

    def _reverse_and_create(self, invoices, **vals):
        """The accountant's *Reverse and Create Invoice*; returns the new invoices."""
        wizard = (
            self.env_account["account.move.reversal"]
            .with_context(active_model="account.move", active_ids=invoices.ids)
            .create({"journal_id": invoices[:1].journal_id.id, **vals})
        )
        wizard.modify_moves()
        return wizard.new_move_ids.filtered(lambda move: move.move_type == "out_invoice")

    def _pay(self, invoice, amount=None):
        """Register a payment as the accountant does; returns the ``account.payment``."""
        return self._register_payment(
            invoice.with_env(self.env_account),
            **({"amount": amount} if amount is not None else {}),
        )

    def _pay_by_bank(self, invoice, amount):
        """A line of the bank statement, reconciled with ``invoice`` by the accountant."""
        line = self.env_account["account.bank.statement.line"].create(
            {
                "payment_ref": invoice.payment_reference,
                "journal_id": self.company_data["default_journal_bank"].id,
                "amount": amount,
                "date": fields.Date.today(),
            }
        )
        receivable = invoice.with_env(self.env_account).line_ids.filtered(
            lambda move_line: move_line.account_type == "asset_receivable"
        )
        _liquidity, suspense, _other = line.with_context(
            skip_account_move_synchronization=True
        )._seek_for_lines()
        suspense.account_id = receivable.account_id
        (suspense + receivable).reconcile()
        return line

    def _create_transaction(self, invoice, state):
        """An online payment of ``invoice`` that has got as far as ``state``."""
        provider = self.env_root["payment.provider"].search(
            [("code", "=", "none"), ("company_id", "=", self.company.id)], limit=1
        ) or self.env_root["payment.provider"].create(
            {"name": "Card", "code": "none", "company_id": self.company.id, "state": "test"}
        )
        method = self.env_root["payment.method"].with_context(active_test=False).search([], limit=1)
        transaction = self.env_root["payment.transaction"].create(
            {
                "provider_id": provider.id,
                "payment_method_id": method.id,
                "operation": "online_direct",
                "reference": f"TX-{invoice.id}-{state}",
                "amount": invoice.amount_total,
                "currency_id": invoice.currency_id.id,
                "partner_id": invoice.partner_id.id,
                "invoice_ids": [fields.Command.set(invoice.ids)],
            }
        )
        # past the check that this provider can authorise and capture in two steps
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE payment_transaction SET state = %s WHERE id = %s", [state, transaction.id]
        )
        transaction.invalidate_recordset()
        return transaction

    def _patch_bank_synchronisation(self):
        """Be like an Odoo with bank synchronisation: payments may have no journal entry, and
        a paid invoice is “in payment” until the statement comes."""
        return patch.object(
            self.registry["account.move"],
            "_get_invoice_in_payment_state",
            lambda _moves: "in_payment",
        )

    def _set_payment_account(self, kind):
        """How bank payments are booked: on an ``outstanding`` account until the statement
        comes, straight to the ``bank`` account, or with ``none``: no journal entry."""
        journal = self.company_data["default_journal_bank"].with_env(self.env_root)
        account = {
            "outstanding": lambda: self.env_root["account.account"].create(
                {
                    "name": "Outstanding receipts",
                    "code": "101499",
                    "account_type": "asset_current",
                    "reconcile": True,
                    "company_ids": [fields.Command.set(self.company.ids)],
                }
            ),
            "bank": lambda: journal.default_account_id,
            "none": lambda: self.env_root["account.account"],
        }[kind]()
        journal.inbound_payment_method_line_ids.payment_account_id = account

    def _run_cron(self, xmlid):
        """Run a scheduled action as the scheduler does, commits included."""
        with self.enter_registry_test_mode():
            self.env_root.ref(f"membri_renewal.{xmlid}").method_direct_trigger()
        self.env.invalidate_all()
