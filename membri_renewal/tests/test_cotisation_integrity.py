from freezegun import freeze_time
from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import MembriCommon


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestCotisationIntegrity(MembriCommon):
    """specification §2: what the database guarantees, whoever writes; dates and imports."""

    # ------------------------------------------------------------------
    # What the database guarantees
    # ------------------------------------------------------------------

    def _insert(self, cotisation, **values):
        """A row as a buggy add-on or a script would write it, past the ORM."""
        self.env.flush_all()
        row = {
            "name": "RAW",
            "partner_id": cotisation.partner_id.id,
            "company_id": cotisation.company_id.id,
            "currency_id": cotisation.currency_id.id,
            "option_set_id": cotisation.option_set_id.id,
            "origin": "import",
            **values,
        }
        columns = ", ".join(row)
        marks = ", ".join(["%s"] * len(row))
        self.env.cr.execute(
            f"INSERT INTO membri_cotisation ({columns}) VALUES ({marks})", list(row.values())
        )

    def test_database_refuses_two_active_and_overlaps(self):
        cotisation = self._create_yearly()
        for name, vals in {
            "_one_active": {
                "state": "active",
                "date_start": "2030-01-01",
                "date_end": "2030-12-31",
            },
            "_no_overlap": {
                "state": "pending",
                "date_start": "2026-12-31",
                "date_end": "2027-12-30",
            },
            "_no_overlap for life": {"state": "pending", "date_start": "2026-12-31"},
            "_dates_ordered": {
                "state": "pending",
                "date_start": "2030-02-01",
                "date_end": "2030-01-01",
            },
        }.items():
            with (
                self.subTest(constraint=name),
                mute_logger("odoo.sql_db"),
                self.assertRaisesRegex(IntegrityError, name.split()[0]),
                self.env.cr.savepoint(),
            ):
                self._insert(cotisation, **vals)
        self._insert(cotisation, state="cancelled", date_start="2026-06-01", date_end="2026-12-31")
        self._insert(cotisation, state="pending", date_start="2027-01-01", date_end="2027-12-31")
        self.assertEqual(
            self.env["membri.cotisation"].search_count(
                [("partner_id", "=", cotisation.partner_id.id)]
            ),
            3,
        )

    def test_overlap_is_a_sentence(self):
        cotisation = self._create_yearly()
        with self.assertRaisesRegex(ValidationError, cotisation.name):
            self._create_cotisation(cotisation.partner_id, "2026-12-31", state="pending")
        after = self._create_cotisation(cotisation.partner_id, "2027-01-01", state="pending")
        with self.assertRaises(ValidationError):
            after.date_start = "2026-12-31"

    # ------------------------------------------------------------------
    # Dates and imports
    # ------------------------------------------------------------------

    def test_missing_end_is_refused_lifetime_is_explicit(self):
        with self.assertRaisesRegex(ValidationError, "no last day"), self.env.cr.savepoint():
            self._create_cotisation(self.member, "2026-01-01", date_end=False)
        cotisation = self._create_cotisation(self.member, "2026-01-01")
        with self.assertRaisesRegex(ValidationError, "no last day"), self.env.cr.savepoint():
            cotisation.date_end = False
        honorary = self._create_cotisation(
            self._create_member("Honorary"), "2026-01-01", option_set=self.for_life
        )
        self.assertFalse(honorary.date_end)
        with freeze_time("2090-01-01 12:00:00"):
            self._run_cron("ir_cron_update_states")
        self.assertEqual(honorary.state, "active")
        with self.assertRaisesRegex(UserError, "member for life"):
            self._create_renewal(honorary)

    def test_import_twice_makes_no_duplicate(self):
        """Past and present terms with their states and lines, by external ids, twice."""
        columns = [
            "id", "partner_id/.id", "option_set_id/.id", "date_start", "date_end", "state",
            "line_ids/id", "line_ids/product_id/.id", "line_ids/quantity", "line_ids/price_unit",
        ]  # fmt: skip
        common = [str(self.member.id), str(self.yearly.id)]
        option = [str(self.product.id), "1"]
        rows = [
            ["old.c1", *common, "2024-01-01", "2024-12-31", "expired", "old.l1", *option, "280"],
            ["old.c2", *common, "2025-01-01", "2025-12-31", "cancelled", "old.l2", *option, "290"],
            ["old.c3", *common, "2026-01-01", "2026-12-31", "active", "old.l3", *option, "300"],
            ["", "", "", "", "", "", "old.l4", str(self.extra.id), "2", "45"],
        ]
        for run in ("first", "second"):
            with self.subTest(run=run):
                Cotisation = self.env["membri.cotisation"].with_context(import_file=True)
                result = Cotisation.load(columns, rows)
                self.assertEqual(result["messages"], [])
                cotisations = self.member.membri_cotisation_ids.sorted("date_start")
                self.assertEqual(cotisations.ids, result["ids"])
                self.assertRecordValues(
                    cotisations,
                    [
                        {"state": "expired", "amount_untaxed": 280.0, "origin": "import"},
                        {"state": "cancelled", "amount_untaxed": 290.0, "origin": "import"},
                        {"state": "active", "amount_untaxed": 390.0, "origin": "import"},
                    ],
                )
                self.assertEqual(len(cotisations.line_ids), 4)
        self.assertRecordValues(
            self.member,
            [
                {
                    "membri_status": "active",
                    "membri_member_since": fields.Date.to_date("2024-01-01"),
                    "membri_date_end": fields.Date.to_date("2026-12-31"),
                }
            ],
        )
        changed = [[*rows[0][:4], "2025-12-30", *rows[0][5:]]]
        result = self.env["membri.cotisation"].load(columns, changed)
        self.assertIn("can no longer be changed", result["messages"][0]["message"])
