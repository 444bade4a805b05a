"""Simulated street hardware, hub and link, with encoders and decoders of their own."""
