"""HTTP for all APIs: reads requests, writes answers, keeps the journal; knows no vendor."""
