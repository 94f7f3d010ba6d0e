"""The faked APIs, one folder each."""
