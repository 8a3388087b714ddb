from . import demo
from . import company
from . import catalogue
from . import members
from . import next_campaign
from . import history
from . import campaign
from . import printing
