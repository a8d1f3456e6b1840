"""What messages brought, counted in the shop's own database and told honestly.

Read ``counts.py`` first, what is counted; then ``attribution.py``, to which message an order
belongs; ``effect.py`` tells luck from effect, ``words.py`` says it to the owner.
"""
