"""What is known of how the numbers of a file are written before it is read: what is told, and what a model has learned."""

from dataclasses import dataclass, field

from ...checks import shown
from . import numerals
from .numerals import NumberFormat

READING = "fastnn.tables.reading"  # under this name pandas keeps with a table how it was read


@dataclass
class Told:
    """What is known of the numbers before the file is read.

    Attributes
    ----------
    decimal, thousands : dict
        Separators by column; None stands for all others.
    learned : dict of str to NumberFormat
        How the columns were written that a model was trained on.
    required : container of str, optional
        The columns in which a doubt is an error; default all.
    text : set of str
        Columns that are text whatever they hold.
    missing_values : iterable of str
        What stands for a missing value.
    spelling : set of str
        Columns of which is kept how their cells are written.
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
        """Read what the model takes as it was written in training; other columns of the file are not looked at closely."""
        preprocessing = model.preprocessing
        self.learned = model.number_formats
        self.required = {column.name for column in preprocessing.columns if column.features}
        self.text |= {*preprocessing.text_columns} - self.learned.keys()  # those that were read as numbers are again
        self.missing_values = (*self.missing_values, *preprocessing.missing_values)

    def agreeing(self, name, formats):
        """Those of some formats that agree with what is told of a column, or of all for None."""
        decimal, thousands = self.decimal.get(name), self.thousands.get(name)
        return [each for each in formats if each.decimal == (decimal or each.decimal)
                and each.thousands == (thousands or each.thousands)]

    def speaks_of(self, name):
        return name in self.decimal or name in self.thousands

    def may_have_decimal_comma(self, name):
        """Whether it is told, or was learned, that points of a column are no decimal ones."""
        formats = self.agreeing(name, numerals.FORMATS) if self.speaks_of(name) else [self.learned.get(name, NumberFormat())]
        return any(each.decimal == "," for each in formats)


def checked_formats(where, formats):
    """Formats by the name of their column, each a NumberFormat or its two separators; ValueError if they are none."""
    try:
        return {str(name): each if isinstance(each, NumberFormat) else NumberFormat(*each)
                for name, each in ({} if formats is None else formats).items()}
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"{where} is {shown(formats)}; it must be a dict of a NumberFormat by column") from None


def reading_of(table):
    """How a table was read: {"formats", "settled", "notes"} as `Deciding.as_data` gives them, and the "spelling" of columns.

    All are empty of a table that was not read from a file of text.
    """
    return {"formats": {}, "settled": [], "notes": [], "spelling": {}} | getattr(table, "attrs", {}).get(READING, {})


def check_reading(table, learned):
    """Refuse a table whose numbers were read otherwise than those that a model has learned, where they could be read so."""
    reading = reading_of(table)
    for name in reading["settled"]:
        found = NumberFormat(*reading["formats"][name])
        if name in learned and learned[name].decimal != found.decimal:
            raise ValueError(f"the numbers of column {name!r} were read with {found}; the model was trained on some with "
                             f"{learned[name]}; read the file with read_table(path, like=model)")
