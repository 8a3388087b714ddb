"""The lists of each system: what its columns are called beyond the usual names
(``targets.py``), and what is particular to its rows.

A profile of another system is an entry of ``PROFILES`` and of the selection of
``membri.import.profile``; an extension adds to both.
"""

from .reading import normalize


class Profile:
    """One system. Subclasses say what is different in it."""

    # names of columns, in words as ``normalize`` gives them; ``None``: kept aside
    columns = {}
    # the list has only the last day: the first one follows from the plan
    counts_back = False
    # nothing tells the dates: who is on the list is a member of the running period
    is_running = False
    # one row for each payment: the last day is the same on all rows of a member
    is_row_payment = False
    # rows of the second file are the terms
    has_second_file = False

    def get_column(self, header):
        """:param header: the name of a column, in words as ``normalize`` gives them
        :return: what it means, ``None``: nothing, or ``False``: what its name says"""
        return self.columns.get(header, False)

    def adapt(self, cells):
        """Put the particulars of this system into the usual terms.

        :param cells: ``{target: text}`` of one row, changed in place"""


class Membri365(Profile):
    """Views of Dynamics 365, French or English, with three hidden columns in front: the record,
    a checksum, and when it was changed."""

    # of a membership its number, of a contact the family name
    columns = {"name": "last_name", "nom": "last_name"}

    def get_column(self, header):
        # EXTENDS: these columns are named after the table of the view
        if "do not modify" not in header and "ne pas modifier" not in header:
            return super().get_column(header)
        rest = header.replace("do not modify", "").replace("ne pas modifier", "").split()
        if {"checksum", "somme", "controle", "modified", "modifie"} & set(rest):
            return None
        return "external_id" if rest in (["contact"], ["account"], ["compte"]) else "term_id"

    def adapt(self, cells):
        # EXTENDS
        if not cells.get("first_name") and (cells.get("name") or cells.get("company")):
            cells.pop("last_name", None)


class CiviCRM(Profile):
    columns = {
        "contact id": "external_id",
        "internal contact id": "external_id",
        "membership id": "term_id",
        "membership type": "level",
        "membership start date": "date_start",
        "membership expiration date": "date_end",
        "membership status": "status",
        "owner membership id": "owner",
        "primary member id": "owner",  # which is what newer versions call it
        "household name": "name",
        "deceased date": "date_deceased",
        "source": None,
        "status override": None,
        "street address": "street",
        "organization name": "company",
        "display name": "name",
        "employer name": "company",
        "current employer": "company",
    }
    has_second_file = True

    def adapt(self, cells):
        if cells.get("is_company"):
            cells["is_company"] = (
                "yes"
                if normalize(cells["is_company"]) in ("organization", "organisation")
                else "no"
            )
        if cells.get("first_name") and cells.get("last_name"):
            cells.pop("name", None)  # with “Dr.” and the like
        elif cells.get("name"):
            cells.pop("first_name", None)  # which is a part of it
        if owner := cells.get("owner"):
            cells["owner"] = f"term:{owner}"


class WildApricot(Profile):
    columns = {
        "user id": "external_id",
        "membership level": "level",
        "member id": "external_id",
        "member": None,  # yes or no
        "notes": "notes",
        "balance": "balance",
    }
    counts_back = True

    def adapt(self, cells):
        due = cells.get("first_unpaid_day", "")
        if normalize(due) == "never":
            cells["first_unpaid_day"] = ""
            cells["lifetime"] = "yes"
        elif normalize(due) == "clear":
            cells["first_unpaid_day"] = ""
        if normalize(cells.get("member_since")) in ("never", "clear"):
            cells["member_since"] = ""
        if cells.get("enabled") and normalize(cells["enabled"]) not in ("yes", "oui", "true", "1"):
            cells["contact_only"] = "yes"
        bundle = cells.get("bundle", "").casefold()
        # whoever has the bundle may name themselves there
        is_in_anothers = "@" in bundle and bundle != cells.get("email", "").casefold()
        if bundle and (is_in_anothers or not cells.get("level")):
            cells["owner"] = f"bundle:{bundle}"


