from odoo.exceptions import ValidationError

# in days some 27 years; also of months, what is counted from a day stays in the calendar
LONGEST_DELAY = 9999


def check_delays(records, *names):
    """One number of days that leads out of the calendar would stop the night of all companies.

    :param names: of integer fields, numbers of days or months
    :raises ValidationError: naming the field"""
    for record in records:
        for name in names:
            if record[name] > LONGEST_DELAY:
                raise ValidationError(
                    record.env._(
                        "“%(field)s” can be %(most)s at most.",
                        field=record._fields[name]._description_string(record.env),
                        most=LONGEST_DELAY,
                    )
                )
