"""What both APIs' edges stand on: reading requests strictly, answering, keeping the journal.

Nothing here knows a vendor's field, code or envelope.
"""
