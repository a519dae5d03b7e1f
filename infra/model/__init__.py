"""Typed models: what a service is (`service`), what a stack file may say (`stack`)."""
