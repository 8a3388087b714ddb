from freezegun import freeze_time

from odoo.tests import tagged

from .common_import import ImportCase


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImportProfiles(ImportCase):
    """Issue 16, 2: the worked example of each system in ``docs/import``, imported twice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._plan("Person")
        cls.corporate = cls._plan("Firm")

    def _check(self, name, profile, plans, results, terms, **vals):
        record = self._import_example(name, profile, plans, **vals)
        self.assertEqual(self._get_results(record), results)
        before = self._count()
        record.action_run()
        self.assertEqual(record.state, "done")
        self.assertEqual(self._get_terms(record), terms)
        self.assertEqual(self._count()["mail.mail"], before["mail.mail"])
        after = self._count()
        again = self._import_example(name, profile, plans, **vals)
        self.assertLessEqual(set(self._get_results(again)), {"same", "skipped", "error"})
        again.action_run()
        self.assertEqual(self._count(), after)
        record.action_undo()
        self.assertEqual(self._count(), before)
        record.action_run()
        return {line.name: line for line in record.line_ids}

    def test_wild_apricot(self):
        lines = self._check(
            "wild_apricot.csv",
            "wild_apricot",
            {"Individual": self.plan, "Honorary": self.for_life, "Corporate": self.corporate},
            ["new"] * 7,
            [
                ("Ada Boulanger", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Bruno Caron", "Person", "2024-01-01", "2024-12-31", "expired"),
                ("Chantal Dubé", "For life", "1999-09-09", "", "active"),
                ("Denis Émond", "Firm", "2026-02-01", "2027-01-31", "active"),
            ],
        )
        elise = lines["Élise Fortin"].partner_id
        self.assertFalse(elise.membri_cotisation_ids)
        self.assertEqual(elise.membri_status, "non_member")
        self.assertEqual(str(lines["Ada Boulanger"].partner_id.membri_member_since), "2015-03-01")
        self.assertFalse(lines["Félix Gagné"].cotisation_id)

    def test_membri365_fr(self):
        lines = self._check(
            "membri365_fr.csv",
            "membri365",
            {"Individuel": self.plan, "Honoraire": self.for_life},
            ["new"] * 5,
            [
                ("Ada Boulanger", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Bruno Caron", "Person", "2025-01-01", "2025-12-31", "expired"),
                ("Bruno Caron", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Chantal Dubé", "For life", "1999-09-09", "", "active"),
                ("Denis Émond", "Person", "2026-01-01", "2026-12-31", "cancelled"),
            ],
        )
        bruno = lines["Bruno Caron"].partner_id
        self.assertTrue(bruno.membri_auto_renew)
        self.assertEqual(bruno.ref, "M-002")
        self.assertEqual(
            lines["Ada Boulanger"].aside, {"Secteur": "Arts"} | lines["Ada Boulanger"].aside
        )
        self.assertEqual(bruno.membri_cotisation_id.previous_id.state, "expired")

    def test_membri365_en(self):
        self._check(
            "membri365_en.csv",
            "membri365",
            {"Individual": self.plan},
            ["new"] * 3,
            [
                ("Ada Boulanger", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Bruno Caron", "Person", "2025-01-01", "2025-12-31", "expired"),
                ("Bruno Caron", "Person", "2026-01-01", "2026-12-31", "active"),
            ],
        )

    def test_civicrm(self):
        import base64

        from .common_import import EXAMPLES

        path = EXAMPLES / "civicrm_memberships.csv"
        if not path.exists():
            self.skipTest("the documents are not beside the add-on")
        lines = self._check(
            "civicrm_contacts.csv",
            "civicrm",
            {"General": self.plan, "Institution": self.corporate},
            ["new"] * 4,
            [
                ("Ada Boulanger", "Person", "2009-03-15", "2027-03-14", "active"),
                ("Harbour Museum", "Firm", "2026-07-01", "2027-06-30", "active"),
            ],
            second_file=base64.b64encode(path.read_bytes()),
            second_filename=path.name,
        )
        museum, bruno = lines["Harbour Museum"].partner_id, lines["Bruno Caron"].partner_id
        self.assertTrue(museum.is_company)
        self.assertEqual(bruno.parent_id, museum)
        self.assertFalse(bruno.membri_cotisation_ids)
        self.assertEqual(str(museum.membri_member_since), "2020-07-01")

    def test_dolibarr(self):
        lines = self._check(
            "dolibarr.csv",
            "dolibarr",
            {"Membre actif": self.plan, "Membre bienfaiteur": self.corporate},
            ["new"] * 6,
            [
                ("Ada Boulanger", "Person", "2024-01-01", "2024-12-31", "expired"),
                ("Ada Boulanger", "Person", "2025-01-01", "2025-12-31", "expired"),
                ("Ada Boulanger", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Atelier Durand", "Firm", "2026-01-01", "2026-12-31", "active"),
                ("Luc Martin", "Person", "2025-01-01", "2025-12-31", "expired"),
            ],
        )
        self.assertTrue(lines["Atelier Durand"].partner_id.is_company)
        self.assertEqual(lines["Atelier Durand"].cotisation_id.amount_total, 200.0)
        self.assertTrue(lines["Luc Martin"].cotisation_id.date_terminated)

    def test_galette(self):
        lines = self._check(
            "galette.csv",
            "galette",
            {"Membre actif": self.plan, "Membre d'honneur": self.for_life},
            ["new"] * 4,
            [
                ("Ada Boulanger", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Paul Durand", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Zoé Petit", "For life", "2001-02-01", "", "active"),
            ],
        )
        self.assertFalse(lines["Lise Durand"].partner_id.membri_cotisation_ids)

    def test_hitobito(self):
        calendar_year = self._plan("Jahr", date_mode="fixed", fixed_month="1", fixed_day=1)
        self._check(
            "hitobito.csv",
            "hitobito",
            {"Mitglied": calendar_year, "Gönner": self.corporate},
            ["new"] * 3,
            [
                ("Alpina AG", "Firm", "2026-06-01", "2027-05-31", "active"),
                ("Anna Keller", "Jahr", "2026-01-01", "2026-12-31", "active"),
                ("Beat Meier", "Jahr", "2026-01-01", "2026-12-31", "active"),
            ],
        )

    def test_free(self):
        lines = self._check(
            "free.csv",
            "free",
            {"Individuel": self.plan},
            ["new"] * 2,
            [
                ("Ada Boulanger", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Bruno Caron", "Person", "2025-01-01", "2025-12-31", "expired"),
            ],
        )
        self.assertEqual(lines["Ada Boulanger"].amount, 75.0)
        self.assertEqual(lines["Ada Boulanger"].aside, {"Couleur préférée": "bleu"})
