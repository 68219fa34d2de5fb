"""HTTP in and out: strict requests, problem documents, correlation; no route of its own."""
