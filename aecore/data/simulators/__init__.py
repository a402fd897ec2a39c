"""Simulated machines whose faults are known: inverter, drive, bearing, rooms."""
