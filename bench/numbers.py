"""Percentiles, of values at hand and of a Prometheus histogram between two looks at it."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from prometheus_client.parser import text_string_to_metric_families

Buckets = Mapping[float, float]  # upper bound → how many values up to it


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The smallest value that so many percent of them do not exceed; None if there are none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def read_buckets(metrics: str, name: str, **labels: str) -> Buckets:
    """A histogram's cumulative counts in a page of metrics, of those series with these labels."""
    found: dict[float, float] = {}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples if family.name == name else ():
            if sample.name == f"{name}_bucket" and labels.items() <= sample.labels.items():
                bound = float(sample.labels["le"])
                found[bound] = found.get(bound, 0.0) + sample.value
    return found


def between(before: Buckets, after: Buckets) -> Buckets:
    """What came in between two looks."""
    return {bound: count - before.get(bound, 0.0) for bound, count in after.items()}


def bucket_percentile(buckets: Buckets, percent: float) -> float | None:
    """As near as the bounds allow: inside its bucket a value is taken to be evenly spread."""
    steps = sorted({0.0: 0.0, **buckets}.items())
    wanted = steps[-1][1] * percent / 100
    for (low, below), (high, upto) in pairwise(steps):
        if upto >= wanted > below:
            part = (wanted - below) / (upto - below)
            return low if math.isinf(high) else low + (high - low) * part
    return None
