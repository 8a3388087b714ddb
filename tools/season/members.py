"""Members answer by the link in their mail: GET the page, POST one of its forms."""

import random
import re

import requests

CSRF = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
KEY = re.compile(r'name="proposal_key"[^>]*value="([^"]+)"')
REQUESTS = [
    "Nous sommes maintenant douze employés, merci d'ajuster notre cotisation.",
    "Please take the directory listing out of our membership.",
    "Notre adresse de facturation a changé, appelez-moi s'il vous plaît.",
]


def plan(renewal_id):
    """:return: what this member will do and after how many weeks; the same at every run"""
    dice = random.Random(renewal_id)
    kind = dice.choices(
        ["accept", "request_change", "phone_refusal", "silent"], weights=[62, 12, 8, 18]
    )[0]
    return kind, dice.randint(0, 5)


class Members:
    def __init__(self, world):
        self.world = world

    def work(self, week):
        with self.world.acting_as(None) as env:
            waiting = env["membri.renewal"].search(
                [("state", "=", "sent"), ("company_id", "=", env.company.id)]
            )
            due = []
            for renewal in waiting:
                kind, delay = plan(renewal.id)
                first_seen = self.world.ledger.first_seen(renewal, week)
                if kind in ("accept", "request_change") and week - first_seen >= delay:
                    due.append((renewal.id, kind))
        for renewal_id, kind in due:
            link = self.world.inbox.links.get(renewal_id)
            if link:
                self.answer(renewal_id, kind, link)

    def answer(self, renewal_id, kind, link):
        session = requests.Session()
        page = session.get(link, timeout=60)
        page.raise_for_status()
        token = CSRF.search(page.text)
        if not token:  # the page offers no answer any more
            return
        form = {
            "csrf_token": token[1],
            "access_token": link.split("access_token=")[1].split("&")[0],
        }
        if kind == "accept":
            form["proposal_key"] = KEY.search(page.text)[1]
        else:
            form["message"] = REQUESTS[renewal_id % len(REQUESTS)]
        answer = session.post(f"{link.split('?')[0]}/{kind}", data=form, timeout=120)
        answer.raise_for_status()
        self.world.ledger.note(kind)
