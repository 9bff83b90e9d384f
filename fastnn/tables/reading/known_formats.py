"""Number formats that are known before a file is read: from the caller's options, and from a model."""

from dataclasses import dataclass, field

from ...checks import shown
from . import numerals
from .numerals import NumberFormat

READING = "fastnn.tables.reading"  # under this name pandas keeps with a table how it was read


@dataclass
class Told:
    """What is known about the number formats before the file is read.

    Attributes
    ----------
    decimal, thousands : dict
        Separators by column; None stands for all others.
    learned : dict of str to NumberFormat
        The formats of the columns in the training file of a model.
    required : container of str, optional
        The columns in which an ambiguity is an error; default all.
    text : set of str
        Columns that are always text.
    missing_values : iterable of str
        Missing values in addition to empty cells.
    spelling : set of str
        Columns whose cells are also kept as written.
    """

    decimal: dict = field(default_factory=dict)
    thousands: dict = field(default_factory=dict)
    learned: dict = field(default_factory=dict)
    required: object = None
    text: set = field(default_factory=set)
    missing_values: tuple = ()
    spelling: set = field(default_factory=set)

    def __post_init__(self):
        for name in self.decimal.keys() & self.thousands.keys():
            if self.decimal[name] == self.thousands[name]:
                raise ValueError(f"decimal and thousands are both {self.decimal[name]!r}; say one of them, or another one")

    def follow(self, model):
        """Read the model's columns in the formats of its training file; other columns may be ambiguous."""
        preprocessing = model.preprocessing
        self.learned = model.number_formats
        self.required = {column.name for column in preprocessing.columns if column.features}
        self.text |= {*preprocessing.text_columns} - self.learned.keys()  # columns that were read as numbers are again
        self.missing_values = (*self.missing_values, *preprocessing.missing_values)

    def agreeing(self, name, formats):
        """Return the formats that agree with the caller's options for a column, or for all columns if None."""
        decimal, thousands = self.decimal.get(name), self.thousands.get(name)
        return [each for each in formats if each.decimal == (decimal or each.decimal)
                and each.thousands == (thousands or each.thousands)]

    def speaks_of(self, name):
        return name in self.decimal or name in self.thousands

    def may_have_decimal_comma(self, name):
        """Return whether the options or the model say that points of a column are not decimal points."""
        formats = self.agreeing(name, numerals.FORMATS) if self.speaks_of(name) else [self.learned.get(name, NumberFormat())]
        return any(each.decimal == "," for each in formats)


def checked_formats(where, formats):
    """Return formats by column, each a NumberFormat or its two separators; raise ValueError if they are not valid."""
    try:
        return {str(name): each if isinstance(each, NumberFormat) else NumberFormat(*each)
                for name, each in ({} if formats is None else formats).items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"{where} is {shown(formats)}; it must be a dict of a NumberFormat by column") from None


def reading_of(table):
    """Return how a table was read: {"formats", "settled", "notes"} of `Deciding.as_data`, and the "spelling" of columns.

    All are empty for a table that was not read from a text file.
    """
    return {"formats": {}, "settled": [], "notes": [], "spelling": {}} | getattr(table, "attrs", {}).get(READING, {})


def check_reading(table, learned):
    """Refuse a table whose numbers were read in another format than the model's, if that format also fits them."""
    reading = reading_of(table)
    for name in reading["settled"]:
        found = NumberFormat(*reading["formats"][name])
        if name in learned and learned[name].decimal != found.decimal:
            raise ValueError(f"the numbers of column {name!r} were read with {found}; the model was trained on some with "
                             f"{learned[name]}; read the file with read_table(path, like=model)")
