"""Members whose saved card pays by itself: it is charged, declined and tried again, or stopped.
And what is never paid is ended by the night."""

PLANS = ("membri_renewal.demo_set_pme", "membri_renewal.demo_set_ind")
QUEUE = "membri_renewal.dashboard_charge_failed"
# how the cards of every tenth payer answer; « error » may pass, « cancel » does not
ANSWERS = ["done"] * 7 + ["error"] * 2 + ["cancel"]


class Cards:
    def __init__(self, world):
        self.world = world

    def work(self, week):
        with self.world.acting_as(None) as env:
            if not week:
                self._save_cards(env)
            self._follow_declines(env)
            self._stop(env)

    def _save_cards(self, env):
        """Every third member of the plans that charge cards has one saved."""
        plans = env["membri.option.set"].union(*(env.ref(xmlid) for xmlid in PLANS))
        plans.automatic_payment = "offered"
        plans.filtered("unpaid_end_months").unpaid_end_automatic = True
        provider = env["payment.provider"].search(
            [("code", "=", "demo"), ("company_id", "=", env.company.id)], limit=1
        )
        terms = env["membri.cotisation"].search(
            [("option_set_id", "in", plans.ids), ("state", "in", ("active", "expired"))]
        )
        for number, member in enumerate(terms.partner_id.sorted("id")[::3]):
            payer = member._membri_get_payer().with_company(env.company)
            if payer.membri_payment_token_id:
                continue
            token = env["payment.token"].create(
                {
                    "provider_id": provider.id,
                    "payment_method_id": env.ref("payment_demo.payment_method_demo").id,
                    "partner_id": payer.id,
                    "payment_details": "4242",
                    "provider_ref": "season",
                    "demo_simulated_state": ANSWERS[number % len(ANSWERS)],
                }
            )
            payer._membri_save_card(token, env.company._membri_get_consent_wording(), "payment")
            self.world.ledger.note("saved a card")

    def _follow_declines(self, env):
        """Half of those whose card was declined settle it with their bank."""
        declined = env["membri.renewal"].search(
            [("charge_state", "=", "failed"), ("date_charge_retry", "!=", False)]
        )
        for token in declined.charge_token_id.filtered(lambda token: token.id % 2):
            if token.demo_simulated_state == "error":
                token.demo_simulated_state = "done"
                self.world.ledger.note("settled a declined card")

    def _stop(self, env):
        for renewal in env["membri.renewal"].search([("charge_state", "=", "announced")]):
            if renewal.id % 11 == 0:
                renewal.action_stop_charge()
                self.world.ledger.note("stopped a payment")


def check(env):
    """Each check yields ``(holds, sentence)``."""
    charges = env["payment.transaction"].search([("membri_charge_invoice_id", "!=", False)])
    done = charges.filtered(lambda tx: tx.state == "done")
    again = charges.filtered(lambda tx: tx.reference.rsplit("-", 1)[-1] != "1")
    Renewal = env["membri.renewal"]
    company = [("company_id", "=", env.company.id)]
    late = Renewal.search_count([*company, ("in_arrears", "=", True)])
    not_paid = env.ref("membri_renewal.refusal_reason_not_paid")
    ended = Renewal.search_count([*company, ("refusal_reason_id", "=", not_paid.id)])
    counts = {
        "charged": len(done),
        "declined": len(charges.filtered(lambda tx: tx.state in ("error", "cancel"))),
        "tried again": len(again),
        "in arrears": late,
        "ended unpaid": ended,
    }
    listed = ", ".join(f"{count} {what}" for what, count in counts.items())
    yield all(counts.values()), f"saved cards and unpaid renewals: {listed}"
    unseen = Renewal.search(
        [
            *company,
            ("is_open", "=", True),
            ("charge_state", "=", "failed"),
            ("id", "not in", Renewal.search(env.ref(QUEUE)._get_domain()).ids),
        ]
    )
    yield not unseen, "every payment that failed is in its queue"
