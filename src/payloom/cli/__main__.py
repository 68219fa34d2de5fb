"""python -m payloom.cli …"""

from payloom.cli import main

main()
