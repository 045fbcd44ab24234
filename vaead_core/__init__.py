"""Unsupervised anomaly detection in brain MRI with variational autoencoders: reading, scoring, evaluation."""

__version__ = "0.1.0"
