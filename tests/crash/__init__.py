"""CRASH: real processes, killed with -9 at every named point and at random moments."""
