"""The contract as the server uses it: schemas, rules for bodies, the OpenAPI document."""
