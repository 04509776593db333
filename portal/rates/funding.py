"""Who pays for works: the grant up to its cap, the client's contribution, and what is left for a top-up. Pure; pence.

The grant pays what the client's assessed contribution leaves of the total with VAT, up to the cap (£30,000 in England,
``PORTAL_GRANT_CAP``); what then is left needs a top-up. The three always come to the total.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Split:
    """How the total with VAT is paid; ``agreed_pence`` of the top-up are agreed."""

    total_pence: int
    grant_pence: int
    contribution_pence: int
    top_up_pence: int
    cap_pence: int
    agreed_pence: int

    @property
    def uncovered_pence(self) -> int:
        """What nobody has agreed to pay yet."""
        return max(self.top_up_pence - self.agreed_pence, 0)


def funding_split(total_pence: int, *, contribution_pence: int, agreed_pence: int, cap_pence: int) -> Split:
    """Split ``total_pence``: the contribution first, then the grant up to its cap, then the top-up."""
    contribution = min(contribution_pence, total_pence)
    grant = min(cap_pence, total_pence - contribution)
    return Split(total_pence, grant, contribution, total_pence - contribution - grant, cap_pence, agreed_pence)
