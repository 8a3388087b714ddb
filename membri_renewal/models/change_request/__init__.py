from . import renewal
from . import change_request
from . import line
from . import detail
from . import pricing
from . import form
