"""The manager prepares a campaign: terms that end later than the night looks."""

from datetime import timedelta

from lost import verdict

WEEK = 2
FIRST, LAST = 95, 125  # days


class Campaign:
    def __init__(self, world):
        self.world = world
        self.campaign_id = None
        self.promised = {}  # term → (outcome, total)

    def work(self, week):
        if week != WEEK:
            return
        with self.world.acting_as("manager") as env:
            today = env.company._membri_today()
            sets = env["membri.option.set"].search(
                [("company_id", "=", env.company.id), ("lifetime", "=", False)]
            )
            campaign = env["membri.campaign"].create(
                {
                    "option_set_ids": sets.ids,
                    "date_from": today + timedelta(days=FIRST),
                    "date_to": today + timedelta(days=LAST),
                }
            )
            self.campaign_id = campaign.id
            campaign.action_preview()
        self.world.run_crons(["membri_renewal.ir_cron_process_bulk"])
        with self.world.acting_as("manager") as env:
            campaign = env["membri.campaign"].browse(self.campaign_id)
            campaign.line_ids.filtered("is_ready")[:1].action_exclude()
            self.promised = {
                line.cotisation_id.id: (line.outcome, line.amount_total)
                for line in campaign.line_ids
            }
            campaign.action_send()
            self.world.ledger.note("campaign", 1)
        # the queue is worked off at the end of the day


def run(env, played):
    """Each check yields ``(holds, sentence)``."""
    campaign = env["membri.campaign"].browse(played.campaign_id)
    wrong = [] if campaign.state == "done" else [campaign.state]
    made = 0
    for line in campaign.line_ids:
        outcome, total = played.promised.get(line.cotisation_id.id, (None, 0.0))
        if outcome in ("notice", "invoice", "intervention", "unreachable"):
            made += 1
            if line.result != "done" and not line.message:
                wrong.append((line.partner_id.name, outcome, line.result))
            elif line.result == "done" and line.renewal_id.date_sent and outcome == "notice":
                changed = line.renewal_id.state not in ("sent", "refused")
                if not changed and line.renewal_id.amount_total != total:
                    wrong.append((line.partner_id.name, total, line.renewal_id.amount_total))
        elif line.renewal_id:
            wrong.append((line.partner_id.name, outcome, line.renewal_id.name))
        elif not line.reason and not line.is_excluded:
            wrong.append((line.partner_id.name, outcome, "no reason"))
    yield verdict(
        wrong,
        f"a campaign of {len(campaign.line_ids)} terms made {made} renewals as its preview "
        "said, the others with a reason",
    )
    yield bool(made), "the campaign had members"
