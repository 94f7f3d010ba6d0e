"""Correct clients in small functions; a program beside this folder replaces those it gets wrong."""
