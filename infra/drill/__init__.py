"""The drill of a recovery: what was measured, and the timelines that it gives beside the objectives."""
