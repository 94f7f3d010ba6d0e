"""The rules, one a name: hm101.toml has the words of HM101, and `find` of hm101.py its search."""
