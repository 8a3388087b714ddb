from . import campaign
from . import line
from . import runner
from . import display
