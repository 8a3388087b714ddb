from odoo import models

# what members may choose from, and what is offered before they leave: code of the set
OFFERED_TO = {"CAL-M": "type", "CAL-G": "type", "PME": "all", "OBNL": "type", "IND": "all"}
COUNTER_OFFERS = {"CAL-G": "CAL-M", "CAL-M": "PME", "PME": "IND"}
MOST_BREAKFASTS = 4
# (French, English, which form of the portal goes with it)
CHANGE_REQUESTS = [
    (
        "Bonjour, nous voulons être plus visibles cette année. Notre nouvelle adresse est aussi "
        "dans la demande. Merci!",
        "Hello, we would like to be more visible this year. Our new address is in the request, "
        "too. Thank you!",
        "more_options",
    ),
    (
        "Merci d’envoyer la facture à notre comptable : nous déménageons le mois prochain.",
        "Please send the invoice to our accountant: we are moving next month.",
        "billing",
    ),
    (
        "Nous avons dû réduire nos dépenses. Merci de retirer l’inscription au répertoire.",
        "We had to cut our expenses. Please take out the listing in the directory.",
        "fewer_options",
    ),
    (
        "Je prends ma retraite en juin. Est-il possible de passer à une cotisation individuelle?",
        "I retire in June. Is it possible to change to an individual membership?",
        "smaller_set",
    ),
    (
        "La personne responsable a changé. Pouvez-vous m’appeler?",
        "Our contact person has changed. Could you call me?",
        "responsible",
    ),
]


class MembriDemo(models.AbstractModel):
    """What members ask for on the portal, through its own form."""

    _inherit = "membri.demo"

    def _offer_on_portal(self, catalogue):
        """:param catalogue: ``{code: membri.option.set}``"""
        for code, offer in OFFERED_TO.items():
            catalogue[code].portal_offer = offer
        for code, smaller in COUNTER_OFFERS.items():
            catalogue[code].counter_offer_id = catalogue[smaller]
        breakfasts = self.env.ref("membri_renewal.demo_product_breakfast")
        for option_set in catalogue.values():
            option_set.line_ids.filtered(
                lambda line: line.product_id == breakfasts
            ).quantity_max = MOST_BREAKFASTS
        self.env.company.membri_portal_decline = True

    def _ask_for_changes(self, renewal, request):
        """:param request: one of ``CHANGE_REQUESTS``"""
        french, english, kind = request
        message = english if renewal._get_lang() == "en_US" else french
        fill_in = {
            "more_options": self._fill_in_more_options,
            "billing": self._fill_in_billing,
            "fewer_options": self._fill_in_fewer_options,
            "smaller_set": self._fill_in_smaller_set,
            "responsible": self._fill_in_responsible,
        }[kind]
        ask, errors = renewal._read_change_form({"message": message, **fill_in(renewal)})
        if errors:
            raise ValueError(errors)
        renewal._do_submit_change_request(
            renewal._prepare_change_request_vals(**ask), renewal.recipient_id
        )

    def _fill_in_options(self, option_set, lines):
        return {
            "option_set_id": str(option_set.id),
            **{f"option_{line.id}": "on" for line in lines},
        }

    def _fill_in_more_options(self, renewal):
        lines = renewal.option_set_id.line_ids
        quantities = {f"quantity_{line.id}": "2" for line in lines if line.quantity_max}
        return {
            **self._fill_in_options(renewal.option_set_id, lines),
            **quantities,
            "contact_street": "210, avenue des Érables",
            "contact_zip": "J7K 2L8",
        }

    def _fill_in_fewer_options(self, renewal):
        return self._fill_in_options(renewal.option_set_id, renewal.line_ids.browse())

    def _fill_in_smaller_set(self, renewal):
        option_set = self.env.ref("membri_renewal.demo_set_ind")
        return self._fill_in_options(option_set, option_set.line_ids.filtered("is_required"))

    def _fill_in_billing(self, renewal):
        return {
            "billing_name": "Comptabilité Laurier inc.",
            "billing_email": "factures@comptabilite-laurier.example",
            "billing_street": "45, boulevard Laurier",
            "billing_city": "Rivière-Claire",
            "billing_zip": "J7K 1B4",
        }

    def _fill_in_responsible(self, renewal):
        return {
            "responsible_name": "Geneviève Proulx",
            "responsible_function": "Directrice générale",
            "responsible_email": "genevieve.proulx@example.com",
            "responsible_phone": "+1 450-555-0188",
        }
