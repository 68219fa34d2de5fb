"""How Stripe speaks: requests, answers, errors, lists, ids, versions and shapes."""
