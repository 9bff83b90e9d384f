"""fastnn compared with other libraries: `python asv_bench/peers.py --help`."""

from peers.command import main  # the folder beside this file

if __name__ == "__main__":
    raise SystemExit(main())
