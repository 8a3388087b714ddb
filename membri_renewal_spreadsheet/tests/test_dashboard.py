import json

from odoo.tests import HttpCase, TransactionCase, tagged
from odoo.tools.misc import file_open
from odoo.tools.translate import code_translations, extract_spreadsheet_terms

MODULE = "membri_renewal_spreadsheet"
FILE = f"{MODULE}/data/files/memberships_dashboard.json"


@tagged("post_install", "-at_install")
class TestBoardDashboard(TransactionCase):
    """Issue 17, point 6: what the dashboard asks for is there, and its readers may read it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.dashboard = cls.env.ref("membri_renewal_spreadsheet.dashboard_membership")
        cls.data = json.loads(cls.dashboard.spreadsheet_data)

    def _get_questions(self):
        """:return: ``[(model, domain, groups, measures)]`` of all pivots and charts"""
        for pivot in self.data["pivots"].values():
            groups = [row["fieldName"] for row in pivot["rows"] + pivot["columns"]]
            measures = [
                f"{measure['fieldName']}:{measure['aggregator']}" for measure in pivot["measures"]
            ]
            yield pivot["model"], pivot["domain"], groups, measures, pivot["fieldMatching"]
        for sheet in self.data["sheets"]:
            for figure in sheet["figures"]:
                meta = figure["data"]["metaData"]
                domain = figure["data"]["searchParams"]["domain"]
                matching = figure["data"]["fieldMatching"]
                yield (
                    meta["resModel"],
                    domain,
                    meta["groupBy"],
                    [f"{meta['measure']}:sum"],
                    matching,
                )

    def test_every_figure_can_be_read(self):
        questions = list(self._get_questions())
        self.assertEqual(len(questions), 6)
        filters = {found["id"] for found in self.data["globalFilters"]}
        for model, domain, groups, measures, matching in questions:
            with self.subTest(model=model, groups=groups):
                self.env[model]._read_group(domain, groups, measures)
                self.assertEqual(set(matching), filters)
                for match in matching.values():
                    self.assertIn(match["chain"], self.env[model]._fields)

    def test_french(self):
        """Titles and filters are translated; a measure has no name of its own, so that it is
        called as its field is, which is."""
        with file_open(FILE, "rb") as dashboard:
            found = extract_spreadsheet_terms(dashboard, [], [], {})
        terms = {term for _line, _name, term, _notes in found}
        messages = code_translations.get_web_translations(MODULE, "fr")["messages"]
        french = {message["id"] for message in messages if message["string"]}
        self.assertGreater(len(terms), 4)
        self.assertEqual(terms - french, set())
        for pivot in self.data["pivots"].values():
            for measure in pivot["measures"]:
                self.assertNotIn("userDefinedName", measure)

    def test_readers(self):
        group = self.env.ref("membri_renewal.group_membri_readonly")
        self.assertEqual(self.dashboard.group_ids, group)
        for menu in self.data["chartOdooMenusReferences"].values():
            self.assertTrue(self.env.ref(menu))


@tagged("post_install", "-at_install")
class TestOpen(HttpCase):
    def test_dashboard_opens(self):
        """The spreadsheet is drawn, and none of its figures is an error."""
        dashboard = self.env.ref("membri_renewal_spreadsheet.dashboard_membership")
        page = f"/odoo/dashboards?dashboard_id={dashboard.id}"
        # the first page of a database takes longer than a browser waits
        self.authenticate("admin", "admin")
        self.url_open(page, timeout=120)
        self.browser_js(
            page,
            """
            const wait = setInterval(() => {
                if (document.querySelectorAll(".o-grid canvas, .o-figure canvas").length >= 3) {
                    clearInterval(wait);
                    setTimeout(() => {
                        const text = document.body.innerText;
                        if (text.includes("Invalid") || text.includes("#ERROR")) {
                            console.error("a figure is an error: " + text.slice(0, 500));
                        } else {
                            console.log("test successful");
                        }
                    }, 3000);
                }
            }, 500);
            """,
            login="admin",
            timeout=120,
        )
