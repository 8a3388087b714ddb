from . import payment
from . import fee_notice
from . import portal_access
from . import portal
from . import portal_change
from . import portal_decline
from . import portal_payment
from . import portal_membership
