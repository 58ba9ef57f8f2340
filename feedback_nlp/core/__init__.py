"""The contract everybody speaks: columns, batches, stages, errors, settings and model folders."""
