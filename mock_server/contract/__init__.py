"""The contract: schemas, rules for request bodies, the OpenAPI document."""