class Dolibarr(Profile):
    columns = {
        "id": "external_id",
        "rowid": "external_id",
        "member id": "external_id",
        "nature": "is_company",
        "morphy": "is_company",
        "nature mor phy": "is_company",
        "login": None,
        "datesubscription": "date_start",
        "date subscription": "date_start",
        "datestartsubscription": "date_start",
        "dateendsubscription": "date_end",
        "date end subscription": "date_end",
        "countrycode": "country",
        "membertypelabel": "level",
        "birthday": None,
        "ref": "ref",
        # as an English and a French Dolibarr call them
        "member ref": "ref",
        "nature of the member": "is_company",
        "date of membership": "date_start",
        "subscription date": "date_start",
        "end date of membership": "date_end",
        "subscription end date": "date_end",
        "member type label": "level",
        "contribution id": "term_id",
        "subscription id": "term_id",
        "id adherent": "external_id",
        "ref adherent": "ref",
        "identifiant": None,
        "nature de l adherent": "is_company",
        "etat": "status",
        "departement canton": "state",
        "tel pro": "phone",
        "date adhesion": "date_start",
        "date d adhesion": "date_start",
        "date fin adhesion": "date_end",
        "date de fin d adhesion": "date_end",
        "libelle du type adherent": "level",
        "type d adherent": "level",
        "id adhesion": "term_id",
    }
    is_row_payment = True

    def adapt(self, cells):
        if cells.get("is_company"):
            is_company = normalize(cells["is_company"]) in ("mor", "moral", "morale")
            cells["is_company"] = "yes" if is_company else "no"
        # -2: excluded, -1: draft, 0: resigned, 1: valid
        status = cells.get("status", "").strip()
        cells["status"] = {"-2": "left", "-1": "draft", "0": "left", "1": ""}.get(status, status)


class Galette(Profile):
    columns = {
        "id adh": "external_id",
        "num adh": "ref",
        "nom adh": "last_name",
        "prenom adh": "first_name",
        "societe adh": "company",
        "adresse adh": "street",
        "cp adh": "zip",
        "ville adh": "city",
        "region adh": "state",
        "pays adh": "country",
        "tel adh": "phone",
        "email adh": "email",
        "date crea adh": "member_since",
        "bool exempt adh": "exempt",
        "date echeance": "date_end",
        "pref lang": "lang",
        "parent id": "owner",
        "libelle statut": "level",
        "info public adh": "notes",
        "activite adh": None,
    }
    counts_back = True

    def adapt(self, cells):
        is_exempt = normalize(cells.get("exempt")) in ("1", "yes", "oui", "true", "t")
        if is_exempt and not cells.get("date_end"):
            cells["lifetime"] = "yes"
            cells["level"] = cells.get("level") or "exempt"
        if normalize(cells.get("owner")) == "0":
            cells["owner"] = ""
        if cells.get("owner"):
            cells["owner"] = f"id:{cells['owner']}"


class Hitobito(Profile):
    columns = {
        "vorname": "first_name",
        "nachname": "last_name",
        "firmenname": "company",
        "firma": "is_company",
        "firma ja nein": "is_company",
        "haupt e mail": "email",
        "adresse": "street",
        "strasse": "street",
        "hausnummer": "house_number",
        "plz": "zip",
        "ort": "city",
        "land": "country",
        "geburtstag": None,
        "rollen": "level",
        "eintritt": "member_since",
        "eintrittsdatum": "member_since",
        "austritt": "date_left",
        "austrittsdatum": "date_left",
        "zusaetzliche e mails": None,
        "korrespondenzsprache": "lang",
        "anrede": None,
        "titel": None,
        "mitglied nr": "ref",
        "id": "external_id",
        # as a French one calls them
        "nom de l entreprise": "company",
        "entreprise": "is_company",
        "e mail principal": "email",
        "numero": "house_number",
        "lieu": "city",
        "roles": "level",
        "date de naissance": None,
    }
    is_running = True

    def adapt(self, cells):
        if number := cells.pop("house_number", ""):
            cells["street"] = f"{cells.get('street', '')} {number}".strip()
        # several roles, or addresses, in a cell: the first one counts
        for target in ("level", "email"):
            parts = cells.get(target, "").replace("\n", ",").split(",")
            cells[target] = next((part.strip() for part in parts if part.strip()), "")


class Membership(Profile):
    """The tables of Odoo's (or OCA's) ``membership`` in this very database, read by
    ``odoo_tables.py``."""

    columns = {"contact": "external_id", "invoice item": "invoice_line"}

    def adapt(self, cells):
        if cells.get("exempt"):  # a contact without a line
            cells["lifetime"] = "yes"


class Free(Profile):
    pass


PROFILES = {
    "membri365": Membri365(),
    "civicrm": CiviCRM(),
    "wild_apricot": WildApricot(),
    "dolibarr": Dolibarr(),
    "galette": Galette(),
    "hitobito": Hitobito(),
    "odoo": Membership(),
    "free": Free(),
}
