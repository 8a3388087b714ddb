from . import option_set
from . import period
from . import pricing
from . import line
from . import reminder_step
