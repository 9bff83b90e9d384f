"""The peer benchmark: the same nets, trained and run by fastnn and by the libraries that one would take instead.

`nets` says what is trained, `libraries` how each library does it at its best, `process` keeps each in a process of its own,
`rounds` asks them in turn, `report` and `chart` show what came out, and `command` is the command line.
"""
