from . import needed_data
from . import fields
from . import window
from . import state
from . import shipped
from . import term_line
from . import term
