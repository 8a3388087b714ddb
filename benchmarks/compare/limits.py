"""What the cases of ``./dev bench`` may take. Another case adds its line here.

name: ({figure: limit}, what is measured). Figures: ``ratio`` to the reference, ``each`` (queries
for one of ``n``), ``queries``, ``more`` (queries beyond those of the reference), ``seconds``
(``ours_s``), ``ms`` (for one of ``n``), ``mb`` (of memory), and the names of the parts that a case
tells (seconds).
"""

LIMITS = {
    "approve": ({"ratio": 0.60, "each": 5}, "approve 100 renewals"),
    "approve_1000": ({"ratio": 0.55, "each": 5}, "approve 1,000 renewals"),
    "approve_contract": ({"ratio": 1.0}, "the same, beside OCA contract"),
    "approve_membership": ({"ratio": 1.0}, "the same, beside OCA membership"),
    "approve_two_workers": ({"ratio": 0.60}, "approve in the background, two processes (wall)"),
    "notice": ({"ms": 70}, "send a notice with its PDF"),
    "settle": ({"ratio": 1.03}, "pay 40 of our invoices at once"),
    "plain_invoice": ({"more": 0}, "an ordinary invoice, with the add-on installed"),
    "plain_payment": ({"more": 2}, "an ordinary payment, with the add-on installed"),
    "night_idle": ({"seconds": 0.2, "queries": 20}, "three nightly runs, nothing due"),
    "night_due": ({}, "renewals of the night, notices included"),
    "options": ({"seconds": 1.5}, "200 options: enrol, accept, ask for changes"),
    "dashboards": ({"seconds": 0.05, "search": 0.15}, "the cards of the queues, a search by name"),
    "portal": ({"ratio": 0.85}, "the page of a renewal, 50 at once"),
    "growth": ({"ratio": 1.1}, "one approval of many beside one of few"),
    "memory": ({"mb": 300}, "after approvals and notices in the background"),
}


def get_missed(name, result):
    """:return: list of what ``result`` misses, in words"""
    n = result["n"] or 1
    figures = {
        "ratio": result.get("ratio"),
        "each": result["queries"] / n,
        "queries": result["queries"],
        "more": result["queries"] - (result.get("reference_queries") or 0),
        "seconds": result.get("ours_s"),
        "ms": 1000 * result.get("ours_s", 0) / n,
        "mb": result.get("mb"),
        **result.get("parts", {}),
    }
    limits = LIMITS.get(name, ({}, ""))[0]
    return [
        f"{name}: {figure} {figures[figure]:.2f}, allowed {limit}"
        for figure, limit in limits.items()
        if figures[figure] is None or figures[figure] > limit
    ]
