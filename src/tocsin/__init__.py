"""Tocsin wakes the right person and tells the system that raised the alarm what was done."""
