import inspect

from freezegun import freeze_time

from odoo.tests import tagged

from .common import MembriCommon

TERM = "name partner_id company_id currency_id option_set_id line_ids date_start date_end state"
TERM += " amount_untaxed amount_total invoice_id payment_state"
LINE = "product_id name quantity price_unit tax_ids price_subtotal"
FIELDS = {
    "membri.option.set": "name code type_id sequence active company_id currency_id renewal_mode"
    " period_count period_unit lifetime date_mode fixed_month fixed_day proration proration_value"
    " late_policy notice_lead_days grace_days reminder_ids line_ids automatic_payment activation"
    " announce_days unpaid_end_months",
    "membri.option.set.line": "product_id quantity price_unit is_required is_default",
    "membri.cotisation": f"{TERM} renewal_id previous_id origin",
    "membri.cotisation.line": LINE,
    "membri.renewal": f"{TERM} recipient_id cotisation_id mode date_sent date_answer date_approved"
    " date_refused date_last_reminder date_next_reminder reminder_count change_request"
    " intervention_reason refusal_reason_id refusal_note invoice_ids new_cotisation_id is_paid"
    " is_open date_charge amount_charge charge_state in_arrears",
    "membri.renewal.line": LINE,
    "account.move": "membri_renewal_id membri_invoice_type",
    "account.move.line": "membri_cotisation_id",
    "membri.enrolment": "partner_id option_set_id date_start date_end prorate line_ids",
    "membri.reminder.step": "option_set_id trigger days automatic mail_template_id",
    "membri.refusal.reason": "name active",
    "membri.dashboard": "code name sequence domain help record_count",
    "membri.renewal.refuse": "renewal_ids reason_id note",
    "membri.subscription.type": "name",
    "membri.import": "profile file filename option_set_map line_ids state",
    "membri.import.line": "row result message partner_id cotisation_id",
    "membri.insight": "partner_id company_id option_set_id cohort_year tenure_years is_first_year"
    " date_end outcome amount_before amount_after days_to_answer days_to_pay",
    "res.partner": "membri_status membri_is_member membri_cotisation_id membri_cotisation_ids"
    " membri_renewal_id membri_renewal_ids membri_option_set_id membri_member_since"
    " membri_date_end membri_auto_renew membri_continuous_since membri_next_option_set_id"
    " membri_intervention_required membri_intervention_reason membri_responsible_id"
    " membri_renewal_email membri_payment_token_id membri_payment_consent_date"
    " membri_auto_renew_consent_date",
    "res.company": "membri_tz membri_go_live membri_charge_lead_days membri_charge_retry_days",
}
VALUES = {
    "membri.option.set": {
        "renewal_mode": "notice invoice",
        "period_unit": "month year",
        "date_mode": "anniversary fixed",
        "proration": "none daily monthly percent amount",
        "late_policy": "keep restart",
        "automatic_payment": "none offered required",
        "activation": "paid first_part approved",
    },
    "membri.cotisation": {
        "state": "pending scheduled active expired cancelled",
        "origin": "enrolment renewal import",
    },
    "membri.renewal": {
        "state": "draft sent change_requested intervention approved refused cancelled",
        "mode": "notice invoice",
        "charge_state": "announced pending done failed stopped",
    },
    "account.move": {"membri_invoice_type": "enrolment renewal"},
    "membri.reminder.step": {"trigger": "after_sent before_end after_end after_due"},
    "membri.insight": {
        "outcome": "renewed returned left unpaid terminated deceased open",
    },
    "res.partner": {"membri_status": "non_member pending active in_renewal inactive"},
}
# the parameters that are told; more may follow, with a default
METHODS = {
    "membri.renewal": {
        "action_send": "",
        "action_request_change": "",
        "action_require_intervention": "",
        "action_approve": "",
        "action_refuse": "",
        "action_reset": "",
        "action_cancel": "",
        "action_send_reminder": "",
        "action_stop_charge": "",
        "action_end_unpaid": "",
        "_do_refuse": "reason note",
        "_cron_generate": "",
        "_cron_send_reminders": "",
        "_cron_process_bulk": "",
        "_cron_charge": "",
    },
    "membri.cotisation": {
        "action_cancel": "",
        "action_terminate": "date reason",
        "_cron_update_states": "",
    },
    "membri.option.set": {
        "_get_period": "date_start anchor",
        "_get_next_period": "cotisation",
        "_get_proration": "date_start date_end",
    },
    "membri.enrolment": {"action_confirm": ""},
    "membri.renewal.refuse": {"action_confirm": ""},
    "membri.dashboard": {"action_open": ""},
    "membri.import": {"action_preview": "", "action_run": "", "action_undo": ""},
    "res.partner": {"_membri_enrol": "option_set date_start prorate"},
}
QUEUES = (
    "to_remind change_requested no_answer_7d intervention no_answer_6m accepted_unpaid all_open"
    " unreachable send_failed charge_failed in_arrears unpaid_too_long"
)


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestContract(MembriCommon):
    """Specification §8: the names that clients, imports and extensions use."""

    def test_fields(self):
        missing = [
            f"{model}.{name}"
            for model, names in FIELDS.items()
            for name in names.split()
            if name not in self.env[model]._fields
        ]
        self.assertEqual(missing, [])

    def test_values(self):
        for model, by_field in VALUES.items():
            for name, values in by_field.items():
                with self.subTest(field=f"{model}.{name}"):
                    found = self.env[model]._fields[name].get_values(self.env_root)
                    self.assertEqual(set(found), set(values.split()))
        invoice_states = self.env["account.move"]._fields["payment_state"].get_values(self.env_root)
        for model in ("membri.cotisation", "membri.renewal"):
            found = self.env[model]._fields["payment_state"].get_values(self.env_root)
            self.assertEqual(found, invoice_states)

    def test_methods(self):
        for model, methods in METHODS.items():
            for name, told in methods.items():
                with self.subTest(method=f"{model}.{name}"):
                    method = getattr(type(self.env[model]), name)
                    _self, *parameters = inspect.signature(method).parameters.values()
                    told = told.split()
                    self.assertEqual([p.name for p in parameters[: len(told)]], told)
                    for parameter in parameters[len(told) :]:
                        self.assertIsNot(parameter.default, inspect.Parameter.empty)

    def test_queues(self):
        queues = self.env["membri.dashboard"].search([])
        self.assertLessEqual(set(QUEUES.split()), set(queues.mapped("code")))
        for queue in queues:
            action = queue.action_open()
            self.assertEqual(action["type"], "ir.actions.act_window")
            self.assertIsInstance(queue.record_count, int)

    def test_groups(self):
        for name in ("user", "manager", "readonly"):
            self.assertTrue(self.env.ref(f"membri_renewal.group_membri_{name}"))
