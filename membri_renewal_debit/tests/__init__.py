from . import test_debit_order, test_debit_return, test_mandate, test_several_debits
