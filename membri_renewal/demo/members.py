from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

from odoo import models

from .people import Town
from .texts import FUNCTIONS

ANY_DAY = range(62, 360)  # beyond the lead days of a notice
# fate, option set, last days of the current terms in days from today
ANNIVERSARIES = [
    ("draft", "PME", [58, 57, 54]),
    ("sent", "PME", [59, 57, 55, 50, 47, 45, 42, 40, 36, 30, 26, 20, 14, 8, 2, -5, -12, -25, -40]),
    ("sent", "OBNL", [52, 38, 21, -8]),
    ("change_requested", "PME", [48, 41, 33, 27, 15, -3]),
    ("change_requested", "OBNL", [35]),
    ("intervention", "PME", [44, 30, 18, 6, -10]),
    ("approved_unpaid", "PME", [46, 39, 28, 12, -6, -95]),
    ("approved_unpaid", "IND", [50, 31, 9, -15]),
    ("approved_paid", "PME", [51, 43, 29, 16, 4, -9]),
    ("approved_paid", "IND", [53, 40, 22, 7, -11, -30]),
    ("refused", "PME", [37, 19, 5, -14, -45]),
    ("refused", "OBNL", [25]),
    ("cancelled", "PME", [34]),
    ("unreachable", "PME", [49, 24, -2]),
    ("failed", "PME", [47, 13]),
    ("silent", "PME", [-130, -150, -165, -190, -215, -240, -270]),
    ("silent", "OBNL", [-175]),
    ("left", "PME", [-80, -120, -210, -300, -380, -450, -560, -640]),
    ("left", "IND", [-95, -250, -410, -520]),
    ("regular", "PME", 26),
    ("regular", "OBNL", 8),
    ("regular", "IND", 32),
]
# fate, option set, how many; their terms are calendar years
CALENDAR_YEARS = [
    ("regular", "CAL-M", 44),
    ("regular", "CAL-G", 10),
    ("lagging_unpaid", "CAL-M", 3),
    ("lagging_silent", "CAL-M", 3),
    ("lagging_left", "CAL-M", 3),
]
MONTHLY, FOR_LIFE, PENDING, PROSPECTS = 8, 12, 5, 12


@dataclass
class Story:
    """One member: what it subscribes to, since when, until when, and what becomes of it."""

    fate: str
    option_set: Any
    since: date
    until: date  # the last term is the first that reaches this day
    partner: Any = None
    cotisation: Any = None  # the last one so far
    played: list = field(default_factory=list)  # terms with real invoices, to come


