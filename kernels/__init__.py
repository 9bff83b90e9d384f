"""The compiled side of fastnn."""
