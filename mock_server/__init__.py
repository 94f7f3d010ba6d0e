"""A local fake of two paid video-generation APIs. It calls neither of them."""

__version__ = "0.1.0"
