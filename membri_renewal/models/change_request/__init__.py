from . import renewal_portal
from . import renewal
from . import change_request
from . import line
from . import detail
from . import contacts
from . import pricing
from . import form
