"""LINE message objects: their shapes, their limits, and their rendering from templates."""
