"""Claims that execute: measures, checks and verdicts."""

from literatim.claims.given import setting, stated
from literatim.claims.verdicts import Finding, Verdict, verify

__all__ = ["Finding", "Verdict", "setting", "stated", "verify"]
