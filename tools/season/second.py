"""A second company in the database, with its own officer, plan and members; one of them is a
member of the first one as well."""

from datetime import timedelta

import checks
import lost
from lost import verdict

NAME = "Club nautique de la Baie-Rouge"
MEMBERS = 8
LEADS = 60


class Second:
    def __init__(self, world):
        self.world = world
        self.company_id = None
        self.shared = None  # the contact of both

    def enter(self, env):
        """Before the first day."""
        Company = env["res.company"].with_context(chart_template_load=True)
        first = env.company
        company = Company.create(
            {
                "name": NAME,
                "country_id": first.country_id.id,
                "state_id": first.state_id.id,
                "currency_id": first.currency_id.id,
                "email": "info@baie-rouge.example",
                "membri_tz": "America/Toronto",
            }
        ).with_env(env)
        self.company_id = company.id
        company.partner_id.lang = "fr_CA"
        env["membri.demo"]._load_chart(company)
        for login, xmlid in (
            ("officer", "demo_user_officer"),
            ("accountant", "demo_user_accountant"),
        ):
            user = env.ref(f"membri_renewal.{xmlid}").copy(
                {
                    "name": f"{login} (Baie-Rouge)",
                    "login": f"{login}2",
                    "company_id": company.id,
                    "company_ids": [(6, 0, company.ids)],
                }
            )
            user.email = f"{login}@baie-rouge.example"
            if login == "officer":
                company.membri_officer_id = user
        env = env(context={**env.context, "allowed_company_ids": company.ids})
        product = env["product.product"].create(
            {
                "name": "Cotisation du club",
                "type": "service",
                "list_price": 120.0,
                "company_id": company.id,
                "taxes_id": [(6, 0, company.account_sale_tax_id.ids)],
            }
        )
        option_set = env["membri.option.set"].create(
            {
                "name": "Membre du club",
                "company_id": company.id,
                "renewal_mode": "notice",
                "notice_lead_days": LEADS,
                "line_ids": [(0, 0, {"product_id": product.id, "is_required": True})],
            }
        )
        option_set.action_propose_reminders()
        today = company._membri_today()
        self.shared = env.ref("membri_renewal.demo_member").id
        members = env["res.partner"].browse(self.shared) | env["res.partner"].create(
            [
                {
                    "name": f"Plaisancière {number}",
                    "email": f"plaisanciere{number}@baie-rouge.example",
                    "lang": "fr_CA",
                    "company_id": company.id,
                }
                for number in range(1, MEMBERS)
            ]
        )
        for number, member in enumerate(members):
            end = today + timedelta(days=15 + 9 * number)
            env["membri.cotisation"].create(
                {
                    "partner_id": member.id,
                    "option_set_id": option_set.id,
                    "date_start": end - timedelta(days=364),
                    "date_end": end,
                    "state": "active",
                    "origin": "import",
                }
            )

    def work(self, week):
        """Some answer by the link, some by telephone, one declines; who accepted pays."""
        with self.world.acting_as("officer2", self.company_id) as env:
            waiting = env["membri.renewal"].search(
                [("state", "=", "sent"), ("company_id", "=", self.company_id)]
            )
            by_link = waiting.filtered(lambda r: r.id % 2)
            (refused := (waiting - by_link).filtered(lambda r: not r.id % 3))
            if refused:
                self.world.officer.refuse(env, refused, "membri_renewal.refusal_reason_price")
            (waiting - by_link - refused).action_approve()
            links = {r.id: self.world.inbox.links.get(r.id) for r in by_link}
        for renewal_id, link in links.items():
            if link:
                self.world.members.answer(renewal_id, "accept", link)
        with self.world.acting_as("accountant2", self.company_id) as env:
            invoices = env["account.move"].search(
                [
                    ("company_id", "=", self.company_id),
                    ("membri_invoice_type", "!=", False),
                    ("move_type", "=", "out_invoice"),
                    ("state", "=", "posted"),
                    ("payment_state", "=", "not_paid"),
                ]
            )
            for invoice in invoices.filtered(lambda m: m.id % 4):
                self.world.accountant.pay_from_statement(env, invoice, invoice.amount_residual)
                self.world.ledger.note("paid in the second company")


# emails of one company's documents that come from the other one
CROSSED = """
    SELECT mail.id
      FROM mail_mail mail
      JOIN mail_message message ON message.id = mail.mail_message_id
 LEFT JOIN account_move m ON message.model = 'account.move' AND m.id = message.res_id
 LEFT JOIN membri_renewal r ON message.model = 'membri.renewal' AND r.id = message.res_id
     WHERE mail.membri_kind IS NOT NULL AND mail.id > %(last)s
       AND (COALESCE(m.company_id, r.company_id) = %(company)s)
        != (message.email_from LIKE '%%@baie-rouge.example%%')
"""


def run(env, second, ledger):
    """Each check yields ``(holds, sentence)``; ``env`` is the second company's."""
    results = list(lost.check_terms(env, ledger, queues := lost.Queues(env)))
    results += lost.check_documents(env, queues)
    results += lost.check_payments(env, ledger)
    results += checks.check_money(env)
    results += checks.check_never(env, ledger)
    results += check_apart(env, second, ledger)
    for holds, sentence in results:
        if not holds:
            yield False, f"second company: {sentence}"
    paid = env["account.move"].search_count(
        [
            ("company_id", "=", env.company.id),
            ("membri_invoice_type", "!=", False),
            ("payment_state", "in", checks.PAID),
        ]
    )
    yield (
        bool(paid),
        f"a second company: {MEMBERS} members, {paid} paid invoices, and {len(results)} of these "
        "checks hold there, too",
    )


def check_apart(env, second, ledger):
    env.cr.execute(CROSSED, {"company": env.company.id, "last": ledger.last_mail_before})
    crossed = [row[0] for row in env.cr.fetchall()]
    yield verdict(crossed, "no email of one company comes from the other")
    member = env["res.partner"].browse(second.shared)
    for company in env.company | env.ref("membri_renewal.demo_company"):
        seen = member.with_company(company).with_context(allowed_company_ids=company.ids)
        foreign = seen.membri_cotisation_id.company_id - company
        yield verdict(foreign.mapped("name"), "who is a member of both has a status in each")
