"""Servers that are broken on purpose: each is the fake in a wrapper that breaks one promise.

They show that the checks of the suite can fail.
"""
