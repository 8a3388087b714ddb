from odoo import api, fields, models, tools
from odoo.fields import Domain

from .reading import normalize
from .row import is_name_kept


class MembriImport(models.Model):
    """What a row says of its contact, as values of ours."""

    _inherit = "membri.import"

    def _get_contact_changes(self, partner, values):
        """Return the values of ``partner`` that the list has otherwise; what the list does not
        say stays."""
        vals = self._prepare_contact_vals(values)
        for name in ("is_company", "comment", "company_name", "company_id", "active"):
            vals.pop(name, None)
        if values.get("is_named_after_email"):
            vals.pop("name", None)
        if is_name_kept(partner.name, vals.get("name", "")):
            vals.pop("name", None)
        since, known = vals.get("membri_member_since"), partner.membri_member_since
        if since and known and known <= fields.Date.to_date(since):
            vals.pop("membri_member_since")
        return {
            name: value
            for name, value in vals.items()
            if partner._fields[name].convert_to_write(partner[name], partner)
            != partner._fields[name].convert_to_write(
                partner._fields[name].convert_to_record(
                    partner._fields[name].convert_to_cache(value, partner), partner
                ),
                partner,
            )
        }

    def _prepare_contact_vals(self, values):
        """:return: values of ``res.partner``, as far as the list tells"""
        vals = {name: value for name, value in values["contact"].items() if value}
        country = self._find_country(values.get("country"))
        if country:
            vals["country_id"] = country.id
        if values.get("state") and (state := self._find_state(values["state"], country)):
            vals["state_id"] = state.id
        if lang := self._find_lang(values.get("lang")):
            vals["lang"] = lang
        if values["since"]:
            vals["membri_member_since"] = values["since"]
        if values.get("auto_renew"):
            vals["membri_auto_renew_choice"] = values["auto_renew"]
        if values["renewal_email"]:
            vals["membri_renewal_email"] = values["renewal_email"]
        return vals

    def _find_country(self, text):
        return self.env["res.country"].browse(self._get_country_ids().get(normalize(text)))

    @api.model
    @tools.ormcache()
    def _get_country_ids(self):
        """:return: ``{code or name in an installed language, in words: id of the country}``"""
        # sudo: it is kept for all users
        countries = self.env["res.country"].sudo().search(Domain.TRUE)
        ids = {}
        for lang, _label in self.env["res.lang"].get_installed():
            for country in countries.with_context(lang=lang):
                ids[normalize(country.name)] = country.id
        return ids | {country.code.casefold(): country.id for country in countries if country.code}

    def _find_state(self, text, country):
        words = normalize(text)
        country = country or self.company_id.country_id
        return country.state_ids.filtered(
            lambda state: words in (normalize(state.code), normalize(state.name))
        )[:1]

    def _find_lang(self, text):
        """:return: the code of an installed language, or ``False``"""
        words = normalize(text)
        if not words:
            return False
        names = {
            "french": "fr",
            "francais": "fr",
            "english": "en",
            "anglais": "en",
            "franzosisch": "fr",
            "deutsch": "de",
            "allemand": "de",
            "german": "de",
        }
        code = names.get(words, words.split()[0])[:2]
        installed = [lang for lang, _label in self.env["res.lang"].get_installed()]
        exact = [lang for lang in installed if normalize(lang) == words]
        return next(iter(exact or [lang for lang in installed if lang[:2] == code]), False)
