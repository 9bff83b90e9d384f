"""The peer benchmark: the same networks, trained and run by fastnn and by other libraries.

`nets` defines the networks, `libraries` how each library runs them at its best, `process` runs each in its own process,
`rounds` measures them in turn, `report` and `chart` show the results, and `command` is the command line.
"""
