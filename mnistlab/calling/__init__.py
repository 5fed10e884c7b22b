"""The lab from Python."""
