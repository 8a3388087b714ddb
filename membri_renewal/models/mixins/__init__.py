from . import formats
from . import shipped
from . import fields
from . import window
from . import work
from . import state
from . import term_line
from . import term
