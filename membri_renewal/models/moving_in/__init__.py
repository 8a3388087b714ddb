"""Moving in and moving out: lists of members from other systems, read, looked at row by row,
written and undone; and the same lists written out. What belongs here: the files and their dates,
what each system calls its columns, the dry run, the run, the undoing and the export."""

from . import membri_import
from . import level
from . import column
from . import line
from . import kept
from . import preview
from . import odoo_tables
from . import balance
from . import contact
from . import decision
from . import option
from . import run
from . import undo
from . import export
from . import templates
from . import matching
