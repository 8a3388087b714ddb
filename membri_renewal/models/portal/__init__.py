from . import option_set
from . import request
from . import renewal_answer
from . import renewal_page
from . import renewal_decline
from . import fields
from . import cotisation
from . import res_partner
