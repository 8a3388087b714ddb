from odoo.tests import TransactionCase, tagged

# Labels that Odoo makes of a field's name, and that a person would have written, too. A new field
# whose name has several words needs a ``string``, or a place here.
GOOD_AS_MADE = {
    "Active Member Count",
    "Activity Exception Decoration",  # of mail
    "Amount Due",
    "As Of",
    "Automatic Payment",
    "Change Request",
    "Company Currency",
    "Days Late",
    "Field Name",
    "Fiscal Year",
    "In Arrears",
    "Income Account",
    "Invoice Count",
    "Invoice Date",
    "Invoice Remark",
    "Letter Content",
    "Notice Count",
    "Payment Date",
    "Period Unit",
    "Problem Count",
    "Proposal Key",
    "Proration Value",
    "Recipient Email",
    "Recipient Phone",
    "Reminder Count",
    "Renewal Count",
    "Renewal Error",
    "Renewal Error Date",
    "Renewal Mode",
    "Request Currency",
    "Row Type",
    "Skipped Count",
    "Tax Totals",
    "Unreachable Count",
    "Written Off",
}


@tagged("post_install", "-at_install")
class TestLabels(TransactionCase):
    """Filters and exports show every field: its label is words."""

    def _get_fields_of_ours(self):
        """:return: the fields that this add-on declares, on any model, as a list"""
        return [
            field
            for model in self.env.registry.values()
            for field in model._fields.values()
            if "membri_renewal" in field._modules and field.name != "display_name"
        ]

    def test_no_field_keeps_an_automatic_label(self):
        ours = self._get_fields_of_ours()
        self.assertGreater(len(ours), 500)
        automatic = set()
        for field in ours:
            name = field.name.removesuffix("_ids").removesuffix("_id")
            made = name.replace("_", " ").title()
            if " " in made and field.string == made and made not in GOOD_AS_MADE:
                automatic.add(str(field))
        self.assertFalse(automatic)

    def test_no_label_speaks_of_the_code(self):
        technical = {"Membri", "Todo", "Res", "Ids", "Tz", "Html", "Display", "Sudo"}
        bad = {
            f"{field}: {field.string}"
            for field in self._get_fields_of_ours()
            if technical.intersection(field.string.split())
        }
        self.assertFalse(bad)
