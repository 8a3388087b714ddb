from . import account_banking_mandate
from . import res_partner
from . import renewal
from . import collection
from . import account_payment_order
from . import account_payment_line
from . import account_move
from . import ir_rule
