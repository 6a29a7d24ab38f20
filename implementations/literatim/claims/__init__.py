"""Claims that execute: measures, checks and verdicts."""

from literatim.claims.verdicts import Finding, Verdict, verify

__all__ = ["Finding", "Verdict", "verify"]
