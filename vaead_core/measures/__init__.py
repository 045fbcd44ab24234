"""Numbers about maps: metrics, precision and recall, aggregates, components, smoothing, folds."""
