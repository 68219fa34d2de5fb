"""Payment orders: what a merchant wants to be paid, the attempts to get it paid, and their truth.

Start with `register.py` (a shop asks to be paid) and `record.py` (the one door through which every
outcome passes); `states.py` says what may follow what.
"""
