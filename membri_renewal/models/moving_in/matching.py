"""Who of our contacts a row is about."""

import re

from odoo import models
from odoo.fields import Domain
from odoo.tools import email_normalize

from .row import name_words

# external ids: one for each system, company and record of the other system
MODULE = "__membri_import__"


def get_external_name(record, external, kind="contact"):
    """:param record: the ``membri.import``
    :param external: the id of a record in the other system
    :param kind: ``contact`` or ``term``"""
    slug = re.sub(r"[^\w-]", "_", external)
    return f"{record.company_id.id}_{record.profile}_{kind}_{slug}"


class ResPartner(models.Model):
    _inherit = "res.partner"

    # what a list is matched by has no index in Odoo
    _membri_email = models.Index("(email_normalized) WHERE email_normalized IS NOT NULL")


class Matcher:
    """The contacts that the rows of one batch may be about, looked up at once.

    :param record: the ``membri.import``, as it works
    :param values_list: of the rows, as ``RowReader.read_row`` gives them
    """

    def __init__(self, record, values_list):
        self.record = record
        Partner = record.env["res.partner"].with_context(active_test=False)
        ours = Domain("company_id", "in", (False, record.company_id.id))
        keys = [values["keys"] for values in values_list]
        names = {
            spelling
            for values in values_list
            for name in (
                values["contact"].get("name", ""),
                *values.get("responsible", [])[:1],
                values.get("employer", ""),
                values["owner"],
            )
            if name
            for spelling in self._get_spellings(name)
        }
        emails = {key["email"] for key in keys if "email" in key}
        emails |= {
            email_normalize(values["responsible"][1], strict=False)
            for values in values_list
            if values.get("responsible")
        } - {False}
        refs = {values["contact"]["ref"] for values in values_list if values["contact"].get("ref")}
        externals = {key["external"] for key in keys if "external" in key}
        self.by_external = self._find_externals(externals)
        known = Partner.browse(self.by_external.values())
        self.external_of = self._find_external_of(known)
        found = Partner.search(
            ours
            & (
                Domain("email_normalized", "in", list(emails))
                | Domain("ref", "in", list(refs))
                | Domain("name", "in", list(names))
            ),
            order="id",
        )
        # whoever signs up as somebody else would get that person's membership
        self.self_made = found._membri_filter_self_made()
        known = found - self.self_made
        self.by_email = self._group(known, lambda p: p.email_normalized)
        self.by_ref = self._group(known, lambda p: p.ref)
        self.by_name = self._group(known, lambda p: name_words(p.name))
        self.external_of |= self._find_external_of(known)
        self.partners = Partner

    @staticmethod
    def _get_spellings(name):
        yield from (name, name.upper(), name.title(), name.lower())
        first, _space, last = name.rpartition(" ")
        if first:
            yield from (f"{last} {first}", f"{last}, {first}")
        if "," in name:
            last, _comma, first = name.partition(",")
            yield f"{first.strip()} {last.strip()}"

    @staticmethod
    def _group(partners, get_key):
        groups = {}
        for partner in partners:
            if key := get_key(partner):
                groups.setdefault(key, []).append(partner.id)
        return groups

    def _find_externals(self, externals):
        """:return: ``{id in the other system: id of the contact}``"""
        names = {get_external_name(self.record, external): external for external in externals}
        rows = self._search_names([("name", "in", list(names))])
        partners = self.record.env["res.partner"].browse(row["res_id"] for row in rows).exists()
        return {names[row["name"]]: row["res_id"] for row in rows if row["res_id"] in partners._ids}

    def _find_external_of(self, partners):
        """:return: ``{id of a contact: its name in the other system}``"""
        prefix = get_external_name(self.record, "")
        rows = self._search_names([("res_id", "in", partners.ids), ("name", "=like", f"{prefix}%")])
        return {row["res_id"]: row["name"] for row in rows}

    def find_terms(self, values_list):
        """:return: ``{number of a term in the other system: the term}``"""
        names = {
            get_external_name(self.record, values["term_id"], "term"): values["term_id"]
            for values in values_list
            if values["term_id"]
        }
        rows = self._search_names([("name", "in", list(names))], "membri.cotisation")
        terms = self.record.env["membri.cotisation"].browse(row["res_id"] for row in rows).exists()
        return {
            names[row["name"]]: terms.browse(row["res_id"])
            for row in rows
            if row["res_id"] in terms._ids
        }

    def _search_names(self, domain, model="res.partner"):
        # sudo: external ids are the administrator's; these are ours
        return (
            self.record.env["ir.model.data"]
            .sudo()
            .search_read(
                [("module", "=", MODULE), ("model", "=", model), *domain],
                ["name", "res_id"],
            )
        )

    def find(self, values):
        """:return: ``(contact or none, sentence of a remark, sentence of a problem)``"""
        keys, env = values["keys"], self.record.env
        if values.get("partner_id"):  # of this very database
            return self.partners.browse(values["partner_id"]), "", ""
        if (external := keys.get("external")) in self.by_external:
            partner = self.partners.browse(self.by_external[external])
            if self.record.profile == "free" and not self._is_alike(partner, values):
                return (
                    self.partners,
                    "",
                    env._(
                        "The record ID %(id)s belongs to %(name)s in an earlier list.",
                        id=external,
                        name=partner.display_name,
                    ),
                )
            return partner, "", ""
        if ref := values["contact"].get("ref"):
            candidates = self._keep_free(self.by_ref.get(ref, ()), keys)
            if len(candidates) > 1:
                return (
                    self.partners,
                    "",
                    env._("Several contacts have the member number %(ref)s.", ref=ref),
                )
            if candidates:
                return candidates, "", ""
        if email := keys.get("email"):
            candidates = self._find_by_email(email, values)
            if len(candidates) == 1:
                return candidates, "", ""
            if candidates:
                return (
                    self.partners,
                    "",
                    env._(
                        "Several contacts have the email %(email)s. Merge them, or add a member "
                        "number to the list.",
                        email=email,
                    ),
                )
        partner, remark, problem = self._find_by_name(values)
        return (
            partner,
            remark or (not partner and self._get_self_made_remark(values)) or "",
            problem,
        )

    def _get_self_made_remark(self, values):
        """:return: a sentence on the contact that would be taken, had it not made itself"""
        alike = self.self_made.filtered(
            lambda p: (
                p.email_normalized == values["keys"].get("email", "")
                or name_words(p.name) == values["keys"].get("name", "")
            )
        )[:1]
        return alike and self.record.env._(
            "%(name)s (%(email)s) was created by a visitor or by an email and is not used: anybody "
            "can enter any name there. If this is the same person, merge the two contacts.",
            name=alike.name,
            email=alike.email or "",
        )

    @staticmethod
    def _is_alike(partner, values):
        """:return: whether one of the things that tell people apart is the same"""
        keys = values["keys"]
        return (
            not keys.get("name")
            or name_words(partner.name) == keys["name"]
            or (partner.email_normalized or "") == keys.get("email")
            or (partner.ref or "") == keys.get("ref")
        )

    def _keep_free(self, ids, keys):
        """Who is another record, or has another number, in the other system is somebody else."""
        partners = self.partners.browse(ids)
        external = keys.get("external")
        return partners.filtered(
            lambda p: (
                (
                    not external
                    or self.external_of.get(p.id)
                    in (None, get_external_name(self.record, external))
                )
                and (not keys.get("ref") or not p.ref or p.ref == keys["ref"])
            )
        )

    def _find_by_email(self, email, values):
        candidates = self._keep_free(self.by_email.get(email, ()), values["keys"])
        if values.get("is_named_after_email"):
            return candidates
        named = candidates.filtered(lambda p: name_words(p.name) == values["keys"].get("name"))
        if named or values["is_email_shared"]:
            return named
        return candidates

    def _find_by_name(self, values):
        name, env = values["contact"].get("name"), self.record.env
        email = values["keys"].get("email")
        candidates = self._keep_free(self.by_name.get(name_words(name), ()), values["keys"])
        is_company = bool(values["contact"].get("is_company"))
        candidates = candidates.filtered(lambda p: p.is_company == is_company)
        certain = candidates.filtered(
            lambda p: (
                is_company or not email or not p.email_normalized or p.email_normalized == email
            )
        )
        if len(certain) > 1:
            return (
                self.partners,
                "",
                env._(
                    "Several contacts are called %(name)s. Add an email or a member number to "
                    "the list.",
                    name=name,
                ),
            )
        if candidates and not certain:
            return (
                self.partners,
                env._(
                    "Another contact has this name, with the email %(email)s.",
                    email=candidates[0].email,
                ),
                "",
            )
        return certain, "", ""

    def remember_contact(self, partner):
        """A contact has been created meanwhile."""
        self.by_name.setdefault(name_words(partner.name), []).append(partner.id)
        if partner.email_normalized:
            self.by_email.setdefault(partner.email_normalized, []).append(partner.id)

    def find_addressed(self, email):
        """:return: the one contact of this email, or none"""
        partners = self.partners.browse(
            self.by_email.get(email_normalize(email or "", strict=False), ())
        )
        return partners if len(partners) == 1 else partners.browse()

    def find_named(self, name):
        """:return: the one contact of this name, or none"""
        partners = self.partners.browse(self.by_name.get(name_words(name), ()))
        return partners if len(partners) == 1 else partners.browse()
