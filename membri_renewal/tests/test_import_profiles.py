import base64

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

    def test_list_that_tells_no_days(self):
        """JVerein's: since when, and until when for those who have left; never the term."""
        text = (
            "vorname;name;personenart;email;beitragsgruppe;eintritt;austritt;individuellerbeitrag\n"
            "Anna;Keller;n;anna@j.example;Person;15.03.2019;;\n"
            "Beat;Meier;n;beat@j.example;Person;15.03.2010;30.06.2020;\n"
            ";Alpina AG;j;alpina@j.example;Firm;01.06.2015;;250,00\n"
        )
        record = self._import(text)
        record.action_run()
        self.assertEqual(
            self._get_terms(record),
            [
                ("Alpina AG", "Firm", "2026-06-01", "2027-05-31", "active"),
                ("Anna Keller", "Person", "2026-03-15", "2027-03-14", "active"),
                ("Beat Meier", "Person", "2020-03-15", "2020-06-30", "expired"),
            ],
        )
        firm = record.line_ids.filtered(lambda line: line.name == "Alpina AG")
        self.assertTrue(firm.partner_id.is_company)
        self.assertEqual(firm.cotisation_id.amount_untaxed, 250.0)

    def test_levels_of_pmpro(self):
        """Several levels of one person are several rows, with dates that others tell."""
        text = (
            "user_email,membership_id,membership_startdate,membership_enddate\n"
            "ada@p.example,Person,01/10/2025,09/30/2026\n"
            "ada@p.example,Person,10/01/2026,09/30/2027\n"
            "bob@p.example,Firm,01/10/2026,01/09/2027\n"
        )
        record = self._import(text)
        self.assertEqual(record.date_reading and record.overview["order"], "mdy")
        record.action_run()
        self.assertEqual(
            self._get_terms(record),
            [
                ("ada@p.example", "Person", "2025-01-10", "2026-09-30", "expired"),
                ("ada@p.example", "Person", "2026-10-01", "2027-09-30", "active"),
                ("bob@p.example", "Firm", "2026-01-10", "2027-01-09", "active"),
            ],
        )

    def test_civicrm_with_two_ids(self):
        """The list of memberships goes by the external identifier, contacts by both."""
        contacts = (
            "Contact ID,External Identifier,First Name,Last Name,Email\n"
            "7,90,Ada,Roy,ada@c.example\n"
            "90,7,Bea,Ito,bea@c.example\n"
        )
        memberships = (
            "External Identifier,Membership Type,Start Date,End Date,Source,Whatever\n"
            "90,Person ,13-02-2026,12-02-2027,web,x\n"
        )
        record = self._import(
            contacts,
            "civicrm",
            second_file=base64.b64encode(memberships.encode()),
            second_filename="memberships.csv",
        )
        record.action_run()
        self.assertEqual(
            self._get_terms(record), [("Ada Roy", "Person", "2026-02-13", "2027-02-12", "active")]
        )

    def test_language_that_is_not_installed(self):
        text = (
            "Name;Plan;Start;End;Language\n"
            "Ada Roy;Person;2026-01-01;2026-12-31;Português\n"
            "Bea Roy;Person;2026-01-01;2026-12-31;en\n"
        )
        first, second = self._import(text).line_ids.sorted("row")
        self.assertEqual(first.result, "new")
        self.assertIn("Português", first.message)
        self.assertNotIn("language", second.message)
