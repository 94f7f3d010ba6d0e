"""Servers that are broken on purpose: the fake behind a wrapper that breaks exactly one promise.

A check that has never failed on one of these has proved nothing.
"""
