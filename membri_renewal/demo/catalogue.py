from odoo import models
from odoo.fields import Command

TYPES = {
    "company": ("Company", "Entreprise"),
    "small": ("Small business", "Petite entreprise"),
    "person": ("Person", "Particulier"),
    "non_profit": ("Non-profit", "OBNL"),
    "honorary": ("Honorary member", "Membre honoraire"),
}
# price before taxes
PRODUCTS = {
    "company_medium": (650.0, "Membership, 10 to 49 employees", "Cotisation, 10 à 49 employés"),
    "company_large": (
        1150.0,
        "Membership, 50 employees or more",
        "Cotisation, 50 employés et plus",
    ),
    "small": (295.0, "Membership, small business", "Cotisation, petite entreprise"),
    "person": (145.0, "Individual membership", "Cotisation individuelle"),
    "non_profit": (175.0, "Membership, non-profit", "Cotisation, OBNL"),
    "monthly": (32.0, "Monthly membership, start-up", "Cotisation mensuelle, jeune pousse"),
    "honorary": (0.0, "Honorary membership", "Cotisation honoraire"),
    "directory": (85.0, "Listing in the directory", "Inscription au répertoire"),
    "breakfast": (240.0, "Six breakfast meetings", "Six petits-déjeuners-conférences"),
    "newsletter": (120.0, "Visibility in the newsletter", "Visibilité dans l’infolettre"),
}
OPTIONS = ["directory", "breakfast", "newsletter"]
# trigger, days, automatic, template: friendly first, then firmer, then the last one
NOTICE_REMINDERS = [
    ("after_sent", 10, True, "reminder"),
    ("after_sent", 21, False, "reminder"),
    ("before_end", 7, True, "reminder_firm"),
    ("after_end", 15, True, "reminder_last"),
    ("after_due", 10, True, "payment_reminder"),
]
INVOICE_REMINDERS = [
    ("after_due", 7, True, "payment_reminder"),
    ("after_due", 30, False, "payment_reminder_last"),
]
CALENDAR_YEAR = {
    "renewal_mode": "notice",
    "date_mode": "fixed",
    "fixed_month": "1",
    "fixed_day": 1,
    "proration": "daily",
    "grace_days": 45,
}
# code: (type, membership product, English name, French name, reminders, values)
SETS = {
    "CAL-M": (
        "company",
        "company_medium",
        "Company, 10 to 49 employees (calendar year)",
        "Entreprise, 10 à 49 employés (année civile)",
        NOTICE_REMINDERS,
        CALENDAR_YEAR,
    ),
    "CAL-G": (
        "company",
        "company_large",
        "Company, 50 employees or more (calendar year)",
        "Entreprise, 50 employés et plus (année civile)",
        NOTICE_REMINDERS,
        CALENDAR_YEAR,
    ),
    "PME": (
        "small",
        "small",
        "Small business (anniversary)",
        "Petite entreprise (date anniversaire)",
        NOTICE_REMINDERS,
        {"renewal_mode": "notice", "unpaid_end_months": 2},
    ),
    "OBNL": (
        "non_profit",
        "non_profit",
        "Non-profit (anniversary)",
        "OBNL (date anniversaire)",
        NOTICE_REMINDERS,
        {"renewal_mode": "notice", "late_policy": "restart"},
    ),
    "IND": (
        "person",
        "person",
        "Person (invoiced on the anniversary)",
        "Particulier (facture à la date anniversaire)",
        INVOICE_REMINDERS,
        {"renewal_mode": "invoice"},
    ),
    "MENS": (
        "small",
        "monthly",
        "Start-up (monthly)",
        "Jeune pousse (mensuel)",
        INVOICE_REMINDERS,
        {
            "renewal_mode": "invoice",
            "period_unit": "month",
            "notice_lead_days": 7,
            "grace_days": 10,
        },
    ),
    "HON": (
        "honorary",
        "honorary",
        "Honorary (for life)",
        "Honoraire (à vie)",
        [],
        {"lifetime": True},
    ),
}


class MembriDemo(models.AbstractModel):
    """What one can subscribe to."""

    _inherit = "membri.demo"

    def _create_catalogue(self, company):
        """:return: ``{code: membri.option.set}``"""
        types = {
            code: self._create_named("membri.subscription.type", names, company, code=code)
            for code, names in TYPES.items()
        }
        products = {
            code: self._create_product(code, price, names, company)
            for code, (price, *names) in PRODUCTS.items()
        }
        catalogue = {}
        for code, (type_code, product, *names, reminders, values) in SETS.items():
            # free of charge is said on purpose, else it would be a price that is missing
            is_free = not PRODUCTS[product][0]
            lines = [
                self._prepare_option(products[product], is_required=True, has_own_price=is_free)
            ]
            if product not in ("monthly", "honorary"):
                lines += [
                    self._prepare_option(products[option], is_default=option == "directory")
                    for option in OPTIONS
                ]
            catalogue[code] = self._name_record(
                f"set_{code.lower().replace('-', '_')}",
                self._create_named(
                    "membri.option.set",
                    names,
                    company,
                    code=code,
                    type_id=types[type_code].id,
                    line_ids=lines,
                    reminder_ids=[self._prepare_reminder(*reminder) for reminder in reminders],
                    **values,
                ),
            )
        return catalogue

    def _create_named(self, model, names, company, **vals):
        """:param names: in English and in French"""
        english, french = names
        record = self.env[model].create({"name": english, "company_id": company.id, **vals})
        for lang in ("fr_CA", "fr_FR"):
            record.with_context(lang=lang).name = french
        return record

    def _create_product(self, code, price, names, company):
        template = self._create_named(
            "product.template",
            names,
            company,
            type="service",
            list_price=price,
            purchase_ok=False,
            taxes_id=[Command.set(company.account_sale_tax_id.ids)],
        )
        return self._name_record(f"product_{code}", template.product_variant_id)

    def _prepare_reminder(self, trigger, days, automatic, template):
        template = self.env.ref(f"membri_renewal.mail_template_{template}")
        return Command.create(
            {
                "trigger": trigger,
                "days": days,
                "automatic": automatic,
                "mail_template_id": template.id,
            }
        )

    def _prepare_option(self, product, is_default=True, **vals):
        return Command.create({"product_id": product.id, "is_default": is_default, **vals})
