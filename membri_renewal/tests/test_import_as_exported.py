import base64
from unittest.mock import patch

from freezegun import freeze_time

from odoo.tests import tagged

from .common_import import ImportCase


@tagged("post_install", "-at_install")
@freeze_time("2026-11-15 15:00:00")
class TestImportAsExported(ImportCase):
    """Issue 16, 2: lists as the other systems write them, with the mistakes of people: each row
    gets a sentence, and none is lost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.plan = cls._plan("Person")

    def _walk(self, text, profile, encoding="utf-8", rows=None, **vals):
        """:param rows: how many there are, where a cell has more than one line
        :return: the import, done, and its lines by row"""
        record = self._import(text.encode(encoding), profile, **vals)
        lines = {line.row: line for line in record.line_ids}
        written = [line for line in text.splitlines()[1:] if line.strip(" ;,\"'")]
        self.assertEqual(len(lines), rows or len(written), "no row is lost")
        self.assertFalse([line.row for line in lines.values() if not line.message])
        record.action_run()
        self.assertEqual(record.state, "done")
        left = record.line_ids.filtered(
            lambda line: line.result in ("error", "skipped") and not line._is_total()
        )
        back = base64.b64decode(record.result_file or b"").decode("utf-8-sig")
        self.assertEqual(len(back.splitlines()[1:]), len(left), "they come back")
        return record, lines

    def _get_targets(self, record):
        return {column.name: column.target for column in record.column_ids if column.target}

    def test_membri365_names_of_memberships(self):
        """A view of memberships has their own name as well: it is nobody's family name. A company
        is a member without a person."""
        for name in ("Nom", "Name"):
            record, lines = self._walk(
                f"(Ne pas modifier) Cotisation;{name};Contact;Compte;Plan;Début;Fin;Statut;"
                "Montant\n"
                "a1;COT-1;Ada Roy;;Person ;01/01/2026;31/12/2026;Active;1 345,00 $ CA\n"
                f"a2;COT-2;;Pharmacie {name};Person;2026-01-01;31/12/2026;En attente;\n"
                "\n"
                "a3;COT-3;Bea Roy;;;01/01/2026;31/12/2026;Active;0\n",
                "membri365",
                "cp1252",
            )
            self.assertEqual(self._get_targets(record)["Contact"], "name")
            self.assertEqual(
                [(row, line.name, line.result) for row, line in sorted(lines.items())],
                [
                    (2, "Ada Roy", "new" if name == "Nom" else "same"),
                    (3, f"Pharmacie {name}", "new"),
                    (5, "Bea Roy", "error"),
                ],
            )
            self.assertEqual(lines[2].amount, 1345.0)
            self.assertTrue(lines[3].partner_id.is_company)
            self.assertEqual(lines[3].cotisation_id.state, "pending")

    def test_membri365_contacts(self):
        """In a view of contacts the same column is the family name."""
        _record, lines = self._walk(
            "(Ne pas modifier) Contact;Prénom;Nom;Compte\n1;Ada;Roy;Atelier Roy\n", "membri365"
        )
        self.assertEqual(lines[2].partner_id.name, "Ada Roy")

    def test_unknown_status(self):
        """What a status says is told where nobody knows it; what the dates say as well, is not."""
        _record, lines = self._walk(
            "Name;Plan;Start;End;Status\n"
            "Ada Roy;Person;2026-01-01;2026-12-31;Suspendue\n"
            "Bea Roy;Person;2026-01-01;2026-12-31;En vigueur\n"
            "Cid Roy;Person;2026-01-01;2026-12-31;\n",
            "free",
        )
        self.assertEqual([line.result for line in lines.values()], ["new"] * 3)
        remarks = [line.trace["remarks"] for _row, line in sorted(lines.items())]
        self.assertEqual([len(own) for own in remarks], [1, 0, 0])
        self.assertIn("Suspendue", lines[2].message)

    def test_civicrm_export(self):
        """Names with “Dr.”, contacts with a first name only, households, days of death, and rows
        that are inherited, as newer versions call all that."""
        contacts = (
            "Internal Contact ID,Contact Type,Display Name,First Name,Last Name,Household Name,"
            "Organization Name,Deceased,Deceased Date,Email\n"
            "1,Individual,Dr. Ada Roy,Ada,Roy,,,,,ada@c.example\n"
            "2,Organization,Museum,,,,Museum,,,\n"
            "3,Individual,Bea Ito,Bea,Ito,,Museum,,,bea@c.example\n"
            "4,Individual,Celia,Celia,,,,,,celia@c.example\n"
            "5,Household,Dunn family,,,Dunn family,,,,\n"
            "6,Individual,Mr. Earl Fox,Earl,Fox,,,1,2026-03-04,\n"
            ",,,,,,,,,\n"
        )
        memberships = (
            "Contact ID,Membership ID,Membership Type,Member Since,Membership Start Date,"
            "Membership Expiration Date,Membership Status,Primary Member ID,Total Amount\n"
            "1,901,Person ,2009-03-15,2026-03-15,2027-03-14,Current,,CAD 60.00\n"
            '2,902,Person,,2026-07-01,2027-06-30,Grace,,"$ 1,500.00"\n'
            "3,903,Person,,2026-07-01,2027-06-30,Current,902,\n"
            "4,904,Person,,2026-01-01,2026-12-31,New,,\n"
            "5,905,Person,,2026-01-01,,Current,,80\n"
            "6,906,Person,,2025-07-01,2026-06-30,Deceased,,60\n"
            "99,907,Person,,2026-01-01,2026-12-31,Current,,\n"
        )
        record, lines = self._walk(
            contacts,
            "civicrm",
            rows=7,
            second_file=base64.b64encode(memberships.encode("utf-8-sig")),
            second_filename="memberships.csv",
        )
        self.assertEqual(
            self._get_terms(record),
            [
                ("Ada Roy", "Person", "2026-03-15", "2027-03-14", "active"),
                ("Celia", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Dunn family", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Earl Fox", "Person", "2025-07-01", "2026-03-04", "expired"),
                ("Museum", "Person", "2026-07-01", "2027-06-30", "active"),
            ],
        )
        self.assertEqual(lines[4].partner_id.parent_id, lines[3].partner_id)
        self.assertFalse(lines[4].cotisation_id, "it is included in the museum's")
        self.assertEqual((lines[2].amount, lines[3].amount), (60.0, 1500.0))
        self.assertEqual(lines[8].result, "error", "of a contact that is not in the list")

    def test_wild_apricot_export(self):
        """“Member” is yes or no, and a bundle is the ID or the email of whoever has it."""
        record, lines = self._walk(
            "First name,Last name,Organization,Email,Member,Balance,Membership status,"
            "Membership level,Membership enabled,Renewal due,Member bundle ID or email,User ID\n"
            "Ada,Roy,,ada@w.example,yes,0.00,Active,Person,yes,13/01/2027,,1\n"
            "Bea,Ito,Firm,Bea@W.example,yes,-20.00,Active,Person,yes,01/02/2027,bea@w.example,2\n"
            "Cid,Ito,Firm,cid@w.example,yes,0.00,Active,,yes,,bea@W.example,3\n"
            "Dan,Ito,Firm,,yes,0.00,Active,,yes,,2,4\n"
            "Eve,Ito,Firm,eve@w.example,yes,0.00,Active,Person,yes,01/02/2027,bea@w.example,5\n"
            "Fay,Fox,,fay@w.example,yes,0.00,PendingNew,Person,yes,,,6\n"
            "Guy,Fox,,guy@w.example,no,$1.50,,,no,CLEAR,,7\n"
            "Hal,Fox,,,yes,0.00,PendingRenewal,Person,yes,Never,,8\n",
            "wild_apricot",
            "utf-8-sig",
        )
        self.assertNotIn("Member", self._get_targets(record))
        self.assertEqual(
            self._get_terms(record),
            [
                ("Ada Roy", "Person", "2026-01-13", "2027-01-12", "active"),
                ("Bea Ito", "Person", "2026-02-01", "2027-01-31", "active"),
            ],
        )
        for row in (4, 5, 6):
            self.assertEqual(lines[row].result, "new")
            self.assertEqual(lines[row].partner_id.parent_id, lines[3].partner_id.parent_id)
            self.assertFalse(lines[row].trace["remarks"], "whose bundle it is, is found")
        self.assertEqual([lines[row].result for row in (7, 8, 9)], ["new", "new", "error"])

    def test_dolibarr_in_french(self):
        """The names of the columns are those of the user's language, and the login is no ID."""
        record, lines = self._walk(
            "ID adhérent;Réf adhérent;Nom;Prénom;Identifiant;Nature de l'adhérent;Société;"
            "Département/Canton;Pays;Tél pro.;Email;État;Date fin adhésion;Id type adhérent;"
            "Libellé du type adhérent;Id adhésion;Date adhésion;Montant\n"
            "1;M-1;Roy;Ada;ada;phy;;;France;;ada@d.example;1;31/12/2026;1;Person;71;01/01/2025;40\n"
            "1;M-1;Roy;Ada;ada;phy;;;France;;ada@d.example;1;31/12/2026;1;Person;72;01/01/2026;4€\n"
            "2;M-2;;;at;mor;Atelier Ito;;FR;04 91;;1;31/12/2026;1;Person;73;01/01/2026;1 200,00\n"
            "3;M-1;Fox;Bea;bea;phy;;;;;bea@d.example;1;31/12/2026;1;Person;74;01/01/2026;0\n"
            "4;M-4;Fox;Cid;cid;phy;;;;;cid@d.example;-1;;1;Person;;;\n"
            "5;M-5;Fox;Dan;dan;phy;;;;;dan@d.example;-2;31/12/2026;1;Person;75;01/01/2026;40\n"
            ";;;;;;;;;;;;;;;;;\n",
            "dolibarr",
            "cp1252",
        )
        targets = self._get_targets(record)
        self.assertEqual(
            [targets.get(name) for name in ("ID adhérent", "Identifiant", "État", "Date adhésion")],
            ["external_id", None, "status", "date_start"],
        )
        self.assertEqual(
            self._get_terms(record),
            [
                ("Ada Roy", "Person", "2025-01-01", "2025-12-31", "expired"),
                ("Ada Roy", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Atelier Ito", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Bea Fox", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Dan Fox", "Person", "2026-01-01", "2026-12-31", "active"),
            ],
        )
        self.assertTrue(lines[4].partner_id.is_company)
        self.assertFalse(lines[6].cotisation_id, "a draft")
        self.assertTrue(lines[7].cotisation_id.date_terminated)
        for row in (2, 3, 5):
            self.assertIn("M-1", lines[row].message, "a number of two members is told")
        self.assertNotIn("M-2", lines[4].message)

    def test_galette_table(self):
        """The table as it is: flags of PostgreSQL, statuses that are numbers, one member number
        twice."""
        record, lines = self._walk(
            '"id_adh";"id_statut";"nom_adh";"prenom_adh";"email_adh";"date_crea_adh";'
            '"bool_exempt_adh";"date_echeance";"parent_id";"num_adh"\n'
            '"1";"4";"Roy";"Ada";"ada@g.example";"2019-02-01";"f";"2026-12-31";"";"A1"\n'
            '"2";"9";"ITO";"Bea";"";"2021-02-01";"f";"";"1";"A1"\n'
            '"3";"7";"Fox";"Cid";"";"2001-02-01";"t";"";"";""\n'
            '"4";"4";"Fox";"Dan";"";"2026-02-01";"f";"";"";""\n'
            '"";"";"";"";"";"";"";"";"";""\n',
            "galette",
            plans={"": self.plan, "exempt": self.for_life},
        )
        self.assertEqual(
            self._get_terms(record),
            [
                ("Ada Roy", "Person", "2026-01-01", "2026-12-31", "active"),
                ("Cid Fox", "For life", "2001-02-01", "", "active"),
            ],
        )
        self.assertIn("A1", lines[2].message)
        self.assertIn("A1", lines[3].message)
        self.assertFalse(lines[3].cotisation_id or lines[3].trace["remarks"][1:], "Ada is found")
        self.assertEqual(lines[5].result, "new", "a contact without a membership")

    def test_hitobito_in_french(self):
        record, lines = self._walk(
            "Prénom;Nom;Nom de l'entreprise;Surnom;Entreprise;E-mail principal;Rue;Numéro;NPA;Lieu;"
            "Pays;Date de naissance;Rôles\n"
            "Ada;Roy;;;non;ada@h.example;Rue du Lac;4;1000;Lausanne;CH;24.01.1985;Person, Caisse\n"
            ";;Alpes SA;;oui;;Grand-Rue;9;1950;Sion;Suisse;;Person\n"
            ";Dora;;;non;;;;;;;;\n",
            "hitobito",
            "cp1252",
        )
        ada, alpes = lines[2].partner_id, lines[3].partner_id
        self.assertEqual((ada.name, ada.email, ada.city), ("Ada Roy", "ada@h.example", "Lausanne"))
        self.assertEqual(
            (alpes.name, alpes.is_company, alpes.street), ("Alpes SA", True, "Grand-Rue 9")
        )
        self.assertEqual(len(record.line_ids.cotisation_id), 2)
        self.assertEqual(lines[4].result, "new")

    def test_names_and_parts_of_names(self):
        """“Member” may be yes or no, and a full name may stand beside the first name."""
        record, lines = self._walk(
            "Full Name;First Name;Member;Email\n"
            "Ada Roy;Ada;yes;a@x.example\n"
            "Ito;Bea;no;b@x.example\n",
            "free",
        )
        self.assertNotIn("Member", self._get_targets(record))
        self.assertEqual([lines[2].name, lines[3].name], ["Ada Roy", "Bea Ito"])
        record, lines = self._walk("Member;Email\noui;a@x.example\n", "free")
        self.assertEqual(self._get_targets(record), {"Email": "email"})

    def test_what_was_answered_elsewhere_is_asked_by_nobody(self):
        """Issue 12 A7: a list says that a renewal was approved or declined. Nothing goes out, and
        it waits for the staff, with the word of the list; of history nobody waits."""
        before = self._count()
        text = (
            "Name;Email;Plan;Start;End;Notice Sent On;Open Renewal\n"
            "Ada Roy;ada@x.example;Person;2026-01-01;2026-12-31;2026-11-02;Refusé\n"
            "Bea Roy;bea@x.example;Person;2026-01-01;2026-12-31;;Approved\n"
            "Cyd Roy;cyd@x.example;Person;2025-01-01;2025-12-31;2025-11-02;Declined\n"
        )
        record = self._import(text)
        self.assertEqual(
            ["Refusé" in m or "Approved" in m for m in record.line_ids.mapped("message")],
            [True, True, False],
        )
        record.action_run()
        self.assertEqual(self._count()["mail.mail"], before["mail.mail"], "not to the staff either")
        ada, bea, cyd = record.line_ids.sorted("row").cotisation_id
        self.assertEqual((ada + bea).renewal_ids.mapped("state"), ["intervention"] * 2)
        self.assertIn("Refusé", ada.renewal_ids.intervention_reason)
        self.assertEqual([bool(r.date_sent) for r in (ada + bea).renewal_ids], [True, False])
        self.assertFalse(cyd.renewal_ids)
        self._run_cron("ir_cron_generate")
        self._run_cron("ir_cron_send_reminders")
        self.assertEqual(self._count()["mail.mail"], before["mail.mail"])
        self._import(text).action_run()
        self.assertEqual(len((ada + bea + cyd).renewal_ids), 2)
        record.action_undo()
        self.assertEqual(self._count(), before)

    def test_who_has_a_next_term_in_the_list_is_not_asked(self):
        """Issue 12 A7: approved elsewhere, where the list has the next term as well, in whichever
        order, and in a later part of the run: nothing is left to decide."""
        text = (
            "Name;Email;Plan;Start;End;Status;Notice Sent On;Open Renewal\n"
            "Ada Roy;ada@x.example;Person;2026-01-01;2026-12-31;Active;2026-11-02;Approved\n"
            "Ada Roy;ada@x.example;Person;2027-01-01;2027-12-31;Pending;;\n"
            "Bea Roy;bea@x.example;Person;2027-01-01;2027-12-31;Pending;;\n"
            "Bea Roy;bea@x.example;Person;2026-01-01;2026-12-31;Active;2026-11-02;Approved\n"
            "Cyd Roy;cyd@x.example;Person;2026-01-01;2026-12-31;Active;2026-11-02;Sent\n"
            "Cyd Roy;cyd@x.example;Person;2027-01-01;2027-12-31;Pending;;\n"
            "Dan Roy;dan@x.example;Person;2026-01-01;2026-12-31;Active;2026-11-02;Approved\n"
            "Dan Roy;dan@x.example;Person;2027-01-01;2027-12-31;Cancelled;;\n"
        )
        for module, told in (("run", [7]), ("preview", [1, 7])):
            with self.subTest(module=module), self.env.cr.savepoint() as point:
                with patch(f"odoo.addons.membri_renewal.models.moving_in.{module}.BATCH", 1):
                    record = self._import(text)
                    lines = record.line_ids.sorted("row")
                    said = [i for i, m in enumerate(lines.mapped("message")) if "Approved" in m]
                    self.assertEqual([i + 1 for i in said], told)
                    record.action_run()
                self.assertEqual(lines.mapped("result"), ["new"] * 8)
                messages = lines.mapped("message")
                self.assertEqual(["Approved" in m for m in messages].index(True), 6)
                self.assertEqual(sum("Approved" in m for m in messages), 1)
                renewals = lines.cotisation_id.renewal_ids
                self.assertEqual(renewals.partner_id.mapped("name"), ["Dan Roy"])
                flagged = lines.partner_id.filtered("membri_intervention_required")
                self.assertEqual(flagged.mapped("name"), ["Dan Roy"])
                point.rollback()

    def test_undo_takes_the_flag_off_who_was_here_before(self):
        """Issue 12 A7: the list required an intervention of a contact that it did not make."""
        text = (
            "Name;Email;Plan;Start;End;Open Renewal\n"
            f"{self.member.name};{self.member.email};Person;2026-01-01;2026-12-31;intervention\n"
        )
        record = self._import(text)
        record.action_run()
        self.assertTrue(self.member.membri_intervention_required)
        record.action_undo()
        self.assertFalse(self.member.membri_intervention_required)
