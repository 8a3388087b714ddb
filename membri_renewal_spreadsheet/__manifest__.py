{
    "name": "Membership Renewal: Board Dashboard",
    "summary": "The year of the memberships as a spreadsheet dashboard",
    "version": "19.0.1.0.0",
    "category": "Productivity/Dashboard",
    "author": "Membri Renewal Contributors",
    "license": "AGPL-3",
    "depends": ["membri_renewal", "spreadsheet_dashboard"],
    "auto_install": True,
    "data": ["data/dashboards.xml"],
}
