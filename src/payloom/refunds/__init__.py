"""Money back to shoppers: what a shop asks for (`request.py`), what nobody wanted
(`return_surplus.py`), and what somebody started at the PSP.

Every refund of ours is a row before the PSP is asked (`ask.py`); what becomes of any refund passes
through `record.py`, and `shown.py` says what its order shows of it.
"""
