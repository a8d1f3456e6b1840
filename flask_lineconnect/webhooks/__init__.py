"""From LINE's webhook to the hook that answers: signature, inbox, dispatch."""