class MembriDemo(models.AbstractModel):
    """Who is a member, and since when."""

    _inherit = "membri.demo"

    def _create_members(self, catalogue, draw):
        """:return: the stories, each with its contact"""
        today = self.env.company._membri_today()
        stories = [
            *self._plan_anniversaries(catalogue, today, draw),
            *self._plan_calendar_years(catalogue, today, draw),
            *self._plan_others(catalogue, today, draw),
        ]
        town = Town(draw)
        vals_list = [self._draw_member(story, town, draw) for story in stories]
        partners = self._create_contacts(vals_list)
        for story, partner in zip(stories, partners, strict=True):
            story.partner = partner
        self._create_contacts([town.company() for _number in range(PROSPECTS)])
        self._staff_companies(stories, town, draw)
        self._relate(stories, town)
        self._make_unreachable(stories)
        return stories

    def _plan_anniversaries(self, catalogue, today, draw):
        for fate, code, ends in ANNIVERSARIES:
            if isinstance(ends, int):
                ends = draw.sample(ANY_DAY, ends)
            for end in ends:
                until = today + timedelta(days=end)
                years = draw.choice([1, 1, 2, 3, 3, 4, 6, 9])
                since = until + timedelta(days=1) - relativedelta(years=years)
                yield Story(fate, catalogue[code], since, until)

    def _plan_calendar_years(self, catalogue, today, draw):
        last_year = date(today.year - 1, 12, 31)
        for fate, code, count in CALENDAR_YEARS:
            for number in range(count):
                recent = fate == "regular" and number % 4 == 0
                days = draw.randrange(300) if recent else draw.randrange(800, 3000)
                since = today - timedelta(days=days)
                yield Story(fate, catalogue[code], since, today if fate == "regular" else last_year)

    def _plan_others(self, catalogue, today, draw):
        for _number in range(MONTHLY):
            since = today - timedelta(days=draw.randrange(20, 400))
            yield Story("regular", catalogue["MENS"], since, today)
        for _number in range(FOR_LIFE):
            since = today - timedelta(days=draw.randrange(500, 5000))
            yield Story("regular", catalogue["HON"], since, today)
        for number in range(PENDING):
            code = "CAL-M" if number % 2 else "PME"
            yield Story("pending", catalogue[code], today - timedelta(days=number), today)

    def _draw_member(self, story, town, draw):
        """:return: values of the member: a person, or a company"""
        code = story.option_set.code
        english = draw.random() < 0.22
        is_person = code in ("IND", "HON") or story.fate == "unreachable"
        if is_person or (code in ("PME", "MENS") and draw.random() < 0.25):
            return town.person(english)
        if code == "OBNL":
            return town.company(non_profit=True)
        return town.company(english)

    def _create_contacts(self, vals_list):
        canada, quebec = self.env.ref("base.ca"), self.env.ref("base.state_ca_qc")
        term = self.env.ref("account.account_payment_term_30days", raise_if_not_found=False)
        shared = {"country_id": canada.id, "state_id": quebec.id}
        if term:
            shared["property_payment_term_id"] = term.id
        return self.env["res.partner"].create([{**shared, **vals} for vals in vals_list])

    def _staff_companies(self, stories, town, draw):
        """People who work at the member companies; the first is in charge of the membership."""
        companies = [story.partner for story in stories if story.partner.is_company]
        vals_list = []
        for company in companies:
            french, english = draw.choice(FUNCTIONS)
            vals = {"lang": company.lang, "website": company.website}
            function = english if company.lang == "en_US" else french
            vals_list.append({**town.contact(vals, function), "parent_id": company.id})
        in_charge = self.env["res.partner"].create(vals_list)
        for company, contact in zip(companies, in_charge, strict=True):
            company.membri_responsible_id = contact
        billing = [
            {
                **town.contact({"lang": company.lang, "website": company.website}, False),
                "name": "Accounts Payable" if company.lang == "en_US" else "Comptes payables",
                "email": f"comptes@{company.website.removeprefix('https://')}",
                "type": "invoice",
                "parent_id": company.id,
            }
            for company in companies[::9]
        ]
        self.env["res.partner"].create(billing)

    def _relate(self, stories, town):
        """A group that owns three members, employees whose employer pays, and addresses for
        notices; and the member whose person in charge has a portal login."""
        companies = [story.partner for story in stories if story.partner.is_company]
        people = [story.partner for story in stories if story.option_set.code == "IND"]
        group = self._create_contacts([{**town.company(), "name": "Groupe Beaurivage inc."}])
        for company in companies[-20:-17]:
            company.parent_id = group
        for person, company in zip(people[-5:], companies[-5:], strict=True):
            person.parent_id = company
        for company in companies[40:43]:
            domain = company.website.removeprefix("https://")
            company.membri_renewal_email = f"adhesions@{domain}"
        ours = next(
            story.partner
            for story in stories
            if story.fate == "sent" and story.partner.is_company and story.partner.lang == "fr_CA"
        )
        self._name_record("member", ours)
        self._name_record("member_contact", ours.membri_responsible_id)

    def _make_unreachable(self, stories):
        """One without an address, one whose address bounces, one who opted out."""
        without, bouncing, opted_out = (
            story.partner for story in stories if story.fate == "unreachable"
        )
        without.email = False
        bouncing.message_bounce = 3
        self.env["mail.blacklist"]._add(opted_out.email)
