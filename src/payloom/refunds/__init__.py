"""Money back to shoppers: what nobody wanted is returned by itself (`return_surplus.py`).

Every refund is a row before the PSP is asked; its outcome passes through `record.py`.
"""
