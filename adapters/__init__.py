"""One folder a venue, the same rooms in each: config, providers, data, execution, factories."""
