{
    "name": "Membership Renewal: Direct Debit",
    "summary": "Debit the bank accounts of members with a mandate, by payment orders",
    "version": "19.0.1.0.4",
    "category": "Sales/Membership",
    "author": "Membri Renewal Contributors",
    "maintainers": ["membri-renewal"],
    "website": "https://github.com/membri-renewal/membri_renewal",
    "development_status": "Beta",
    "license": "AGPL-3",
    "images": ["static/description/banner.png"],
    "depends": [
        "membri_renewal",
        "account_banking_mandate",
        "account_payment_order",
        "account_banking_sepa_direct_debit",
    ],
    "data": [
        "security/mandate_rules.xml",
        "views/account_banking_mandate_views.xml",
        "views/portal_templates.xml",
    ],
    "auto_install": True,
}
