from lxml import etree

from odoo.tests import tagged

from .common import MembriCommon

# Prices of one unit, and lists whose rows repeat one figure, have no meaning when added.
NO_SUM = {"price_unit"}
# Small lists of settings, where filters would be noise: found by name, archived or not.
SETTINGS = {
    "membri.dashboard",
    "membri.option.set",
    "membri.refusal.reason",
    "membri.setup.step",
    "membri.subscription.type",
}


@tagged("post_install", "-at_install")
class TestListStandards(MembriCommon):
    """No list without a sensible order, filters, totals and a helpful empty state."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        data = cls.env_root["ir.model.data"].search(
            [("module", "=", "membri_renewal"), ("model", "=", "ir.actions.act_window")]
        )
        actions = cls.env_root["ir.actions.act_window"].browse(data.mapped("res_id"))
        cls.actions = actions.filtered(
            lambda action: action.target != "new" and "list" in action.view_mode.split(",")
        )

    def _get_arch(self, action, mode):
        """The view as the manager's web client gets it."""
        Model = self.env[action.res_model].with_user(self.manager)
        views = {kind: view for view, kind in action.views}
        view = action.search_view_id.id if mode == "search" else views[mode]
        return Model, etree.fromstring(Model.get_views([(view, mode)])["views"][mode]["arch"])

    def test_actions_are_found(self):
        self.assertGreaterEqual(len(self.actions), 15)

    def test_empty_state_tells_what_to_do(self):
        """A headline, and at least a sentence on what to do."""
        for action in self.actions:
            with self.subTest(action=action.name):
                self.assertIn("o_view_nocontent_", action.help or "")
                paragraphs = etree.HTML(action.help).findall(".//p")
                self.assertGreaterEqual(len(paragraphs), 2)

    def test_order(self):
        """An order that means something, and is the same each time."""
        for action in self.actions:
            Model, arch = self._get_arch(action, "list")
            order = arch.get("default_order") or Model._order
            with self.subTest(action=action.name):
                self.assertNotEqual(order, "id")
                self.assertTrue(set(order.replace(",", " ").split()) - {"asc", "desc"})

    def test_filters(self):
        for action in self.actions:
            _model, arch = self._get_arch(action, "search")
            filters = [
                node for node in arch.iter("filter") if node.get("invisible") not in ("1", "True")
            ]
            fewest = 1 if action.res_model in SETTINGS else 3
            with self.subTest(action=action.name):
                self.assertTrue(arch.findall(".//field"), "something to type")
                self.assertGreaterEqual(len(filters), fewest)

    def test_amounts_are_added_up(self):
        for action in self.actions:
            Model, arch = self._get_arch(action, "list")
            amounts = [
                node
                for node in arch.findall("field")
                if Model._fields[node.get("name")].type == "monetary"
                and Model._fields[node.get("name")].store
                and node.get("column_invisible") not in ("1", "True")
                and node.get("name") not in NO_SUM
            ]
            with self.subTest(action=action.name):
                self.assertFalse(
                    [node.get("name") for node in amounts if not node.get("sum")],
                )

    def test_no_list_is_wider_than_its_purpose(self):
        """What is shown from the start fits: the rest is one click away."""
        for action in self.actions:
            _model, arch = self._get_arch(action, "list")
            shown = [
                node
                for node in arch.findall("field")
                if node.get("optional") != "hide" and not node.get("column_invisible")
            ]
            with self.subTest(action=action.name):
                self.assertLessEqual(len(shown), 14)
