"""What we tell merchants: events, the endpoints that want them, and the deliveries between.

An event is written in the transaction of the change it tells of, together with one delivery per
endpoint that wants it. The worker carries deliveries out, signed by the Standard Webhooks rules,
with the same id and the same bytes on every try, for three days.
"""
