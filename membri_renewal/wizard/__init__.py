from . import account_move_reversal
from . import base_partner_merge
from . import cotisation_terminate
from . import enrolment
from . import renewal_intervention
from . import renewal_refuse
from . import settings
from . import renewal_reset
