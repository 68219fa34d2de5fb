"""Why a payment stands where it stands: reads every feature's rows, and none imports it."""
