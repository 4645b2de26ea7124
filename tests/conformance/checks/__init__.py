"""The checks, by what they are about. Each module has its checks in CHECKS, in order.

A check begins with its component RUNNING, neither paused nor draining; how it leaves it does not
matter, for the kit puts every component back before the next one.
"""
