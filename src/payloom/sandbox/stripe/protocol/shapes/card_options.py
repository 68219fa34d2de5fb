"""What can be set for a card, for a session and for a payment."""

CARD_OPTIONS = """
    capture_method installments request_extended_authorization request_incremental_authorization
    request_multicapture request_overcapture request_three_d_secure setup_future_usage
    statement_descriptor_suffix_kana statement_descriptor_suffix_kanji""".split()
