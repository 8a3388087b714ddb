import threading
from datetime import timedelta

from psycopg2 import OperationalError

from odoo import SUPERUSER_ID, api
from odoo.fields import Command
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, get_db_name, tagged
from odoo.tools import mute_logger

MEMBERS = 12


@tagged("post_install", "-at_install")
class TestConcurrentGeneration(BaseCase):
    """Two real workers, each with its own connection: every member is asked once. What the
    tests commit is deleted afterwards."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self._worker() as env:
            self.company_email = env.company.email
            env.company.email = "office@example.com"
            option_set = env["membri.option.set"].create(
                {
                    "name": "Concurrent",
                    "line_ids": [
                        Command.create(
                            {
                                "product_id": env["product.product"]
                                .create({"name": "Concurrent", "type": "service"})
                                .id,
                                "price_unit": 100.0,
                            }
                        )
                    ],
                }
            )
            members = env["res.partner"].create(
                [
                    {"name": f"Concurrent {number}", "email": f"concurrent{number}@example.com"}
                    for number in range(MEMBERS)
                ]
            )
            today = option_set.company_id._membri_today()
            cotisations = env["membri.cotisation"].create(
                [
                    {
                        "partner_id": member.id,
                        "option_set_id": option_set.id,
                        "date_start": today - timedelta(days=350),
                        "date_end": today + timedelta(days=14),
                        "state": "active",
                    }
                    for member in members
                ]
            )
            self.option_set_id = option_set.id
            self.product_id = option_set.line_ids.product_id.id
            self.member_ids, self.cotisation_ids = members.ids, cotisations.ids
        self.addCleanup(self._delete_all)

    def _worker(self):
        """A transaction of its own, committed at the end."""
        return _Worker(self.registry)

    def _delete_all(self):
        with self._worker() as env:
            members = tuple(self.member_ids)
            renewals = env["membri.renewal"].search([("partner_id", "in", members)])
            attachments = env["ir.attachment"].search(
                [("res_model", "=", "membri.renewal"), ("res_id", "in", renewals.ids)]
            )
            env.cr.execute(
                "DELETE FROM mail_message WHERE (model = 'membri.renewal' AND res_id = ANY(%s))"
                " OR (model = 'membri.cotisation' AND res_id = ANY(%s))"
                " OR (model = 'res.partner' AND res_id = ANY(%s))",
                [renewals.ids, self.cotisation_ids, self.member_ids],
            )
            attachments.unlink()
            env.cr.execute("DELETE FROM membri_renewal WHERE partner_id IN %s", [members])
            env.cr.execute("DELETE FROM membri_cotisation WHERE partner_id IN %s", [members])
            env.invalidate_all()
            env["membri.option.set"].browse(self.option_set_id).unlink()
            env["product.product"].browse(self.product_id).product_tmpl_id.unlink()
            env["res.partner"].browse(self.member_ids).unlink()
            env.company.email = self.company_email

    def _assert_each_once(self):
        with self._worker() as env:
            renewals = env["membri.renewal"].search([("partner_id", "in", self.member_ids)])
            self.assertEqual(len(renewals), MEMBERS)
            self.assertEqual(len(renewals.cotisation_id), MEMBERS)
            self.assertEqual(set(renewals.mapped("state")), {"sent"})
            mails = env["mail.mail"].search(
                [("model", "=", "membri.renewal"), ("res_id", "in", renewals.ids)]
            )
            self.assertEqual(len(mails), MEMBERS, "one email each")

    def test_second_worker_passes_over_what_the_first_has(self):
        """It neither waits nor doubles; later it finds nothing left to do."""
        with self._worker() as first, self._worker() as second:
            mine = first["membri.cotisation"].browse(self.cotisation_ids[:5])
            mine.try_lock_for_update()._generate_isolated()
            first.flush_all()
            second["membri.renewal"]._cron_generate()
            made = second["membri.renewal"].search([("partner_id", "in", self.member_ids)])
            self.assertEqual(set(made.cotisation_id.ids), set(self.cotisation_ids[5:]))
            first.cr.commit()
            second.cr.commit()
            second["membri.renewal"]._cron_generate()
        self._assert_each_once()

    def test_worker_that_dies_in_mid_batch_leaves_nothing(self):
        with self._worker() as first:
            mine = first["membri.cotisation"].browse(self.cotisation_ids[:5])
            mine.try_lock_for_update()._generate_isolated()
            first.flush_all()
            first.cr.rollback()
        with self._worker() as second:
            second["membri.renewal"]._cron_generate()
            second["membri.renewal"]._cron_generate()
        self._assert_each_once()

    def test_two_nights_at_the_same_time(self):
        """Threads, as two servers would: whoever meets the other's work leaves it or starts
        again, as Odoo's scheduler does."""
        start = threading.Barrier(2)
        finished = []

        def work(env):
            start.wait(timeout=30)
            for _attempt in range(10):
                try:
                    env["membri.renewal"]._cron_generate()
                    finished.append(env)
                    return
                except OperationalError:
                    env.cr.rollback()

        # environments are made here: the tests' own thread holds the lock of the registry
        with self._worker() as first, self._worker() as second, mute_logger("odoo.sql_db"):
            threads = [threading.Thread(target=work, args=(env,)) for env in (first, second)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(timeout=120)
            self.assertEqual(set(finished), {first, second})
        with self._worker() as env:  # whatever both passed over
            env["membri.renewal"]._cron_generate()
        self._assert_each_once()

    def test_night_and_campaign_at_the_same_time(self):
        with self._worker() as night, self._worker() as officer:
            campaign = officer["membri.campaign"].create(
                {
                    "option_set_ids": [self.option_set_id],
                    "date_to": officer.company._membri_today() + timedelta(days=30),
                }
            )
            campaign.action_preview()
            officer.cr.commit()
            self.addCleanup(self._delete_campaign, campaign.id)
            mine = night["membri.cotisation"].browse(self.cotisation_ids[:5])
            mine.try_lock_for_update()._generate_isolated()
            night.flush_all()
            campaign.action_send()
            self.assertEqual((campaign.done_count, campaign.todo_count), (MEMBERS - 5, 5))
            officer.cr.commit()
            night.cr.commit()
            officer.invalidate_all()
            officer["membri.campaign"]._cron_process_campaigns()
            self.assertEqual((campaign.done_count, campaign.skipped_count), (MEMBERS - 5, 5))
        self._assert_each_once()

    def _delete_campaign(self, campaign_id):
        with self._worker() as env:
            env.cr.execute("DELETE FROM membri_campaign WHERE id = %s", [campaign_id])


class _Worker:
    """A connection of its own, with an environment; commits when all went well."""

    def __init__(self, registry):
        self.cr = registry.cursor()

    def __enter__(self):
        self.cr.__enter__()
        return api.Environment(self.cr, SUPERUSER_ID, {"tracking_disable": True})

    def __exit__(self, *exception):
        return self.cr.__exit__(*exception)
