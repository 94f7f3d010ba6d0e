"""A local fake of two paid video-generation APIs, and nothing that leaves this machine."""

__version__ = "0.1.0"
