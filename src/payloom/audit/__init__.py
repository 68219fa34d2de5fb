"""What must always hold, asked of the rows themselves: every invariant as SQL that finds offenders.

It reads every feature's tables and changes none; no feature imports it. The ids (I1, I5, …) are
stable: documents, tests and operators cite them.
"""
