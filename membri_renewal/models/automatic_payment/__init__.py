"""Saved cards that pay renewals: the member's consent and card, what will be charged and when
(announced before), the nightly charge with its retries, and its end by one click. The rule:
charge only what was announced, never twice, and let the member stop it."""

from . import settings
from . import saved_card
from . import announcement
from . import told
from . import charge
from . import again
from . import transaction
from . import account_move
from . import portal
from . import required
from . import campaign
