"""Keys change while everybody goes on working: master keys, and the data keys below them (S21).

Everything goes in batches, each a transaction of its own, and whatever a run leaves behind is
readable. So a run may be killed at any time, be begun again, and run twice at once.
"""
