"""The books: double entry, append-only, balanced by the database.

`chart` names the accounts, `postings` holds every recipe as a pure function, `post` is the only
writer. Debit is positive: an asset grows by a debit, what we owe grows by a credit.
"""
