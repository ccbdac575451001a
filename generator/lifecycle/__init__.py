"""begin, advance, cancel, give back: the rules of a generation that span rows.

`advance` takes one step for whatever status it finds and returns the pause in seconds before
the next, or None at the end. It is handed its gateway and knows nothing of the queue. Network
and storage work happen outside transactions, with no database connection held; the database
work at the end of a step is one short transaction, the move first, so that whoever loses the
move never reaches the ledger.
"""

from generator.lifecycle.beginning import begin, cancel, has_begun
from generator.lifecycle.ending import growing_pause
from generator.lifecycle.giving_back import give_back
from generator.lifecycle.hurrying import hurry
from generator.lifecycle.steps import POLL_LEASE, advance, stumble, submit
from generator.lifecycle.storing import STORE_LEASE, STORING_TRIES
from generator.lifecycle.withdrawing import (
    withdraw,
    withdraw_of_suspended,
)

__all__ = [
    "POLL_LEASE",
    "STORE_LEASE",
    "STORING_TRIES",
    "advance",
    "begin",
    "cancel",
    "give_back",
    "growing_pause",
    "has_begun",
    "hurry",
    "stumble",
    "submit",
    "withdraw",
    "withdraw_of_suspended",
]
