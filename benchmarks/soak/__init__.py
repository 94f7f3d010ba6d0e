"""A long mixed load with faults; memory, descriptors, cost, money and events are checked."""
