"""``portal``, the command line: thin verbs over the same services that the pages use.

Exit 0: done. Exit 1: refused, every problem on stderr, nothing changed. Exit 2: wrong usage.
"""

from __future__ import annotations

import click

from portal.cli import (
    accounts,
    analytics,
    catalogue,
    changes,
    framework,
    frameworks,
    funding,
    jobs,
    lots,
    members,
    price_indices,
    price_lists,
    price_requests,
    prices,
    rates,
    reviews,
    running,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Contractor framework and schedule of rates for home adaptations."""


for group, verbs in (
    (frameworks.frameworks, (changes.framework_terms, changes.framework_lead)),
    (lots.lots, (changes.lot_terms,)),
    (members.members, (changes.member_terms,)),
    (framework.contractors, (changes.firm_details, changes.firm_available, changes.firm_away)),
    (jobs.jobs, (changes.job_quote, changes.job_direct, prices.price_change_, funding.funding_)),
    (rates.rates, (prices.price, prices.own)),
    (rates.rates, price_lists.COMMANDS),
    (rates.rates, catalogue.COMMANDS),
    (rates.rates, (price_indices.index_, reviews.reviews_, price_requests.requests_)),
):
    for verb in verbs:
        group.add_command(verb)

for command in (
    *running.COMMANDS,
    accounts.users,
    framework.contractors,
    framework.places_,
    framework.guide_prices,
    frameworks.frameworks,
    frameworks.reviews_,
    lots.lots,
    members.members,
    members.documents,
    rates.rates,
    jobs.jobs,
    jobs.offers,
    analytics.benchmark,
):
    main.add_command(command)
