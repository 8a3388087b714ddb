"""Compare earlier forecasts of renewals with what came, on the demo database.

For each of the last years, the forecast of twelve months as it would have been made on this day
of that year, and the error in percentage points of the renewal rate. Nothing is changed.
"""

import subprocess

from . import demo, odoo, ready
from .report import Failure

HELP = "compare earlier forecasts of renewals with what came"
CODE = """
from dateutil.relativedelta import relativedelta
Forecast = env["membri.forecast"]
companies = env["membri.insight"]._read_group([], ["company_id"])
found = 0
print(f"{'company':24} {'from':12} {'terms':>6} {'expected':>9} {'range':>15} {'came':>6}   error")
for (company,) in companies:
    for years in range(1, YEARS + 1):
        day = company._membri_today() - relativedelta(years=years)
        test = Forecast.with_company(company)._get_back_test(company, day, 12)
        if not test["terms"] or not Forecast.with_company(company)._get_past(company, day):
            continue
        found += 1
        span = f"{test['low']:.0f} to {test['high']:.0f}"
        print(
            f"{company.name[:24]:24} {day!s:12} {test['terms']:6} {test['expected']:9.1f}"
            f" {span:>15} {test['actual']:6} {test['error']:+7.1f} points"
        )
if not found:
    raise SystemExit("There are no past seasons to compare with.")
"""


def add_arguments(parser):
    parser.add_argument("--database", help="another database than the demo's")
    parser.add_argument("--years", type=int, default=3, help="how many years back (default: 3)")


def main(options):
    ready.ensure(with_browser=False)
    database = options.database or demo.require()
    process = subprocess.run(
        odoo.command("shell", "-d", database, "--no-http", "--log-level=warn"),
        env=odoo.environment(),
        input=CODE.replace("YEARS", str(options.years)),
        text=True,
        check=False,
    )
    if process.returncode:
        raise Failure("no forecast could be compared")
