from . import campaign
from . import line
from . import work
from . import display
