from . import bounce
from . import company_notes
from . import form
from . import invitation
from . import key
from . import outgoing_key
from . import scheduled
from . import thread
